import Diagnostics
import Testing

@testable import SourcePatch

@Suite("Paths that begin in the wrong folder")
struct PathPlacementTests {
    static let files = [
        "xen/common/kernel.c": numberedLines(9), "xen/common/keyhandler.c": numberedLines(9, "k"), "xen/Makefile": numberedLines(9, "m"),
        "Makefile": numberedLines(9, "top"), "tools/libs/light.c": numberedLines(9, "t"), "xen/tools/symbols.c": numberedLines(9, "s"),
        "docs/x.md": numberedLines(9, "d"), "xen/arch/x86/traps.c": numberedLines(9, "a"), "xen/include/asm/x.h": "h\n",
    ]
    static let good = GitOracleTests.change

    /// A plain diff that changes line 5 of a file of lines with that prefix.
    static func change(_ old: String, _ new: String, _ lines: String) -> String {
        "--- \(old)\n+++ \(new)\n@@ -4,3 +4,3 @@\n \(lines)4\n-\(lines)5\n+new\n \(lines)6\n"
    }

    static func creation(_ name: String) -> String { "--- /dev/null\n+++ \(name)\n@@ -0,0 +1 @@\n+new\n" }

    @Test(
        "A path that exists only after folders are added or dropped is refused, with the path that is meant; no half of the patch is applied",
        arguments: [
            (change("common/keyhandler.c", "common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("a/common/keyhandler.c", "b/common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("xen/common/keyhandler.c", "xen/common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("common/keyhandler.c.orig", "common/keyhandler.c", "other"), "xen/common/keyhandler.c"),
            (change("a/xen/xen/common/keyhandler.c", "b/xen/xen/common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("a/src/xen/common/keyhandler.c", "b/src/xen/common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("a/src/common/keyhandler.c", "b/src/common/keyhandler.c", "k"), "xen/common/keyhandler.c"),
            (change("a/x86/traps.c", "b/x86/traps.c", "a"), nil),
            (change("x86/../traps.c", "b/x86/traps.c", "a"), nil),
            (change("a/Makefile", "b/Makefile", "m"), "xen/Makefile"),
            (change("a/tools/symbols.c", "b/tools/symbols.c", "s"), "xen/tools/symbols.c"),
            (change("tools/libs/light.c", "tools/libs/light.c", "t"), "tools/libs/light.c"),
            (change("a/xen/tools/libs/light.c", "b/xen/tools/libs/light.c", "t"), "tools/libs/light.c"),
            (creation("b/common/new.c"), "xen/common/"),
            (creation("common/new.c"), "xen/common/"),
            (creation("common/newdir/new.c"), "xen/common/"),
            (creation("b/common/newdir/new.c"), "xen/common/newdir/"),
            (creation("xen/common/new.c"), "xen/common/"),
            (creation("xen/new.c"), "xen/"),
            (creation("b/xen/xen/common/new.c"), "xen/common/"),
            (creation("b/src/xen/common/new.c"), "xen/common/"),
            (creation("b/arch/x86/new.c"), "xen/arch/x86/"),
            ("--- a/common/kernel.c\n+++ /dev/null\n@@ -1,9 +0,0 @@\n" + numberedLines(9, "-l"), "xen/common/kernel.c"),
            ("--- common/kernel.c\n+++ /dev/null\n@@ -1,9 +0,0 @@\n" + numberedLines(9, "-l"), "xen/common/kernel.c"),
            (
                "diff --git a/common/kernel.c b/common/other.c\nsimilarity index 100%\nrename from common/kernel.c\nrename to common/other.c\n",
                "xen/common/kernel.c"
            ),
            ("diff --git a/common/kernel.c b/common/kernel.c\nold mode 100644\nnew mode 100755\n", "xen/common/kernel.c"),
            ("diff --git common/kernel.c common/kernel.c\nold mode 100644\nnew mode 100755\n", "xen/common/kernel.c"),
            (change("a/nowhere/x.c", "b/nowhere/x.c", "q"), nil),
            (change("a/x.c", "b/x.c", "q"), nil),
            (creation("b/nowhere/x.c"), nil),
        ] as [(String, String?)])
    func misplaced(_ patch: String, _ place: String?) throws {
        let tree = try TestTree(Self.files)
        for refusal in [try tree.refusal(patch), try tree.refusal(Self.good + patch), try tree.refusal(Self.good, patch)] {
            let error = try #require(refusal)
            #expect(error.exitCode == .patchDoesNotApply)
            guard let place else { continue }
            let real: String
            switch error.reason {
            case .wrongBase(let path, let other):
                #expect(!tree.exists(path), "\(error.message)")
                real = other
            case .wrongFile(let path, let other):
                #expect(tree.exists(path), "\(error.message)")
                real = other
            default:
                Issue.record("\(error.message)")
                continue
            }
            // A folder of the tree that a new file would be in: what comes below it is the patch's own.
            #expect(real == place || (place.hasSuffix("/") && real.hasPrefix(place)))
            #expect(error.message.contains(real) && error.help?.contains("a/xen/") == true)
        }
    }

    @Test(
        "A file in a folder that the tree has outside xen/ is left out, and the hunk says which folder that is",
        arguments: [
            (change("a/tools/libs/light.c", "b/tools/libs/light.c", "t"), "tools"), (change("a/tools/libs/gone.c", "b/tools/libs/gone.c", "q"), "tools"),
            (change("a/docs/x.md", "b/docs/x.md", "d"), "docs"), (change("a/Makefile", "b/Makefile", "top"), ""),
            (change("a/Makefile", "b/Makefile", "other"), ""), (change("a/CHANGELOG.md", "b/CHANGELOG.md", "q"), ""),
            (creation("b/tools/arch/x86/new.c"), "tools"), (creation("b/NEWS.md"), ""),
            (change("xen-1.orig/docs/x.md", "xen-1/docs/x.md", "d"), "docs"),
        ])
    func outside(_ patch: String, _ folder: String) throws {
        let result = try TestTree(Self.files).apply(Self.good + patch)
        #expect(result.hunks.map(\.outside) == [nil, folder])
        #expect(result.leftOut.count == 1)
    }

    @Test(
        "A new folder in the hypervisor is no wrong place",
        arguments: ["b/xen/arch/riscv/include/asm/x.h", "b/xen/arch/x86/new/common/kernel.c", "b/xen/docs/new.md", "xen-1/xen/new/new.c"])
    func newFolder(_ name: String) throws {
        let result = try TestTree(Self.files).apply(Self.creation(name))
        #expect(result.files.count == 1 && result.leftOut.isEmpty)
    }

    @Test(
        "A file and a folder of one name are refused, in either order and over several patches",
        arguments: [
            [creation("b/xen/out") + creation("b/xen/out/x.c")], [creation("b/xen/out/x.c") + creation("b/xen/out")],
            [creation("b/xen/out"), creation("b/xen/out/deep/x.c")], [creation("b/xen/out/deep/x.c"), creation("b/xen/out")],
            [creation("b/xen/common/kernel.c/x.c")], [creation("b/xen/common")],
        ])
    func fileAndFolder(_ patches: [String]) throws {
        let tree = try TestTree(Self.files)
        let paths = try patches.enumerated().map { try tree.patch($1, "\($0)") }
        let error = #expect(throws: PatchError.self) { try applyPatches(readPatches(paths), to: tree.top) }
        #expect(error?.exitCode == .patchDoesNotApply)
    }

    @Test(
        "Remains of a change are refused, before, between and after parts that are sound",
        arguments: [
            "--- a/xen/x.c\n+++ b/xen/x.c\n", "--- a/xen/x.c\n+++ b/xen/x.c\n @@ -1 +1 @@\n-a\n+b\n", "--- a/xen/x.c\n+++ b/xen/x.c\n@ -1 +1 @@\n-a\n+b\n",
            "--- a/xen/x.c\t2016-05-10 11:27:57.000000000 +0200\n+++ b/xen/x.c\t2016-05-10 11:28:57.000000000 +0200\nwords\n",
            "@ -1 +1 @@\n-a\n+b\n", "@@-1 +1 @@\n-a\n+b\n", "@@ -1 +1\n-a\n+b\n", "@@\n", "diff --gitrename from x\nrename to y\n",
            "Only in b/xen/common: new.c\n", "Only in xen-1/xen: newfolder\n", "diff a/xen/x.c b/xen/x.c\n57c57\n< a\n---\n> b\n", "3,4d2\n< a\n< b\n",
            "*** a/xen/x.c\n--- b/xen/x.c\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n",
        ])
    func remains(_ text: String) throws {
        let tree = try TestTree(Self.files), other = Self.change("a/xen/common/keyhandler.c", "b/xen/common/keyhandler.c", "k")
        for patch in [text, text + Self.good, Self.good + text, Self.good + text + other] {
            let error = try #require(try tree.refusal(patch), "\(patch)")
            #expect(error.exitCode == .patchDoesNotApply)
        }
        #expect(try tree.refusal(Self.good + "--- a/xen/x.c\n")?.exitCode == .patchDoesNotApply)
    }

    @Test(
        "Prose that only resembles a change does no harm",
        arguments: [
            "--- so\n+++ not a diff\n", "--- a/b or c\n+++ more/less of it\n", "--- a/xen/x.c is the file\nwords\n", "Only in a few cases: x.c\n",
            "Only in b/docs: new.md\n", "Only in a/xen/common: kernel.o\n", "> @@ -1 +1 @@\n> -a\n", "57c57\nwords\n", "4.17\n1990\n", "@somebody: hello\n",
            "diff -Nru a/xen/x.c b/xen/x.c\n", "-- \n2.39.5\n\n",
        ])
    func prose(_ text: String) throws {
        #expect(try TestTree(Self.files).apply(text + Self.good + "\n" + text).files.count == 1)
    }

    @Test("A folder that is gone again may become a file")
    func folderBecomesFile() throws {
        let gone = "--- a/xen/out/x.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-new\n"
        let result = try TestTree(Self.files).apply(Self.creation("b/xen/out/x.c") + gone, Self.creation("b/xen/out"))
        #expect(result.files.map(\.path) == ["xen/out"])
    }

    @Test("Every hunk is in the result, in order, with the lines where it was applied")
    func hunks() throws {
        let moved = "--- a/xen/common/keyhandler.c\n+++ b/xen/common/keyhandler.c\n@@ -2,2 +2,2 @@\n k1\n-k2\n+K\n@@ -6,3 +6,4 @@\n k7\n+new\n k8\n k9\n"
        let rest =
            "diff --git a/xen/Makefile b/xen/Makefile\nold mode 100644\nnew mode 100755\n" + "diff --git a/docs/x.md b/docs/x.md\n"
            + Self.change("a/docs/x.md", "b/docs/x.md", "d")
        let result = try TestTree(Self.files).apply(
            Self.good, moved.replacing("@@ -2,2 +2,2 @@\n k1\n-k2\n+K\n", with: "@@ -1,3 +1,3 @@\n k1\n-k2\n+K\n k3\n") + rest)
        typealias Lines = PatchHunk.Lines
        #expect(
            result.hunks == [
                PatchHunk(patch: 0, file: "xen/common/kernel.c", line: 4, hunk: 1, old: Lines(start: 4, count: 3), new: Lines(start: 4, count: 4)),
                PatchHunk(patch: 1, file: "xen/common/keyhandler.c", line: 3, hunk: 1, old: Lines(start: 1, count: 3), new: Lines(start: 1, count: 3)),
                PatchHunk(patch: 1, file: "xen/common/keyhandler.c", line: 8, hunk: 2, old: Lines(start: 7, count: 3), new: Lines(start: 7, count: 4)),
                PatchHunk(patch: 1, file: "xen/Makefile", line: 13),
                PatchHunk(
                    patch: 1, file: "docs/x.md", line: 19, hunk: 1, old: Lines(start: 4, count: 3), new: Lines(start: 4, count: 3), outside: "docs"),
            ])
    }
}

import Diagnostics
import SystemPackage
import Testing
import WorkFiles

@testable import SourcePatch

#if canImport(Glibc)
import Glibc
#endif

@Suite("Applying a series")
struct PatchSeriesTests {
    static let kernel = "xen/common/kernel.c"
    static let header = GitOracleTests.header
    static let change = GitOracleTests.change

    func tree() throws -> TestTree { try TestTree([Self.kernel: numberedLines(9)]) }

    @Test("Counts, paths and content of one file")
    func oneFile() throws {
        let file = try #require(try tree().apply(Self.change).files.first)
        #expect(file.path == Self.kernel)
        #expect((file.added, file.removed, file.isNew) == (1, 0, false))
        #expect(file.plainText == "l1\nl2\nl3\nl4\nnew\nl5\nl6\nl7\nl8\nl9\n")
        #expect(file.text == "l1\nl2\nl3\nl4\nnew\n#line 5\nl5\nl6\nl7\nl8\nl9\n")
    }

    @Test("Counts of a series add up; a series that undoes itself changes nothing")
    func series() throws {
        let second = Self.header + "@@ -4,4 +4,3 @@\n l4\n-new\n-l5\n+l5 again\n l6\n"
        let file = try #require(try tree().apply(Self.change, second).files.first)
        #expect((file.added, file.removed) == (2, 2))
        let undo = Self.header + "@@ -4,4 +4,3 @@\n l4\n-new\n l5\n l6\n"
        #expect(try tree().apply(Self.change, undo).files.isEmpty)
    }

    @Test(
        "An offset is accepted and reported with hunk, file and distance",
        arguments: [
            ("@@ -7,3 +7,4 @@", "hunk 1 of xen/common/kernel.c applies 3 lines further up"),
            ("@@ -3,3 +3,4 @@", "hunk 1 of xen/common/kernel.c applies 1 line further down"),
        ])
    func offset(_ hunk: String, _ message: String) throws {
        let result = try tree().apply(Self.header + hunk + "\n l4\n+new\n l5\n l6\n")
        #expect(
            result.diagnostics == [
                Diagnostic(.hunkOffset, .note, location: SourceLocation(file: "common/kernel.c", line: 4), message: message)
            ])
        #expect(result.files.first?.plainText == "l1\nl2\nl3\nl4\nnew\nl5\nl6\nl7\nl8\nl9\n")
        #expect(try tree().apply(Self.change).diagnostics.isEmpty)
    }

    @Test("A mismatch names patch, hunk, range and file")
    func mismatch() throws {
        let patch = Self.header + "@@ -1,3 +1,3 @@\n l1\n-l2\n+L2\n l3\n@@ -5,3 +5,4 @@ f()\n l5\n+new\n lX\n l7\n"
        let error = try #require(try tree().refusal(patch))
        #expect(error.exitCode == .patchDoesNotApply)
        #expect(error.message.hasSuffix("p1.patch:9: hunk 2 (@@ -5,3 +5,4 @@) of xen/common/kernel.c does not apply: its lines are not in the file"))
        #expect(error.help?.contains("another version") == true)
    }

    @Test("A mismatch that has a simple reason says it")
    func hints() throws {
        func hint(_ file: String, _ patches: String...) throws -> PatchError.Hint? {
            let tree = try TestTree([Self.kernel: file])
            let paths = try patches.enumerated().map { try tree.patch($1, "\($0)") }
            do {
                _ = try applyPatches(readPatches(paths), to: tree.top)
            } catch {
                if case .hunkDoesNotMatch(_, _, _, let hint)? = (error as? PatchError)?.reason { return hint }
            }
            return nil
        }
        #expect(try hint(numberedLines(9), Self.change, Self.change) == .alreadyApplied)
        #expect(try hint(numberedLines(9).replacing("\n", with: "\r\n"), Self.change) == .lineEndings)
        #expect(try hint(numberedLines(9, " l"), Self.change) == .whiteSpace)
        #expect(try hint(numberedLines(9), Self.header + "@@ -4,0 +5 @@\n+new\n") == .noContext)
        #expect(try hint("q\n", Self.change) == nil)
    }

    @Test("Files outside xen/ are left out and named, even if they do not exist or are binary")
    func outside() throws {
        let docs = "diff --git a/docs/x.md b/docs/x.md\n--- a/docs/x.md\n+++ b/docs/x.md\n@@ -1 +1 @@\n-a\n+b\n"
        let picture = "diff --git a/docs/x.png b/docs/x.png\nindex 123..456 100644\nBinary files a/docs/x.png and b/docs/x.png differ\n"
        let beside = try TestTree([Self.kernel: numberedLines(9), "docs/y.md": "", "config/Tools.mk": "", "Config.mk": "", "configure": ""])
        let result = try beside.apply(docs + picture + Self.change)
        #expect(result.leftOut == ["docs/x.md", "docs/x.png"])
        #expect(
            result.diagnostics == [
                Diagnostic(.outsideHypervisor, .note, message: "left out, because outside xen/: docs/x.md, docs/x.png")
            ])
        #expect(result.files.map(\.path) == [Self.kernel])
        let nothing = try beside.apply(docs)
        #expect(nothing.files.isEmpty && nothing.leftOut == ["docs/x.md"])
        #expect(try beside.refusal(picture)?.exitCode == .patchDoesNotApply)
        let read = try beside.apply(["Config.mk", "config/x86_64.mk", "configure"].map { docs.replacing("docs/x.md", with: $0) }.joined() + Self.change)
        #expect(read.diagnostics.map(\.severity) == [.note, .warning])
        #expect(read.diagnostics.last?.message == "left out, though the hypervisor's build reads them: Config.mk, config/x86_64.mk")
    }

    @Test("A rename over the border of xen/")
    func acrossBorder() throws {
        func rename(_ from: String, _ to: String) -> String {
            "diff --git a/\(from) b/\(to)\nsimilarity index 100%\nrename from \(from)\nrename to \(to)\n"
        }
        let tree = try TestTree([Self.kernel: "k\n", "tools/t.c": "t\n"])
        let inward = try tree.apply(rename("tools/t.c", "xen/t.c"))
        #expect(inward.leftOut == ["tools/t.c"])
        #expect(inward.files.map(\.plainText) == ["t\n"] && inward.files.first?.isNew == true)
        let outward = try tree.apply(rename(Self.kernel, "tools/k.c"))
        #expect(outward.leftOut == ["tools/k.c"] && outward.files.map(\.change) == [.remove])
        let changed = "--- a/tools/t.c\n+++ b/tools/t.c\n@@ -1 +1 @@\n-t\n+u\n"
        #expect(try tree.refusal(changed, rename("tools/t.c", "xen/t.c"))?.exitCode == .patchDoesNotApply)
    }

    @Test("A patch made inside xen/, or without a leading folder, is refused and not left out")
    func wrongBase() throws {
        for name in ["a/common/kernel.c b/common/kernel.c", "xen/common/kernel.c xen/common/kernel.c"] {
            let names = name.split(separator: " ")
            let patch = "--- \(names[0])\n+++ \(names[1])\n@@ -4,3 +4,4 @@ f()\n l4\n+new\n l5\n l6\n"
            let error = try #require(try tree().refusal(patch))
            #expect(error.reason == .wrongBase("common/kernel.c", "xen/common/kernel.c"))
            #expect(error.help?.contains("a/xen/") == true)
        }
    }

    @Test(
        "Paths that lead elsewhere are refused, on either side, and nothing is read",
        arguments: [
            "--- a/../evil\n+++ b/../evil\n@@ -1 +1 @@\n-a\n+b\n",
            "--- ../evil\n+++ ../evil\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/xen/../../evil\n+++ b/xen/x.c\n@@ -1 +1 @@\n-a\n+b\n",
            "--- /dev/null\n+++ b/xen/../../evil\n@@ -0,0 +1 @@\n+b\n",
            "--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
            "diff --git /etc/passwd /etc/passwd\nold mode 100644\nnew mode 100755\n",
            "--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/xen/.git/config\n+++ b/xen/.git/config\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/.GIT/config\n+++ b/.GIT/config\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/xen/./x.c\n+++ b/xen/./x.c\n@@ -1 +1 @@\n-a\n+b\n",
            "diff --git a/xen/x.c b/xen/y.c\nsimilarity index 100%\nrename from /etc/passwd\nrename to xen/y.c\n",
            "diff --git a/xen/x.c b/xen/y.c\nsimilarity index 100%\ncopy from xen/x.c\ncopy to ../../y.c\n",
            "diff --git \"a/xen/\\056\\056/x.c\" \"b/xen/\\056\\056/x.c\"\nold mode 100644\nnew mode 100755\n",
            "--- a/x/../\u{301}/y\n+++ b/x/../\u{301}/y\n@@ -1 +1 @@\n-a\n+b\n",
            "--- a/xen/\u{e9}.c\n+++ b/xen/\u{e9}.c\n@@ -1 +1 @@\n-a\n+b\n",
            "--- \"a/xen/x\\n.c\"\n+++ \"b/xen/x\\n.c\"\n@@ -1 +1 @@\n-a\n+b\n",
            "--- /dev/null\n+++ b/xen/\(String(repeating: "folder/", count: 570))x.c\n@@ -0,0 +1 @@\n+b\n",
            "--- /dev/null\n+++ b/xen/\(String(repeating: "x", count: 256)).c\n@@ -0,0 +1 @@\n+b\n",
        ])
    func unsafePath(_ patch: String) throws {
        let error = try #require(try tree().refusal(Self.change, patch))
        guard case .unsafePath = error.reason else {
            Issue.record("\(error.message)")
            return
        }
        #expect(error.exitCode == .patchDoesNotApply)
        #expect(error.message.contains("p2.patch"))
    }

    @Test("A path through a symbolic link is refused")
    func symbolicLink() throws {
        let tree = try tree()
        try WorkFiles.makeFolder(tree.folder.appending("elsewhere"))
        try WorkFiles.write(Array(numberedLines(9).utf8), to: tree.folder.appending("elsewhere/kernel.c"))
        #expect(symlink("../../elsewhere", tree.top.appending("xen/arch").string) == 0)
        #expect(symlink("common/kernel.c", tree.top.appending("xen/link.c").string) == 0)
        let through = Self.change.replacing("xen/common", with: "xen/arch")
        #expect(try tree.refusal(through)?.reason == .unsafePath("xen/arch/kernel.c", "leads through the symbolic link xen/arch"))
        let direct = Self.change.replacing("xen/common/kernel.c", with: "xen/link.c")
        #expect(try tree.refusal(direct)?.reason == .unsafePath("xen/link.c", "is a symbolic link"))
        let new = "--- /dev/null\n+++ b/xen/arch/new.c\n@@ -0,0 +1 @@\n+b\n"
        #expect(try tree.refusal(new)?.exitCode == .patchDoesNotApply)
        let making = "diff --git a/xen/l b/xen/l\nnew file mode 120000\n--- /dev/null\n+++ b/xen/l\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n"
        #expect(try tree.refusal(making)?.exitCode == .patchDoesNotApply)
        #expect(try WorkFiles.names(in: tree.folder.appending("elsewhere")) == ["kernel.c"])
    }

    @Test(
        "Binary diffs of any kind are refused",
        arguments: [
            "diff --git a/xen/x b/xen/x\nindex 123..456 100644\nBinary files a/xen/x and b/xen/x differ\n",
            "diff --git a/xen/x b/xen/x\nnew file mode 100644\nindex 000..456\nGIT binary patch\nliteral 3\nKcmZQzV~7E=00961\n\nliteral 0\nHcmV?d00001\n\n",
            "Binary files a/xen/x and b/xen/x differ\n",
        ])
    func binary(_ patch: String) throws {
        let error = try #require(try tree().refusal(Self.change + patch))
        #expect(error.reason == .binary("xen/x"))
        #expect(error.exitCode == .patchDoesNotApply)
    }

    @Test("Bytes that are no UTF-8 survive")
    func bytes() throws {
        let tree = try TestTree()
        try tree.write([0xE9, 0x0A, 0xC3, 0xFF, 0x0A, 0x41, 0x0A, 0x00, 0x0A], to: "xen/x.dat")
        let file = tree.folder.appending("bytes.patch")
        try WorkFiles.write(
            Array("--- a/xen/x.dat\n+++ b/xen/x.dat\n@@ -1,3 +1,4 @@\n ".utf8) + [0xE9, 0x0A, 0x2B, 0xFE, 0x0A, 0x20, 0xC3, 0xFF, 0x0A] + Array(" A\n".utf8),
            to: file)
        let result = try applyPatches(readPatches([file]), to: tree.top)
        #expect(result.files.first?.change == .write(content: [0xE9, 0x0A, 0xFE, 0x0A, 0xC3, 0xFF, 0x0A, 0x41, 0x0A, 0x00, 0x0A], executable: false))
    }
}

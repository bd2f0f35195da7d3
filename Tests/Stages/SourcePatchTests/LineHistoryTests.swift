import Diagnostics
import Testing

@testable import SourcePatch

@Suite("Which line became which")
struct LineHistoryTests {
    typealias Line = LineHistory.Line

    /// `a`, `b`, … one on each line.
    static func letters(_ text: String) -> String { text.map { "\($0);\n" }.joined() }

    static func history(_ tree: TestTree, below: [String] = [], _ patches: String...) throws -> LineHistory {
        LineHistory(from: try tree.apply(below), to: try tree.apply(below + patches))
    }

    @Test("A line keeps its identity, an added one has none, a removed one no successor")
    func oneFile() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("abcdef")])
        let history = try Self.history(tree, "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,6 +1,7 @@\n a;\n+x;\n+y;\n b;\n-c;\n d;\n e;\n f;\n")
        // Patched: a x y b d e f
        #expect((1...7).map { history.original(of: Line(file: "x.c", number: $0))?.number } == [1, nil, nil, 2, 4, 5, 6])
        #expect((1...6).map { history.patched(of: Line(file: "x.c", number: $0))?.number } == [1, 4, nil, 5, 6, 7])
        // x and y are reported as 2 and 3, b as 2 again.
        #expect(history.patchedLines(at: SourceLocation(file: "x.c", line: 2)).map(\.number) == [2, 4])
        #expect(history.originalLines(at: SourceLocation(file: "x.c", line: 2)).map(\.number) == [2])
        #expect(history.patchedText(Line(file: "x.c", number: 3)) == "y;" && history.originalText(Line(file: "x.c", number: 3)) == "c;")
        #expect(history.original(of: Line(file: "x.c", number: 8)) == nil && history.patchedText(Line(file: "x.c", number: 8)) == nil)
        #expect(history.patchedText(Line(file: "x.c", number: 0)) == nil)
    }

    @Test("A file that no patch touches stays as it is")
    func otherFile() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("ab"), "xen/y.h": Self.letters("ab")])
        let history = try Self.history(tree, "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,2 +1,3 @@\n+x;\n a;\n b;\n")
        let line = Line(file: "y.h", number: 2)
        #expect(history.original(of: line) == line && history.patched(of: line) == line && !history.touches("y.h"))
        #expect(history.patchedLines(at: SourceLocation(file: "y.h", line: 2)) == [line])
    }

    @Test("A hunk is what stands between two lines that stay")
    func hunks() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("abcdef")])
        let history = try Self.history(tree, "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,6 +1,6 @@\n a;\n-b;\n-c;\n+x;\n d;\n-e;\n+y;\n+z;\n f;\n")
        // Patched: a x d y z f
        let first = try #require(history.hunk(adding: Line(file: "x.c", number: 2))), second = try #require(history.hunk(adding: Line(file: "x.c", number: 5)))
        #expect(first != second && history.hunk(adding: Line(file: "x.c", number: 4)) == second)
        #expect(history.hunk(removing: Line(file: "x.c", number: 2)) == first && history.hunk(removing: Line(file: "x.c", number: 3)) == first)
        #expect(history.hunk(removing: Line(file: "x.c", number: 5)) == second && history.hunk(removing: Line(file: "x.c", number: 1)) == nil)
        #expect(history.hunk(adding: Line(file: "x.c", number: 6)) == nil)
        #expect(history.lines(addedBy: second).map(\.number) == [4, 5] && history.lines(removedBy: first).map(\.number) == [2, 3])
    }

    @Test("At the top of a file, and at its end")
    func edges() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("abc")])
        let history = try Self.history(tree, "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,3 +1,3 @@\n-a;\n+x;\n b;\n-c;\n+y;\n")
        let top = try #require(history.hunk(removing: Line(file: "x.c", number: 1))), end = try #require(history.hunk(removing: Line(file: "x.c", number: 3)))
        #expect(history.lines(addedBy: top).map(\.number) == [1] && history.lines(removedBy: top).map(\.number) == [1])
        #expect(history.lines(addedBy: end).map(\.number) == [3] && history.lines(removedBy: end).map(\.number) == [3])
    }

    @Test("A renamed file keeps its lines; a copied or new one has none of them")
    func renamed() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("abc")])
        let history = try Self.history(
            tree,
            "diff --git a/xen/x.c b/xen/y.c\nsimilarity index 60%\nrename from xen/x.c\nrename to xen/y.c\n--- a/xen/x.c\n+++ b/xen/y.c\n@@ -1,3 +1,3 @@\n a;\n-b;\n+x;\n c;\n")
        #expect(history.original(of: Line(file: "y.c", number: 3)) == Line(file: "x.c", number: 3))
        #expect(history.original(of: Line(file: "y.c", number: 2)) == nil)
        #expect(history.patched(of: Line(file: "x.c", number: 1)) == Line(file: "y.c", number: 1))
        #expect(history.hunk(removing: Line(file: "x.c", number: 2)) == history.hunk(adding: Line(file: "y.c", number: 2)))
        let copied = try Self.history(
            tree, "diff --git a/xen/x.c b/xen/y.c\nsimilarity index 100%\ncopy from xen/x.c\ncopy to xen/y.c\n")
        #expect(copied.original(of: Line(file: "y.c", number: 1)) == nil)
        #expect(copied.patched(of: Line(file: "x.c", number: 1)) == Line(file: "x.c", number: 1))
    }

    @Test("A file that the patch removes has no lines after it")
    func removed() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("ab")])
        let history = try Self.history(tree, "--- a/xen/x.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a;\n-b;\n")
        #expect(history.patched(of: Line(file: "x.c", number: 1)) == nil && history.hunk(removing: Line(file: "x.c", number: 1)) == nil)
    }

    @Test("Lines that running patches added are the original's own")
    func stacked() throws {
        let tree = try TestTree(["xen/x.c": Self.letters("abc")])
        let below = "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,3 +1,4 @@\n a;\n+r;\n b;\n c;\n"
        let history = try Self.history(tree, below: [below], "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,4 +1,5 @@\n a;\n+n;\n r;\n b;\n c;\n")
        // Original: a r b c. Patched: a n r b c
        #expect((1...5).map { history.original(of: Line(file: "x.c", number: $0))?.number } == [1, nil, 2, 3, 4])
        #expect((1...4).map { history.patched(of: Line(file: "x.c", number: $0))?.number } == [1, 3, 4, 5])
        #expect(history.originalLines(at: SourceLocation(file: "x.c", line: 2)).map(\.number) == [2, 3])
        // A patch that takes back what the running one did.
        let back = try Self.history(tree, below: [below], "--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,4 +1,3 @@\n a;\n-r;\n b;\n c;\n")
        #expect((1...3).map { back.original(of: Line(file: "x.c", number: $0))?.number } == [1, 3, 4])
        #expect((1...4).map { back.patched(of: Line(file: "x.c", number: $0))?.number } == [1, nil, 2, 3])
    }
}

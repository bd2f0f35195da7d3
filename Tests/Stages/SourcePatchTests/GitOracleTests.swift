import Diagnostics
import Testing

@testable import SourcePatch

/// A tree and a series; the result must be what `git apply` makes of it, or both must refuse.
struct OracleCase: Sendable, CustomTestStringConvertible {
    var name: String
    var files: [String: String]
    var patches: [String]
    var applies = true
    var testDescription: String { name }
}

@Suite("As git apply does")
struct GitOracleTests {
    static let five = "xen/common/kernel.c"
    static let header = "diff --git a/xen/common/kernel.c b/xen/common/kernel.c\n--- a/xen/common/kernel.c\n+++ b/xen/common/kernel.c\n"
    static let change = header + "@@ -4,3 +4,4 @@ f()\n l4\n+new\n l5\n l6\n"

    static let cases: [OracleCase] = [
        .init(name: "one hunk", files: [five: numberedLines(9)], patches: [change]),
        .init(
            name: "plain diff", files: [five: numberedLines(9)],
            patches: [
                "--- a/xen/common/kernel.c\t2016-05-10 11:27:57.000000000 +0200\n+++ b/xen/common/kernel.c\t2016-05-10 11:28:57.000000000 +0200\n@@ -4,3 +4,2 @@\n l4\n-l5\n l6\n"
            ]),
        .init(
            name: "plain diff without time stamps, other folders", files: [five: numberedLines(9)],
            patches: [
                "diff -u xen-4.17.orig/xen/common/kernel.c xen-4.17/xen/common/kernel.c\n--- xen-4.17.orig/xen/common/kernel.c\n+++ xen-4.17/xen/common/kernel.c\n@@ -4,3 +4,2 @@\n l4\n-l5\n l6\n"
            ]),
        .init(
            name: "plain diff with .orig", files: [five: numberedLines(9)],
            patches: [
                "--- a/xen/common/kernel.c.orig\n+++ a/xen/common/kernel.c\n@@ -4,3 +4,2 @@\n l4\n-l5\n l6\n"
            ]),
        .init(
            name: "plain diff, new file by time stamp", files: [five: numberedLines(9)],
            patches: [
                "diff -Nru a/xen/common/new.c b/xen/common/new.c\n--- a/xen/common/new.c\t1970-01-01 01:00:00.000000000 +0100\n+++ b/xen/common/new.c\t2016-05-10 11:28:57.000000000 +0200\n@@ -0,0 +1,2 @@\n+a\n+b\n"
            ]),
        .init(
            name: "plain diff, removed file by time stamp", files: [five: numberedLines(2)],
            patches: [
                "--- a/xen/common/kernel.c\t2016-05-10 11:28:57.000000000 +0200\n+++ b/xen/common/kernel.c\t1969-12-31 19:00:00.000000000 -0500\n@@ -1,2 +0,0 @@\n-l1\n-l2\n"
            ]),
        .init(
            name: "plain diff, /dev/null on both sides of a pair", files: [five: numberedLines(2)],
            patches: [
                "--- /dev/null\n+++ b/xen/n.c\n@@ -0,0 +1 @@\n+x\n--- a/xen/common/kernel.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-l1\n-l2\n"
            ]),
        .init(
            name: "mail", files: [five: numberedLines(9)],
            patches: [
                "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n\nWhy.\n--- so\n+++ not a diff\n---\n xen/common/kernel.c | 1 +\n 1 file changed, 1 insertion(+)\n\n"
                    + change + "-- \n2.39.5\n\n"
            ]),
        .init(name: "offset down", files: [five: "x\ny\n" + numberedLines(9)], patches: [change]),
        .init(name: "offset up", files: [five: numberedLines(9)], patches: [header + "@@ -6,3 +6,4 @@\n l4\n+new\n l5\n l6\n"]),
        .init(
            name: "two places equally far away", files: [five: "a\nb\nq\na\nb\nr\n"],
            patches: [
                header + "@@ -3,2 +3,3 @@\n a\n+n\n b\n"
            ]),
        .init(
            name: "nearest of several places", files: [five: "z\na\nb\nz\nz\nz\na\nb\nz\n"],
            patches: [
                header + "@@ -3,2 +3,3 @@\n a\n+n\n b\n"
            ]),
        .init(
            name: "hunk of line 1 must match at the top", files: [five: "x\nl1\nl2\nl3\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n+n\n l1\n l2\n l3\n"
            ], applies: false),
        .init(
            name: "hunk that ends in a change must match at the end", files: [five: numberedLines(9)],
            patches: [
                header + "@@ -3,3 +3,3 @@\n l3\n l4\n-l5\n+n\n"
            ], applies: false),
        .init(
            name: "fuzz", files: [five: numberedLines(9)],
            patches: [
                header + "@@ -2,6 +2,7 @@\n lX\n l3\n l4\n+new\n l5\n l6\n l7\n"
            ], applies: false),
        .init(
            name: "blanks differ", files: [five: "a\n\tb\nc\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\n         b\n+n\n c\n"
            ], applies: false),
        .init(
            name: "trailing blank differs", files: [five: "a \nb\nc\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\n b\n+n\n c\n"
            ], applies: false),
        .init(
            name: "stripped blank of an empty context line", files: [five: "a\n\nb\nc\n"],
            patches: [
                header + "@@ -1,4 +1,5 @@\n a\n\n+n\n b\n c\n"
            ]),
        .init(
            name: "several hunks, the second moved", files: [five: numberedLines(20).replacing("l12\n", with: "l12\nz\nz\n")],
            patches: [
                header + "@@ -2,3 +2,2 @@\n l2\n-l3\n l4\n@@ -15,3 +14,4 @@\n l15\n+new\n l16\n l17\n"
            ]),
        .init(
            name: "hunks out of order", files: [five: numberedLines(20)],
            patches: [
                header + "@@ -15,3 +14,4 @@\n l15\n+new\n l16\n l17\n@@ -2,3 +2,2 @@\n l2\n-l3\n l4\n"
            ]),
        .init(
            name: "overlapping hunks", files: [five: numberedLines(20)],
            patches: [
                header + "@@ -2,3 +2,4 @@\n l2\n+a\n l3\n l4\n@@ -4,3 +5,4 @@\n l4\n+b\n l5\n l6\n"
            ], applies: false),
        .init(
            name: "series", files: [five: numberedLines(9)],
            patches: [
                change, header + "@@ -4,4 +4,3 @@\n l4\n-new\n-l5\n+l5 again\n l6\n",
            ]),
        .init(
            name: "the same file twice in one patch", files: [five: numberedLines(9)],
            patches: [
                change + header + "@@ -4,4 +4,3 @@\n l4\n-new\n-l5\n+l5 again\n l6\n"
            ]),
        .init(name: "already applied", files: [five: numberedLines(9)], patches: [change, change], applies: false),
        .init(name: "missing file", files: [:], patches: [change], applies: false),
        .init(
            name: "no newline at the end, kept", files: [five: "a\nb\nc"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\n+n\n b\n c\n\\ No newline at end of file\n"
            ]),
        .init(
            name: "no newline at the end, added", files: [five: "a\nb\nc"],
            patches: [
                header + "@@ -1,3 +1,3 @@\n a\n b\n-c\n\\ No newline at end of file\n+c\n"
            ]),
        .init(
            name: "no newline at the end, lost", files: [five: "a\nb\nc\n"],
            patches: [
                header + "@@ -1,3 +1,3 @@\n a\n b\n-c\n+c\n\\ No newline at end of file\n"
            ]),
        .init(
            name: "no newline on both sides", files: [five: "a\nb\nc"],
            patches: [
                header + "@@ -1,3 +1,3 @@\n a\n b\n-c\n\\ Kein Zeilenumbruch am Dateiende\n+d\n\\ Kein Zeilenumbruch am Dateiende\n"
            ]),
        .init(
            name: "a missing newline that the patch does not know", files: [five: "a\nb\nc"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\n+n\n b\n c\n"
            ], applies: false),
        .init(
            name: "CRLF in both", files: [five: "a\r\nb\r\nc\r\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\r\n+n\r\n b\r\n c\r\n"
            ]),
        .init(
            name: "CRLF in the patch only", files: [five: "a\nb\nc\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\r\n+n\r\n b\r\n c\r\n"
            ], applies: false),
        .init(
            name: "CRLF in the file only", files: [five: "a\r\nb\r\nc\r\n"],
            patches: [
                header + "@@ -1,3 +1,4 @@\n a\n+n\n b\n c\n"
            ], applies: false),
        .init(
            name: "new file", files: [:],
            patches: [
                "diff --git a/xen/n.h b/xen/n.h\nnew file mode 100755\nindex 0000000000..1234567890\n--- /dev/null\n+++ b/xen/n.h\n@@ -0,0 +1,2 @@\n+a\n+b\n"
            ]),
        .init(
            name: "new file that is there", files: ["xen/n.h": "q\n"],
            patches: [
                "diff --git a/xen/n.h b/xen/n.h\nnew file mode 100644\nindex 0000000000..1234567890\n--- /dev/null\n+++ b/xen/n.h\n@@ -0,0 +1,2 @@\n+a\n+b\n"
            ], applies: false),
        .init(
            name: "new empty file", files: [:],
            patches: [
                "diff --git a/xen/n.h b/xen/n.h\nnew file mode 100644\nindex 0000000000..e69de29bb2\n"
            ]),
        .init(
            name: "new file without newline", files: [:],
            patches: [
                "diff --git a/xen/n.h b/xen/n.h\nnew file mode 100644\n--- /dev/null\n+++ b/xen/n.h\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
            ]),
        .init(
            name: "text into an empty file", files: ["xen/n.h": ""],
            patches: [
                "diff --git a/xen/n.h b/xen/n.h\nindex e69de29bb2..1234567890 100644\n--- a/xen/n.h\n+++ b/xen/n.h\n@@ -0,0 +1 @@\n+a\n"
            ]),
        .init(
            name: "removed file", files: [five: numberedLines(2)],
            patches: [
                "diff --git a/xen/common/kernel.c b/xen/common/kernel.c\ndeleted file mode 100644\nindex 1234567890..0000000000\n--- a/xen/common/kernel.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-l1\n-l2\n"
            ]),
        .init(
            name: "removed file with more in it", files: [five: numberedLines(3)],
            patches: [
                "diff --git a/xen/common/kernel.c b/xen/common/kernel.c\ndeleted file mode 100644\nindex 1234567890..0000000000\n--- a/xen/common/kernel.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-l1\n-l2\n"
            ], applies: false),
        .init(
            name: "rename", files: [five: numberedLines(9)],
            patches: [
                "diff --git a/xen/common/kernel.c b/xen/common/core.c\nsimilarity index 100%\nrename from xen/common/kernel.c\nrename to xen/common/core.c\n"
            ]),
        .init(
            name: "rename with a change and a mode", files: [five: numberedLines(9)],
            patches: [
                "diff --git a/xen/common/kernel.c b/xen/common/core.c\nold mode 100644\nnew mode 100755\nsimilarity index 90%\nrename from xen/common/kernel.c\nrename to xen/common/core.c\nindex 1234567890..1234567891\n--- a/xen/common/kernel.c\n+++ b/xen/common/core.c\n@@ -4,3 +4,4 @@ f()\n l4\n+new\n l5\n l6\n"
            ]),
        .init(
            name: "two files change places", files: ["xen/a.c": "a\n", "xen/b.c": "b\n"],
            patches: [
                "diff --git a/xen/a.c b/xen/b.c\nsimilarity index 100%\nrename from xen/a.c\nrename to xen/b.c\ndiff --git a/xen/b.c b/xen/a.c\nsimilarity index 100%\nrename from xen/b.c\nrename to xen/a.c\n"
            ]),
        .init(
            name: "rename onto a file", files: ["xen/a.c": "a\n", "xen/b.c": "b\n"],
            patches: [
                "diff --git a/xen/a.c b/xen/b.c\nsimilarity index 100%\nrename from xen/a.c\nrename to xen/b.c\n"
            ], applies: false),
        .init(
            name: "copy of a file that the same patch changes", files: [five: numberedLines(9)],
            patches: [
                change
                    + "diff --git a/xen/common/kernel.c b/xen/common/zz.c\nsimilarity index 90%\ncopy from xen/common/kernel.c\ncopy to xen/common/zz.c\nindex 1234567890..1234567891 100644\n--- a/xen/common/kernel.c\n+++ b/xen/common/zz.c\n@@ -7,3 +7,2 @@\n l7\n-l8\n l9\n"
            ]),
        .init(
            name: "mode only", files: ["xen/tool.sh": "x\n"],
            patches: [
                "diff --git a/xen/tool.sh b/xen/tool.sh\nold mode 100644\nnew mode 100755\n"
            ]),
        .init(
            name: "name with blanks and quotes", files: ["xen/a b.c": "x\n", "xen/e\"e.c": "y\n"],
            patches: [
                "diff --git a/xen/a b.c b/xen/a b.c\nold mode 100644\nnew mode 100755\ndiff --git \"a/xen/e\\\"e.c\" \"b/xen/e\\\"e.c\"\n--- \"a/xen/e\\\"e.c\"\n+++ \"b/xen/e\\\"e.c\"\n@@ -1 +1 @@\n-y\n+z\n"
            ]),
        .init(
            name: "lines that look like headers", files: [five: "-- a/x\n++ b/x\n@@ -1 +1 @@\n"],
            patches: [
                header + "@@ -1,3 +1,3 @@\n--- a/x\n+-- a/y\n-++ b/x\n+++ b/y\n @@ -1 +1 @@\n"
            ]),
        .init(name: "truncated in a hunk", files: [five: numberedLines(9)], patches: [String(change.dropLast(4))], applies: false),
        .init(name: "truncated in a line", files: [five: numberedLines(9)], patches: [String(change.dropLast(1))], applies: false),
        .init(name: "hunk without a file", files: [five: numberedLines(9)], patches: ["@@ -4,3 +4,4 @@\n l4\n+new\n l5\n l6\n"], applies: false),
        .init(
            name: "ends in a changed line at the end of the file", files: [five: numberedLines(9)],
            patches: [
                header + "@@ -1,9 +1,9 @@\n l1\n l2\n l3\n l4\n l5\n l6\n l7\n l8\n-l9\n+L9\n"
            ]),
    ]

    @Test("Result and refusal are git's", arguments: cases)
    func sameAsGit(_ one: OracleCase) async throws {
        let tree = try TestTree(one.files)
        let untouched = try tree.snapshot(tree.top)
        let patches = try one.patches.enumerated().map { try tree.patch($1, "\($0).patch") }
        var git: [String: String]?
        switch one.patches.count {
        case 1: git = try await tree.git(one.patches[0])
        default: git = try await tree.git(one.patches[0], one.patches[1])
        }
        #expect((git != nil) == one.applies)
        var result: AppliedPatch?
        let files = try readPatches(patches)
        do throws(PatchError) {
            result = try applyPatches(files, to: tree.top)
        } catch {
            #expect(git == nil, "\(error.message)")
            #expect(error.exitCode == .patchDoesNotApply)
        }
        if let result { #expect(try tree.materialised(result) == git) }
        #expect(try tree.snapshot(tree.top) == untouched)
    }
}

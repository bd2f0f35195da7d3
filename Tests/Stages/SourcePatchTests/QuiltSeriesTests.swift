import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import SourcePatch

@Suite struct QuiltSeriesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func series(_ text: String, in place: String = "series") throws -> FilePath {
        let path = folder.path.appending(place)
        try WorkFiles.makeFolder(path.removingLastComponent())
        try WorkFiles.write(Array(text.utf8), to: path)
        return path
    }

    @Test func theListedPatchesTakeItsPlace() throws {
        let list = try series("# ours\n\nfirst.patch\n  sub/second.diff -p1  # why\r\n#third.patch\nlast.patch -pab\n", in: "patches/series")
        let own = list.removingLastComponent()
        #expect(
            try expandSeries(["a.patch", list, "b.patch"]) == [
                "a.patch", own.appending("first.patch"), own.pushing("sub/second.diff"), own.appending("last.patch"), "b.patch",
            ])
    }

    @Test("A patch that is called series is a patch, and a list of another name is not one") func otherFiles() throws {
        let patch = try series("--- a/xen/a.c\n+++ b/xen/a.c\n@@ -1 +1 @@\n-a\n+b\n")
        let other = try series("first.patch\n", in: "list")
        let missing = folder.path.pushing("none/series")
        #expect(try expandSeries([patch, other, missing]) == [patch, other, missing])
    }

    @Test func whatCantBeDoneIsRefused() throws {
        let empty = try series("# nothing yet\n")
        let error = #expect(throws: PatchError.self) { try expandSeries([empty]) }
        #expect(error?.message == "\(empty) lists no patch" && error?.exitCode == .usage)
        for option in ["-p0", "-R", "-p2"] {
            let list = try series("a.patch\nb.patch \(option)\n")
            let error = #expect(throws: PatchError.self) { try expandSeries([list]) }
            #expect(error?.message.hasPrefix("\(list):2: the option '\(option)'") == true && error?.exitCode == .usage)
        }
    }
}

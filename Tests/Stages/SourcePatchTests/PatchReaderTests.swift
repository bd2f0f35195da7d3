import Diagnostics
import SystemPackage
import Testing

@testable import SourcePatch

@Suite("Reading patch files")
struct PatchReaderTests {
    @Test("Missing files and folders are a matter of usage, bad contents are not")
    func files() throws {
        let tree = try TestTree()
        func error(_ path: FilePath) -> PatchError? {
            do {
                _ = try applyPatches(readPatches([path]), to: tree.top)
                return nil
            } catch {
                return error as? PatchError
            }
        }
        let missing = error(tree.folder.appending("none.patch"))
        #expect(missing?.exitCode == .usage && missing?.message.contains("none.patch") == true)
        #expect(error(tree.folder)?.reason == .isDirectory)
        #expect(error(try tree.patch(""))?.reason == .empty)
        #expect(error(try tree.patch("Only words.\n"))?.reason == .noChanges)
        #expect(error(try tree.patch("\u{7F}ELF\u{0}\u{1}"))?.reason == .notText)
        #expect(error("/dev/zero")?.reason == .tooLarge(limit: patchSizeLimit))
        for reason in [PatchError.Reason.empty, .noChanges, .notText, .tooLarge(limit: 1)] {
            #expect(PatchError("x", reason).exitCode == .patchDoesNotApply)
        }
    }

    @Test(
        "Damage is reported with its line",
        arguments: [
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1 +1 @@\n-a\n+b\n+c\n", 6, "more lines"),
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,2 +1 @@\n-a\n+b\n", 5, "ends in the middle of hunk 1"),
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,2 +1,2 @@\n-a\n+b\nc\n", 6, "begins with neither"),
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1 +1 @@\n-a\n+b\0\n", 5, "NUL"),
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -99999999999 +1 @@\n-a\n+b\n", 3, "can't be read"),
            ("diff --git a/xen/x.c b/xen/x.c\nindex 123..456 100644\n", 1, "are missing here"),
            ("diff --git a/xen/x.c b/xen/x.c\nnew file mode 100644\nindex 000..456\n", 1, "are missing here"),
            ("diff --git a/xen/x.c b/xen/y.c\nsimilarity index 90%\nrename from xen/x.c\nrename to xen/y.c\n", 1, "are missing here"),
            ("diff --git a/xen/x.c b/xen/y.c\nold mode 100644\nnew mode 100755\n", 1, "no name"),
            ("diff --git a/xen/x.c b/xen/x.c\n--- a/xen/y.c\n+++ b/xen/y.c\n@@ -1 +1 @@\n-a\n+b\n", 1, "another file"),
            ("--- a/xen/x.c\n+++ b/xen/x.c\n@@ -1,2 +1,2 @@\n-a\n\\ No newline\n b\n+c\n", 7, "without newline"),
        ])
    func damage(_ text: String, _ line: Int, _ words: String) throws {
        let error = try #require(try TestTree(["xen/x.c": "a\n"]).refusal(text))
        #expect(error.line == line || error.line == line - 1, "\(error.message)")
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.exitCode == .patchDoesNotApply)
    }

    @Test(
        "Other kinds of diffs are named",
        arguments: [
            ("diff --cc xen/x.c\nindex 1,2..3\n--- a/xen/x.c\n+++ b/xen/x.c\n@@@ -1 -1 +1 @@@\n--a\n++b\n", "combined"),
            ("*** a/xen/x.c\n--- b/xen/x.c\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n", "context diff"),
        ])
    func otherKinds(_ text: String, _ words: String) throws {
        let error = try #require(try TestTree(["xen/x.c": "a\n"]).refusal(text))
        #expect(error.message.contains(words) && error.help?.contains("git diff") == true)
    }

    @Test(
        "The time stamp of a missing file",
        arguments: [
            ("1970-01-01 00:00:00.000000000 +0000", true), ("1970-01-01 01:00:00.000000000 +0100", true),
            ("1969-12-31 19:00:00.000000000 -0500", true), ("1970-01-01 05:30:00 +0530", true),
            ("1970-01-01 01:00:01.000000000 +0100", false), ("1970-01-01 00:00:00.000000001 +0000", false),
            ("1970-01-01 01:00:00.000000000 +0000", false), ("2016-05-10 00:00:00.000000000 +0000", false), ("", false),
        ])
    func epoch(_ stamp: String, _ expected: Bool) {
        #expect(TimeStamp.isEpoch(Array(stamp.utf8)[...]) == expected)
    }

    @Test("No input crashes it: thousands of damaged patches are refused or applied")
    func mutations() throws {
        let sources = GitOracleTests.cases.flatMap(\.patches)
        let tree = try TestTree([
            "xen/common/kernel.c": numberedLines(9), "xen/n.h": "", "xen/a.c": "a\n", "xen/b.c": "b\n", "xen/x.c": "a\nb\nc",
        ])
        let fragments = [
            "@@ -1 +1 @@\n", "@@ -0,0 +999999999,1 @@\n", "@@ -999999999,1 +0,0 @@\n", "--- /dev/null\n", "+++ b/xen/n.h\n", "\\ \n", "\"",
            "\\303", "diff --git a/xen/a.c b/xen/a.c\n", "rename to xen/b.c\n", "old mode 777777\n", "GIT binary patch\n", "\0", "\r\n", " ", "-", "+",
        ].map { Array($0.utf8) }
        var random = SplitMix(state: 42)
        var (applied, refused) = (0, 0)
        for round in 0..<4000 {
            var bytes = Array(sources[round % sources.count].utf8)
            for _ in 0...(round % 4) {
                let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: if !bytes.isEmpty { bytes[place] = UInt8.random(in: 0...255, using: &random) }
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...20, using: &random)))
                case 2: bytes.insert(contentsOf: fragments.randomElement(using: &random) ?? [], at: place)
                case 3: bytes = Array(bytes.prefix(place))
                case 4: if !bytes.isEmpty { bytes[place] = UInt8.random(in: 0x30...0x39, using: &random) }
                default: bytes += Array((sources.randomElement(using: &random) ?? "").utf8)
                }
            }
            do {
                var series = PatchSeries(top: tree.top)
                try series.apply(try PatchReader.read(bytes, from: "m.patch"), from: "m.patch")
                _ = try series.result()
                applied += 1
            } catch {
                #expect(error.exitCode == .patchDoesNotApply)
                if case .library(let words) = error.reason { Issue.record("libgit2 disagrees: \(words)\n\(latin1(bytes))") }
                refused += 1
            }
        }
        #expect(applied > 50 && refused > 1000, "\(applied) applied, \(refused) refused")
    }
}

/// A small generator whose numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

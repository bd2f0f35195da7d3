import ObjectDiff
import ObjectFixtures
import Report
import SourcePatch
import TestTools
import Testing
import XenBuild

@testable import LivepatchBuild

/// How each hunk of a patch ends.
@Suite struct HunkAccountTests {
    private typealias Ending = BuildReport.Patch.Hunk.Ending
    private static let source =
        "__attribute__((section(\".init.text\"))) int boot(void) { return 1; } int f(void) { return 1; } static int kept; int *g(void) { return &kept; }\n"

    /// The account of a patch with one hunk in each of these files, which are in these objects. The objects are compiled from `source` and
    /// from what the closure makes of it.
    private func account(
        _ uses: [PatchedFileUse], objects: [String: (String) -> String], spared: [String] = [], bootOnly: Set<String> = [], renamed: [String: String] = [:]
    ) async throws -> [BuildReport.Patch.Hunk] {
        var pairs: [ObjectPair] = [], changes: [ChangeSet] = []
        for (name, change) in objects.sorted(by: { $0.key < $1.key }) {
            changes.append(try await ObjectFixtures.compare(Self.source, change(Self.source)))
            pairs.append(ObjectPair(name: name, source: name, isInitOnly: bootOnly.contains(name), original: nil, patched: nil))
        }
        let build = BuildOutcome(
            pairs: pairs, objectCount: 9, compiled: 0, fromCache: 0, compiler: "gcc", decisions: [], uses: uses)
        let hunks = uses.enumerated().map {
            PatchHunk(patch: 0, file: $1.path, line: $0, hunk: 1, old: .init(start: 1, count: 2), new: .init(start: 1, count: 3))
        }
        var patch = BuildReport.Patch(AppliedPatch(files: [], hunks: hunks), sources: ["a.patch"])
        var endings = HunkAccount(build, renamed: renamed).endings(pairs, changes, LayoutComparison())
        for name in spared { endings[name] = .same }
        patch.account(for: build.uses, by: endings)
        return patch.hunks
    }

    @Test func eachEndsInOneWay() async throws {
        let hunks = try await account(
            [
                PatchedFileUse("xen/a.c", .objects(["a.o", "same.o"])), PatchedFileUse("xen/boot.c", .objects(["boot.o", "same.o"])),
                PatchedFileUse("xen/same.h", .objects(["same.o", "spared.o"])), PatchedFileUse("xen/init.c", .objects(["init.o"])),
                PatchedFileUse("xen/docs.md", .nothing("it is documentation")), PatchedFileUse("xen/x.lds.S", .lastLink),
                PatchedFileUse("xen/Makefile", .commands(["a.o"])), PatchedFileUse("xen/made.h", .generated(["same.o"])),
                PatchedFileUse("xen/old.c", .objects(["old.o"])), PatchedFileUse("xen/unknown.c", .objects(["unknown.o"])),
            ],
            objects: [
                "a.o": { $0.replacing("f(void) { return 1", with: "f(void) { return 2") },
                "boot.o": { $0.replacing("boot(void) { return 1", with: "boot(void) { return 2") },
                "same.o": { $0 }, "init.o": { $0.replacing("f(void) { return 1", with: "f(void) { return 2") },
            ], spared: ["spared.o"], bootOnly: ["init.o"], renamed: ["old.o": "a.o"])
        let expected: [(Ending, [String])] = [
            (.compared, ["a.o"]), (.bootOnly, ["boot.o"]), (.unchanged, ["same.o", "spared.o"]), (.bootOnly, ["init.o"]), (.unchanged, []), (.refused, []),
            (.compared, ["a.o"]), (.unchanged, ["same.o"]), (.compared, ["old.o"]), (.compared, ["unknown.o"]),
        ]
        #expect(hunks.map(\.ending) == expected.map(\.0))
        #expect(hunks.map(\.objects) == expected.map(\.1))
        #expect(hunks.allSatisfy { ($0.proof == nil) == ($0.ending == .compared) })
        #expect(hunks[4].proof == "it is documentation" && hunks[0].old == .init(start: 1, count: 2) && hunks[0].patch == "a.patch")
        #expect(
            ReportText.line(hunks) == "10 hunks: 4 in 3 objects that differ, 2 used at boot only, 3 without effect on the code of this configuration, 1 refused"
        )
    }

    @Test func decisionsHaveTheProof() async throws {
        let hunks = try await account(
            [PatchedFileUse("xen/a.c", .objects(["a.o"])), PatchedFileUse("xen/docs.md", .nothing("it is documentation"))],
            objects: ["a.o": { $0.replacing("f(void) { return 1", with: "f(void) { return 2") }])
        #expect(
            Decision.all(hunks) == [
                Decision(.hunks, "xen/a.c:1", "compared: a.o", .everything), Decision(.hunks, "xen/docs.md:1", "unchanged: it is documentation"),
            ])
    }

    @Test func aRemovedFunctionIsADifference() async throws {
        let hunks = try await account(
            [PatchedFileUse("xen/a.c", .objects(["a.o"]))], objects: ["a.o": { $0.replacing("int f(void) { return 1; }", with: "") }])
        #expect(hunks.map(\.ending) == [.compared])
    }

    @Test func outsideAndUndone() async throws {
        let hunks = [
            PatchHunk(patch: 0, file: "tools/x.c", line: 1, hunk: 1, outside: "tools"), PatchHunk(patch: 0, file: "README", line: 5, outside: ""),
            PatchHunk(patch: 1, file: "xen/a.c", line: 9, hunk: 1),
        ]
        var patch = BuildReport.Patch(AppliedPatch(files: [], hunks: hunks), sources: ["b.patch"], skipping: 1)
        #expect(patch.hunks.map(\.patch) == ["b.patch"])
        patch = BuildReport.Patch(AppliedPatch(files: [], hunks: hunks), sources: ["a.patch", "b.patch"])
        #expect(patch.hunks.map(\.ending) == [.outside, .outside, nil])
        #expect(patch.hunks[0].proof == "the tree has the folder tools/ outside xen/")
        patch.account(for: [], by: [:])
        #expect(patch.hunks.map(\.ending) == [.outside, .outside, .unchanged])
        #expect(ReportText.line(patch.hunks) == "3 hunks: 1 without effect on the code of this configuration, 2 outside xen/")
    }
}

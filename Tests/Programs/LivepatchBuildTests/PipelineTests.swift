import Diagnostics
import Report
import SourcePatch
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import LivepatchBuild

/// The part of a build before anything is compiled.
@Suite struct PipelineTests {
    private let observer = EventRecorder()

    private func plan(
        _ patch: String, in folder: FilePath, architectures: [String] = ["x86_64"], format: BuildOptions.Format = .auto
    ) async throws -> BuildPlan {
        for (name, text) in [
            ("tree/xen/Makefile", "XEN_VERSION = 4\nXEN_SUBVERSION = 17\n"), ("tree/xen/common/a.c", "int a;\n"),
            ("tree/xen/include/public/sysctl.h", "#define LIVEPATCH_PAYLOAD_VERSION 2\n"), ("fix.patch", patch),
        ] {
            try WorkFiles.makeFolder(folder.pushing(FilePath(name)).removingLastComponent())
            try WorkFiles.write(Array(text.utf8), to: folder.pushing(FilePath(name)))
        }
        var targets = BuildOptions.Targets(), fix = BuildOptions.Fix()
        targets.architectures = architectures
        fix.format = format
        let options = try BuildOptions(
            input: .init(source: folder.appending("tree"), patches: [folder.appending("fix.patch")]), targets: targets, fix: fix,
            work: .init(jobs: 1, cache: folder.appending("cache")))
        return try await planBuild(
            options, to: OutputPlaces(top: folder.appending("out")), on: BuildHost(environment: [:], machine: "x86_64", recorder: []), observer: observer)
    }

    private let patch = "--- a/xen/common/a.c\n+++ b/xen/common/a.c\n@@ -1 +1 @@\n-int a;\n+int b;\n"

    @Test func aPlanKnowsTheSourcesAndWritesNothing() async throws {
        try await withTemporaryFolder { folder in
            let plan = try await plan(patch, in: folder)
            #expect(plan.tree.version.description == "4.17" && plan.states.patched.files.map(\.path) == ["xen/common/a.c"])
            #expect(plan.run.result.endings.isEmpty)
            #expect(observer.story == ["began x86_64", "patch…", "patched"])
            guard case .endedStage(.patched(let summary)) = observer.events.last else {
                Issue.record("no patch was reported")
                return
            }
            #expect(summary.files == [.init(path: "xen/common/a.c", change: .modified, linesAdded: 1, linesRemoved: 1)])
            #expect(try WorkFiles.names(in: folder).sorted() == ["fix.patch", "tree"])
        }
    }

    @Test func allTargetsAreKnownFromTheBeginning() async throws {
        try await withTemporaryFolder { folder in
            _ = try await plan(patch, in: folder, architectures: ["arm64", "x86_64"])
            #expect(observer.story == ["began arm64 x86_64", "patch…", "patched"])
        }
    }

    @Test func aPatchThatDoesNotApplyEndsTheRun() async throws {
        try await withTemporaryFolder { folder in
            let error = await #expect(throws: PatchError.self) { try await plan(patch.replacing("-int a;", with: "-int z;"), in: folder) }
            #expect(error?.exitCode == .patchDoesNotApply)
            #expect(observer.story == ["began x86_64", "patch…", "patch failed"])
        }
    }

    @Test("a format that the hypervisor does not load is refused before anything begins") func wrongFormat() async throws {
        try await withTemporaryFolder { folder in
            let error = await #expect(throws: UsageError.self) { try await plan(patch, in: folder, format: .xsplice) }
            #expect(error?.message == "--format xsplice: Xen 4.17 loads payloads of format livepatch v2")
            #expect(observer.events.isEmpty)
        }
    }
}

import Diagnostics
import Report
import SourcePatch
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild
import XenSource

@testable import PayloadLinker
@testable import XspliceCommand

/// How the endings of targets become one run: what is written where, what is said, and the exit code.
@Suite struct BuildRunTests {
    private let folder: TemporaryFolder
    private let output = MemorySink()
    private let error = MemorySink()

    init() throws { folder = try TemporaryFolder() }

    enum Ending: Sendable { case payload, nothing, refusal, otherOriginal, failure, fullDisk }

    private func payload() -> Payload {
        Payload(
            name: "fix", abi: .livepatchV2, bytes: [1, 2, 3], functions: [], companions: [], references: [], buildID: [1], depends: [2],
            xenDepends: [2], tableEntries: [:], verifiedFunctions: 0, verifiedInInstructions: 0)
    }

    /// A run whose stages after the patch only have an ending.
    private func run(_ targets: KeyValuePairs<String, Ending>, quiet: Bool = false) async throws -> Diagnostics.ExitStatus {
        let command = try #require(
            try RootCommand.parseAsRoot(
                ["-s", "a", "-p", "fix.patch", "-o", folder.path.appending("out").string] + (quiet ? ["-q"] : [])) as? BuildCommand)
        let options = try command.options(environment: ["HOME": "/home/u"], processors: 1)
        let console = Console(output: output, error: error)
        var run = BuildRun(
            options: options, output: try OutputFolder.claim(options.output, force: false),
            stages: StageRunner(Terminal(console, verbosity: options.verbosity)), environment: [:], recorder: [])
        let tree = XenTree(top: "/xen", version: XenVersion(major: 4, minor: 17, extra: ".5"), abi: .livepatchV2)
        let endings = Dictionary(uniqueKeysWithValues: targets.map { ($0.key, $0.value) })
        var known: [Target] = []
        for (name, _) in targets {
            let architecture = try #require(Architectures.named(name))
            let tools = try CrossTools(for: architecture, of: [architecture], options: [], own: nil, environment: [:])
            known.append(Target(plan: TargetPlan(architecture: architecture, tools: tools)))
        }
        run.begin(known, of: tree)
        let patched = AppliedPatch(files: [], diagnostics: [Diagnostic(.hunkOffset, .note, message: "a hunk has moved")])
        _ = try await run.apply { SourceStates(running: AppliedPatch(files: []), patched: patched) }
        try run.prepare()
        try await run.forEachTarget { target, context in
            switch try #require(endings[target.name]) {
            case .payload:
                return try await context.link { LinkOutcome(payload: payload(), diagnostics: []) }
            case .nothing: return nil
            case .refusal:
                context.note([Diagnostic(.perCPUAdded, .error, message: "a variable")])
                return nil
            case .otherOriginal:
                context.note([Diagnostic(.originalDiffers, .error, message: "another")])
                return nil
            case .failure: throw BuildError("common/kernel.c does not compile")
            case .fullDisk: throw WorkFileError("cannot write", "/full", .noSpace)
            }
        }
        return try run.conclude()
    }

    private func report<T: Decodable>(_ type: T.Type) throws -> T {
        try JSONText.decode(type, from: WorkFiles.read(folder.path.appending("out/report.json")))
    }

    @Test func oneTargetIsWrittenWithoutAFolderOfItsOwn() async throws {
        let status = try await run(["arm64": .payload])
        #expect(status == .written)
        #expect(folder.names("out") == ["fix.livepatch", "logs", "report.json"])
        let report = try report(BuildReport.self)
        #expect(report.schemaVersion == 2 && report.outcome == .written && report.tree.architecture == "arm64")
        #expect(report.timings.map(\.stage) == ["patch", "link"])
        #expect(report.payload?.path == folder.path.appending("out/fix.livepatch").string)
        #expect(!output.text.contains("target   outcome"))
    }

    @Test func severalTargetsAreWrittenEachToItsFolder() async throws {
        let status = try await run(["x86_64": .payload, "arm64": .payload])
        #expect(status == .written)
        #expect(folder.names("out") == ["arm64", "logs", "report.json", "x86_64"])
        let report = try report(RunReport.self)
        #expect(report.schemaVersion == 3 && report.outcome == .written)
        #expect(report.targets.map(\.payload?.path) == ["x86_64", "arm64"].map { folder.path.appending("out/\($0)/fix.livepatch").string })
        #expect(report.targets.allSatisfy { $0.timings.map(\.stage) == ["patch", "link"] && $0.diagnostics.count == 1 })
        // What the patches alone gave rise to is said once.
        #expect(error.text.split(separator: "\n").count { $0.contains("a hunk has moved") } == 1)
    }

    @Test func aRefusalStopsNoOtherTarget() async throws {
        let status = try await run(["x86_64": .refusal, "arm64": .payload, "arm32": .nothing])
        #expect(status == .cannotBeLivePatched)
        #expect(folder.names("out") == ["arm64", "logs", "report.json"])
        #expect(try report(RunReport.self).targets.map(\.outcome) == [.refused, .written, .nothingToPatch])
        #expect(error.text.contains("For x86_64:\nerror[per-cpu-added]: a variable"))
        #expect(error.text.contains("No payload was written for x86_64."))
        #expect(error.text.contains("arm32: nothing to patch"))
        #expect(output.text.contains("  x86_64   refused            –\n  arm64    written            \(folder.path)/out/arm64/fix.livepatch\n"))
    }

    @Test func aBuildThatFailsStopsNoOtherTarget() async throws {
        let status = try await run(["x86_64": .failure, "arm64": .payload], quiet: true)
        #expect(status == .buildFailed)
        #expect(folder.names("out/arm64") == ["fix.livepatch"])
        let report = try report(RunReport.self)
        #expect(report.outcome == .buildFailed && report.targets[0].failure == "common/kernel.c does not compile")
        #expect(error.text == "\nFor x86_64:\nerror: common/kernel.c does not compile\n")
        #expect(output.text.isEmpty)
    }

    @Test(arguments: [
        ([.payload, .nothing], .nothingToPatch), ([.nothing, .refusal], .cannotBeLivePatched),
        ([.otherOriginal, .refusal], .originalDiffers), ([.otherOriginal, .failure], .buildFailed),
    ] as [([Ending], Diagnostics.ExitStatus)])
    func theWorstEndingIsTheExitCode(endings: [Ending], status: Diagnostics.ExitStatus) async throws {
        let found = try await run(["x86_64": endings[0], "arm64": endings[1]])
        #expect(found == status)
    }

    @Test func oneTargetsFailureIsTheRuns() async throws {
        let status = try await run(["arm32": .failure])
        #expect(status == .buildFailed)
        #expect(try report(BuildReport.self).outcome == .buildFailed)
        #expect(error.text == "error: common/kernel.c does not compile\n")
    }

    @Test("a run that ends before it began to write leaves what is in the folder") func anEarlyEndLeavesAnEarlierRun() async throws {
        try folder.write("tree/xen/Makefile", "XEN_VERSION = 4\nXEN_SUBVERSION = 17\n")
        try folder.write("tree/xen/include/public/sysctl.h", "#define LIVEPATCH_PAYLOAD_VERSION 2\n")
        try folder.write("out/report.json", #"{"generator": "xsplice-build"}"#)
        try folder.write("out/logs/old.log")
        try folder.write("out/.a.livepatch.4711.tmp")
        let top = folder.path
        let arguments = ["-s", "tree", "-p", "fix.patch", "-o", "out", "--cache-dir", "cache"].map { $0.hasPrefix("-") ? $0 : top.appending($0).string }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await XspliceCommandTests.run(arguments + ["--force"])
        }
        task.cancel()
        let interrupted = await task.value
        #expect(interrupted.status == .interrupted && interrupted.error == "interrupted: no payload was written\n", "\(interrupted.error)")
        let failed = await XspliceCommandTests.run(arguments + ["--force"])
        #expect(failed.status == .usage && failed.error.contains("fix.patch"), "\(failed.error)")
        #expect(folder.names("out") == [".a.livepatch.4711.tmp", "logs", "report.json"] && folder.names("out/logs") == ["old.log"])
    }

    @Test func aFaultEndsTheWholeRun() async throws {
        await #expect(throws: WorkFileError.self) { try await run(["x86_64": .payload, "arm64": .fullDisk, "arm32": .payload]) }
        #expect(folder.names("out") == ["logs"])
    }
}

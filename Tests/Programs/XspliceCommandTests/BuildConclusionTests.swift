import Diagnostics
import Report
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild

@testable import LivepatchBuild
@testable import XspliceCommand

/// What is written where of a build's result, what is said, and the exit code.
@Suite struct BuildConclusionTests {
    private let folder: TemporaryFolder
    private let output = MemorySink()
    private let error = MemorySink()

    init() throws { folder = try TemporaryFolder() }

    enum Ending: Sendable { case payload, nothing, refusal, otherOriginal, failure, compiledOnly, newOnly, removedOnly }

    private let moved = Diagnostic(.hunkOffset, .note, message: "a hunk has moved")

    private func ending(_ name: String, _ ending: Ending, in top: FilePath) -> BuildResult.Ending {
        var report = BuildReport(tree: .init(path: "/xen", version: "4.17.5", architecture: name, format: "livepatch v2"))
        report.patch = .init(sources: ["fix.patch"], files: [.init(path: "xen/common/a.c", change: .modified, linesAdded: 1, linesRemoved: 1)])
        report.diagnostics = [moved]
        switch ending {
        case .payload:
            report.outcome = .written
            report.payload = .init(
                path: top.appending("fix.livepatch").string, size: 3, buildID: "01", depends: "02", xenDepends: "02", hostTool: "xen-livepatch")
            return .init(report: report, payload: .init(name: "fix.livepatch", bytes: [1, 2, 3]))
        case .nothing: report.outcome = .nothingToPatch
        case .newOnly:
            report.outcome = .nothingToPatch
            report.comparison = .init(same: 3, changed: 0, new: 1, refused: 0)
        case .removedOnly:
            report.outcome = .nothingToPatch
            report.diagnostics.append(Diagnostic(.oldCodeReachable, .warning, message: "a function"))
        case .compiledOnly: report.outcome = .compiledOnly
        case .refusal:
            report.outcome = .refused
            report.diagnostics += [Diagnostic(.stateLost, .warning, message: "state"), Diagnostic(.perCPUAdded, .error, message: "a variable")]
        case .otherOriginal:
            report.outcome = .originalDiffers
            report.diagnostics.append(Diagnostic(.originalDiffers, .error, message: "another"))
        case .failure:
            report.outcome = .buildFailed
            report.failure = "common/kernel.c does not compile"
            return .init(report: report, failure: BuildError("common/kernel.c does not compile", log: "/log"))
        }
        return .init(report: report)
    }

    /// Of a build whose targets ended like that.
    private func conclusion(_ targets: KeyValuePairs<String, Ending>) -> BuildConclusion {
        let out = folder.path.appending("out")
        return BuildConclusion(
            BuildResult(
                endings: targets.map { ending($0.key, $0.value, in: targets.count > 1 ? out.appending($0.key) : out) }, sharedDiagnostics: [moved]))
    }

    /// Writes it, and says it.
    private func run(_ targets: KeyValuePairs<String, Ending>, quiet: Bool = false) throws -> Diagnostics.ExitStatus {
        let conclusion = conclusion(targets), claimed = try OutputFolder.claim(folder.path.appending("out"), force: false)
        try claimed.prepare()
        try conclusion.write(to: claimed)
        conclusion.say(on: Terminal(Console(output: output, error: error), verbosity: quiet ? .quiet : .normal))
        return conclusion.exitStatus
    }

    private func report<T: Decodable>(_ type: T.Type) throws -> T {
        try JSONText.decode(type, from: WorkFiles.read(folder.path.appending("out/report.json")))
    }

    @Test func oneTargetIsWrittenWithoutAFolderOfItsOwn() throws {
        let status = try run(["arm64": .payload])
        #expect(status == .written)
        #expect(folder.names("out") == ["fix.livepatch", "logs", "report.json"])
        let report = try report(BuildReport.self)
        #expect(report.schemaVersion == 4 && report.outcome == .written && report.tree.architecture == "arm64")
        #expect(report.payload?.path == folder.path.appending("out/fix.livepatch").string)
        #expect(!output.text.contains("target   outcome"))
    }

    @Test func severalTargetsAreWrittenEachToItsFolder() throws {
        let status = try run(["x86_64": .payload, "arm64": .payload])
        #expect(status == .written)
        #expect(folder.names("out") == ["arm64", "logs", "report.json", "x86_64"])
        let report = try report(RunReport.self)
        #expect(report.schemaVersion == 5 && report.outcome == .written)
        #expect(report.targets.map(\.payload?.path) == ["x86_64", "arm64"].map { folder.path.appending("out/\($0)/fix.livepatch").string })
        #expect(report.targets.allSatisfy { $0.diagnostics.count == 1 })
        // What the patches alone gave rise to is said once.
        #expect(error.text.split(separator: "\n").count { $0.contains("a hunk has moved") } == 1)
    }

    @Test func aRefusalStopsNoOtherTarget() throws {
        let status = try run(["x86_64": .refusal, "arm64": .payload, "arm32": .nothing])
        #expect(status == .cannotBeLivePatched)
        #expect(folder.names("out") == ["arm64", "logs", "report.json"])
        #expect(try report(RunReport.self).targets.map(\.outcome) == [.refused, .written, .nothingToPatch])
        #expect(error.text.contains("For x86_64:\nerror[per-cpu-added]: a variable"))
        #expect(error.text.contains("No payload was written for x86_64."))
        #expect(error.text.contains("arm32: nothing to patch"))
        #expect(output.text.contains("  x86_64   refused            –\n  arm64    written            \(folder.path)/out/arm64/fix.livepatch\n"))
    }

    @Test func aBuildThatFailsStopsNoOtherTarget() throws {
        let status = try run(["x86_64": .failure, "arm64": .payload], quiet: true)
        #expect(status == .buildFailed)
        #expect(folder.names("out/arm64") == ["fix.livepatch"])
        let report = try report(RunReport.self)
        #expect(report.outcome == .buildFailed && report.targets[0].failure == "common/kernel.c does not compile")
        #expect(error.text == "\nFor x86_64:\nerror: common/kernel.c does not compile\n  help: the whole output is in /log\n")
        #expect(output.text.isEmpty)
    }

    @Test(
        arguments: [
            ([.payload, .nothing], .nothingToPatch), ([.nothing, .refusal], .cannotBeLivePatched),
            ([.otherOriginal, .refusal], .originalDiffers), ([.otherOriginal, .failure], .buildFailed),
        ] as [([Ending], Diagnostics.ExitStatus)])
    func theWorstEndingIsTheExitCode(endings: [Ending], status: Diagnostics.ExitStatus) throws {
        let found = try run(["x86_64": endings[0], "arm64": endings[1]])
        #expect(found == status)
    }

    @Test func oneTargetsFailureIsTheRuns() throws {
        let status = try run(["arm32": .failure])
        #expect(status == .buildFailed)
        #expect(try report(BuildReport.self).outcome == .buildFailed)
        #expect(error.text == "error: common/kernel.c does not compile\n  help: the whole output is in /log\n")
    }

    @Test func whatWasAskedForIsNoComplaint() throws {
        #expect(try run(["arm32": .compiledOnly]) == .written)
        #expect(output.text == "\nThe objects are compiled. Stopped there, as asked for with -k diff.\n")
    }

    @Test(
        arguments: [
            ([("arm64", .refusal)], "error[per-cpu-added]: a variable"), ([("arm64", .failure)], "error: common/kernel.c does not compile"),
            ([("arm64", .otherOriginal)], "error[original-differs]: another"), ([("arm64", .payload)], nil),
            (
                [("arm64", .nothing)],
                "nothing to patch: the patch changes xen/common/a.c, and no function or data that runs after boot differs"
            ),
            (
                [("arm64", .newOnly)],
                "nothing to patch: the patch changes xen/common/a.c, and no function that runs after boot changes: nothing would call the new function"
            ),
            (
                [("arm64", .removedOnly)],
                "nothing to patch: the patch changes xen/common/a.c, and no function that stays differs after boot"
            ),
            ([("arm64", .payload), ("arm32", .refusal), ("x86_64", .failure)], "error[per-cpu-added]: a variable"),
            // Which of several it is about would be missing.
            ([("arm64", .payload), ("arm32", .nothing)], nil),
        ] as [([(String, Ending)], String?)])
    func theFirstComplaint(endings: [(String, Ending)], complaint: String?) {
        let result = BuildResult(endings: endings.map { ending($0.0, $0.1, in: "out") }, sharedDiagnostics: [moved])
        #expect(BuildConclusion(result).complaint(TextStyle(unicode: true)) == complaint)
    }
}

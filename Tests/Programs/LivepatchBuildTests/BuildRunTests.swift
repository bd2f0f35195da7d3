import Diagnostics
import PayloadProof
import Report
import SourcePatch
import Testing
import WorkFiles
import XenBuild
import XenSource
import XenVersions

@testable import LivepatchBuild
@testable import LoaderModel
@testable import PayloadLinker

/// How the endings of targets become one result, and what is reported meanwhile.
@Suite struct BuildRunTests {
    private let observer = EventRecorder()

    enum Ending: Sendable { case payload, nothing, refusal, otherOriginal, failure, fullDisk, wrongPayload, refusalBefore, refusalAfter }

    private func payload() -> Payload {
        Payload(
            name: "fix", abi: .livepatchV2, bytes: [1, 2, 3], functions: [], companions: [], references: [], buildID: [1], depends: [2],
            xenDepends: [2], tableEntries: [:], verifiedFunctions: 0, verifiedInInstructions: 0)
    }

    /// A run whose stages after the patch only have an ending.
    private func run(_ targets: KeyValuePairs<String, Ending>) async throws -> BuildResult {
        let options = try BuildOptions(input: .init(source: "a", patches: ["fix.patch"]), work: .init(jobs: 1, cache: "/cache"))
        var run = BuildRun(
            options: options, places: OutputPlaces(top: "out"), host: BuildHost(environment: [:], machine: "x86_64", recorder: []), observer: observer)
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
        try await run.forEachTarget { target, context in
            switch try #require(endings[target.name]) {
            case .payload:
                return try await context.link { LinkOutcome(payload: payload(), diagnostics: []) }
            case .nothing:
                return try await context.link { LinkOutcome(payload: nil, diagnostics: []) }
            case .refusal:
                context.note([Diagnostic(.perCPUAdded, .error, message: "a variable")])
                return nil
            case .otherOriginal:
                context.note([Diagnostic(.originalDiffers, .error, message: "another"), Diagnostic(.perCPUAdded, .error, message: "a variable")])
                return nil
            case .failure: throw BuildError("common/kernel.c does not compile")
            case .wrongPayload:
                let linked = try #require(try await context.link { LinkOutcome(payload: payload(), diagnostics: []) })
                return try await context.prove(LoadedPayload(payload: linked, memory: LoadResult(verdict: .accepted))) { _, _ in
                    var proof = Proof()
                    proof.failures = [ProofFailure(.reference, "f", at: 3, "it leads to 0x10 instead of 'g'")]
                    return proof
                }
            case .refusalBefore:
                context.note([Diagnostic(.buildInputNotUnderstood, .error, message: "a linker script")])
                return try await context.link { LinkOutcome(payload: payload(), diagnostics: []) }
            case .refusalAfter:
                let linked = try await context.link { LinkOutcome(payload: payload(), diagnostics: []) }
                context.note([Diagnostic(.buildInputNotUnderstood, .error, message: "a linker script")])
                return linked
            case .fullDisk: throw WorkFileError("cannot write", "/full", .noSpace)
            }
        }
        return run.result
    }

    @Test("a payload that the proof finds wrong is not there, and the exit code is that of a fault of the program")
    func aWrongPayload() async throws {
        let result = try await run(["x86_64": .wrongPayload])
        let ending = try #require(result.endings.first)
        #expect(ending.payload == nil && ending.report.payload == nil)
        #expect(result.outcome == .notProven && result.outcome.exitStatus == .internalFault)
        #expect(ending.report.proof?.failures.map(\.message) == ["'f' at byte 3: it leads to 0x10 instead of 'g'"])
        let error = try #require(ending.report.diagnostics.first { $0.severity == .error })
        #expect(error.id == .proofFails && error.symbol == "f" && error.help?.contains("report it") == true)
    }

    @Test("there is no payload when any stage reported an error, whether before or after the link", arguments: [Ending.refusalBefore, .refusalAfter])
    func anErrorOfAnyStage(_ ending: Ending) async throws {
        let result = try await run(["x86_64": ending])
        let found = try #require(result.endings.first)
        #expect(found.payload == nil && found.report.payload == nil)
        #expect(result.outcome == .refused && result.outcome.exitStatus == .cannotBeLivePatched)
    }

    @Test("an error before the link leaves nothing to check") func anErrorBeforeTheLink() async throws {
        _ = try await run(["x86_64": .refusalBefore])
        #expect(observer.story.last == "linked nothing")
    }

    @Test func oneTargetHasNoFolderOfItsOwn() async throws {
        let result = try await run(["arm64": .payload])
        let ending = try #require(result.endings.first)
        #expect(result.endings.count == 1 && !result.isForSeveral && result.outcome == .written)
        #expect(ending.payload == .init(name: "fix.livepatch", bytes: [1, 2, 3]) && ending.report.payload?.path == "out/fix.livepatch")
        #expect(ending.report.timings.map(\.stage) == ["patch", "link"] && ending.failure == nil)
        #expect(observer.story == ["began arm64", "patch…", "patched", "link…", "linked", "decided"])
    }

    @Test func severalTargetsHaveTheirOwn() async throws {
        let result = try await run(["x86_64": .payload, "arm64": .nothing])
        #expect(result.isForSeveral && result.outcome == .nothingToPatch)
        #expect(result.reports.map(\.payload?.path) == ["out/x86_64/fix.livepatch", nil])
        #expect(result.endings.map(\.payload?.bytes) == [[1, 2, 3], nil])
        // What the patches gave rise to is in each report, and the stages of one target are in no other.
        #expect(result.sharedDiagnostics.map(\.id) == [.hunkOffset])
        #expect(result.reports.allSatisfy { $0.diagnostics == result.sharedDiagnostics && $0.timings.map(\.stage) == ["patch", "link"] })
        #expect(
            observer.story == [
                "began x86_64 arm64", "patch…", "patched", "target x86_64", "link…", "linked", "decided", "target arm64", "link…", "linked nothing",
            ])
    }

    @Test func whatOneTargetCannotDoStopsNoOther() async throws {
        let result = try await run(["x86_64": .refusal, "arm64": .failure, "arm32": .payload])
        #expect(result.reports.map(\.outcome) == [.refused, .buildFailed, .written])
        #expect(result.endings[1].failure == BuildError("common/kernel.c does not compile"))
        #expect(result.reports[1].failure == "common/kernel.c does not compile")
        #expect(result.outcome == .buildFailed)
    }

    @Test("that the source is another one outranks all other errors") func otherOriginal() async throws {
        #expect(try await run(["x86_64": .otherOriginal]).outcome == .originalDiffers)
    }

    @Test func aFaultEndsTheWholeRun() async throws {
        await #expect(throws: WorkFileError.self) { try await run(["x86_64": .payload, "arm64": .fullDisk, "arm32": .payload]) }
        #expect(observer.story.last == "target arm64")
    }
}

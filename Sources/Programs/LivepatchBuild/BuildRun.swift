import Diagnostics
import PayloadLinker
import Report
import SignOff
import XenBuild
import XenSource

/// A whole build, for one target or several: the parts that they share, and how each ended.
struct BuildRun: Sendable {
    private let options: BuildOptions
    private let places: OutputPlaces
    private let host: BuildHost
    /// The stages that all targets share.
    private let stages: StageRunner
    private var contexts: [RunContext] = []
    private var patches: [SignOffPage.PatchText] = []
    private(set) var result = BuildResult(endings: [], sharedDiagnostics: [])

    private var observer: any BuildObserver { stages.observer }
    private var isForSeveral: Bool { contexts.count > 1 }

    init(options: BuildOptions, places: OutputPlaces, host: BuildHost, observer: any BuildObserver) {
        self.options = options
        self.places = places
        self.host = host
        stages = StageRunner(observer)
    }

    /// Begins the run: makes a context for each target, and reports them all to the observer.
    mutating func begin(_ targets: [Target], of tree: XenTree) {
        contexts = targets.map { target in
            let name = targets.count > 1 ? target.name : nil
            return RunContext(
                options: options, target: target, tree: tree, folder: places.payloadFolder(for: name), logs: places.logs(for: name),
                work: places.work(for: name),
                host: host, observer: observer)
        }
        observer.observe(.began(contexts.map(\.report)))
    }

    /// Runs the stage `patch`.
    ///
    /// - Returns: the patches of the applied payloads, and these with the new ones on top.
    mutating func apply(_ body: () throws -> SourceStates) async throws -> SourceStates {
        let sources = (options.stack.isReplaced ? options.stack.patches : []) + options.input.patches
        let skipped = options.stack.isReplaced ? 0 : options.stack.patches.count
        let (states, patch) = try await stages.run(.patch) {
            let states = try body()
            let patch = BuildReport.Patch(states.patched, beyond: states.running, sources: sources.map(\.string), skipping: skipped)
            return ((states, patch), .patched(patch))
        }
        result.sharedDiagnostics = states.patched.diagnostics
        patches = zip(sources, states.patched.patches.dropFirst(skipped)).map { path, bytes in
            SignOffPage.PatchText(name: path.string, digest: Metadata.digest(of: bytes), text: String(decoding: bytes, as: UTF8.self))
        }
        for index in contexts.indices { contexts[index].applied(patch, result.sharedDiagnostics) }
        return states
    }

    /// Makes the payload of each target, one after another. If one target refuses the change, or doesn't compile, the others still run.
    ///
    /// - Throws: the errors of `body` that are not the ending of one target: a full disk, an interruption, a damaged input file.
    mutating func forEachTarget(_ body: (Target, inout RunContext) async throws -> Payload?) async throws {
        for var context in contexts {
            if isForSeveral { observer.observe(.beganTarget(context.report)) }
            var payload: Payload?, failure: BuildError?
            do {
                payload = context.writable(try await body(context.target, &context))
            } catch let error as any ExplainedError where error.diagnosticID != nil {
                context.refused(by: error)
            } catch let error as BuildError where error.exitCode == .buildFailed {
                failure = error
            }
            let outcome = failure == nil ? context.outcome(hasPayload: payload != nil) : .buildFailed
            let report = context.finished(outcome, failure: failure?.message, after: stages.timings)
            let page = options.work.makesPage ? SignOffPage(report, patches: patches, code: context.code, program: programVersion) : nil
            result.endings.append(
                BuildResult.Ending(
                    report: report, payload: payload.map { BuildResult.PayloadFile(name: $0.fileName, bytes: $0.bytes) }, failure: failure, page: page))
        }
    }
}

import Diagnostics
import ObjectDiff
import PayloadLinker
import Report
import SourcePatch
import XenBuild
import XenSource

extension BuildCommand: ConsoleCommand {
    var interruption: String { "interrupted: no payload was written" }

    /// Runs the pipeline, writes what came of it, and says so.
    func run(on console: Console) async throws -> ExitStatus {
        let options = try options(environment: console.environment, processors: ProcessFacts.processors)
        let terminal = Terminal(console, verbosity: options.verbosity)
        // Before anything else: nobody wants to wait for minutes to hear that the output folder can't be used.
        let output = try OutputFolder.claim(options.output, force: options.force)
        var run = BuildRun(
            options: options, output: output, stages: StageRunner(terminal), environment: console.environment,
            recorder: [try ProcessFacts.program().string, CommandLineTool.recorderCommand])
        do {
            let use = try await CacheUse.begin(options.cache)
            try await buildPayloads(options, in: &run)
            let status = try run.conclude()
            // A payload that is written is no less so where no room can be made.
            try? use.end(limit: options.cacheLimit)
            return status
        } catch {
            // Before, what is in the folder is an earlier run's.
            if run.isPrepared { output.abandon(keepLogs: !(error is CancellationError)) }
            throw error
        }
    }
}

/// A whole run, for one target or several: what they share, and how each ended.
struct BuildRun {
    let options: BuildOptions
    let output: OutputFolder
    /// Those that all targets share.
    let stages: StageRunner
    let environment: [String: String]
    let recorder: [String]
    /// Whether something in the output folder is this run's.
    private(set) var isPrepared = false
    private var contexts: [RunContext] = []
    private var sharedDiagnostics: [Diagnostic] = []
    private var endings: [Ending] = []

    /// How one target ended.
    private struct Ending {
        var report: BuildReport
        var payload: Payload?
        /// The error of a build that failed.
        var failure: BuildError?
    }

    private var terminal: Terminal { stages.terminal }
    private var style: TextStyle { terminal.style }
    private var isForSeveral: Bool { contexts.count > 1 }

    init(
        options: BuildOptions, output: OutputFolder, stages: StageRunner, environment: [String: String], recorder: [String]
    ) {
        self.options = options
        self.output = output
        self.stages = stages
        self.environment = environment
        self.recorder = recorder
    }

    // MARK: Stages

    /// Makes the output folder ready; see `OutputFolder.prepare`.
    mutating func prepare() throws(OutputFolderError) {
        // Also when it ends half way.
        isPrepared = true
        try output.prepare()
    }

    /// Says what the run is for.
    mutating func begin(_ targets: [Target], of tree: XenTree) {
        contexts = targets.map { target in
            let name = targets.count > 1 ? target.name : nil
            return RunContext(
                options: options, target: target, tree: tree, folder: output.payloadFolder(for: name), logs: output.logs(for: name),
                terminal: terminal, environment: environment, recorder: recorder)
        }
        if isForSeveral {
            terminal.say(ReportText.heading(contexts.map(\.report.tree), style: style))
        } else {
            contexts.first?.begin()
        }
    }

    /// - Returns: the patches that are applied already, and those with the new ones on top.
    mutating func apply(_ body: () throws -> SourceStates) async throws -> SourceStates {
        func summary(_ states: SourceStates) -> BuildReport.Patch {
            let sources = (options.cumulative ? options.appliedPatches : []) + options.patches
            return BuildReport.Patch(states.patched, beyond: states.running, sources: sources.map(\.string))
        }
        let states = try await stages.run(.patch) {
            let states = try body()
            return (states, ReportText.line(summary(states), style: style))
        }
        sharedDiagnostics = states.patched.diagnostics
        for index in contexts.indices { contexts[index].applied(summary(states), sharedDiagnostics) }
        return states
    }

    /// Makes the payload of each target, one after another. A change that one of them refuses, or that does not compile for it, stops no other.
    ///
    /// - Throws: what `body` throws and is no ending of one target: a full disk, an interruption, a file that is not what it should be.
    mutating func forEachTarget(_ body: (Target, inout RunContext) async throws -> Payload?) async throws {
        for var context in contexts {
            if isForSeveral {
                terminal.say()
                context.begin()
            }
            var payload: Payload?, failure: BuildError?
            do {
                payload = try await body(context.target, &context)
            } catch let error as any ExplainedError where error.diagnosticID != nil {
                context.refused(by: error)
            } catch let error as BuildError where error.exitCode == .buildFailed {
                failure = error
            }
            let outcome = failure == nil ? context.outcome(hasPayload: payload != nil) : .buildFailed
            endings.append(
                Ending(
                    report: context.finished(outcome, failure: failure?.message, after: stages.timings), payload: payload, failure: failure))
        }
    }

    // MARK: The end

    /// Writes report and payloads, and says what stands at the end of a run.
    ///
    /// - Returns: the exit code: for several targets that of the worst outcome.
    func conclude() throws -> ExitStatus {
        try Task.checkCancellation()
        let whole = RunReport(endings.map(\.report))
        // The report's place is in the folder, the payloads' names in the report: see `RunContext.link`.
        let payloads = endings.compactMap { ending in
            ending.payload.map {
                OutputFolder.PayloadFile($0.fileName, $0.bytes, for: isForSeveral ? ending.report.tree.architecture : nil)
            }
        }
        if let only = endings.first, !isForSeveral {
            try output.write(only.report, payloads: payloads)
        } else {
            try output.write(whole, payloads: payloads)
        }
        if isForSeveral { complain(sharedDiagnostics.filter(isShown), of: nil) }
        for ending in endings { say(ending) }
        if isForSeveral { terminal.say("\n" + ReportText.overview(whole, style: style)) }
        return whole.outcome.exitStatus
    }

    private func say(_ ending: Ending) {
        let report = ending.report, name = isForSeveral ? report.tree.architecture : nil
        let own = isForSeveral ? report.diagnostics.dropFirst(sharedDiagnostics.count) : report.diagnostics[...]
        if ending.failure == nil { complain(own.filter(isShown), layouts: report.layouts, of: name) }
        let prefix = name.map { "\($0): " } ?? ""
        switch report.outcome {
        case .written:
            terminal.say("\n" + (name.map { style.paint($0, .bold) + "\n\n" } ?? "") + ReportText.summary(report, style: style))
        case .nothingToPatch:
            let files = report.patch?.files.map(\.path).joined(separator: ", ") ?? ""
            terminal.complain(
                "\(prefix)nothing to patch: the patch changes \(files.isEmpty ? "no file of the hypervisor" : files), and no function or "
                    + "data that runs after boot differs")
        case .compiledOnly:
            terminal.say("\n\(prefix)The objects are compiled. Stopped there, as asked for with -k diff.")
        case .buildFailed:
            if let failure = ending.failure { complain(failure, of: name) }
        case .refused, .originalDiffers:
            terminal.complain("\n" + DiagnosticText.refusalSummary(report.diagnostics, target: name))
        }
    }

    private func isShown(_ diagnostic: Diagnostic) -> Bool { diagnostic.severity == .error || terminal.verbosity > .quiet }

    private func complain(_ diagnostics: [Diagnostic], layouts: [LayoutChange] = [], of target: String?) {
        guard !diagnostics.isEmpty else { return }
        let text = DiagnosticText.render(diagnostics, layouts: layouts, style: terminal.console.errorStyle)
        terminal.complain((target.map { "\nFor \($0):" } ?? "") + "\n" + text)
    }

    private func complain(_ failure: BuildError, of target: String?) {
        let text = DiagnosticText.render(failure, style: terminal.console.errorStyle)
        terminal.complain((target.map { "\nFor \($0):\n" } ?? "") + text)
    }
}

import Diagnostics
import PayloadLinker
import Report
import XenBuild

extension BuildCommand: ConsoleCommand {
    /// Runs the pipeline, writes what came of it, and says so.
    func run(on console: Console) async throws -> ExitStatus {
        let options = try options(environment: console.environment, processors: ProcessFacts.processors)
        let terminal = Terminal(console, verbosity: options.verbosity)
        // Before anything else: nobody wants to wait for minutes to hear that the output folder can't be used.
        let output = try OutputFolder.claim(options.output, force: options.force)
        var context = RunContext(
            options: options, output: output, stages: StageRunner(terminal), environment: console.environment,
            recorder: [try ProcessFacts.program().string, CommandLineTool.recorderCommand])
        do {
            let payload = try await buildPayload(options, in: &context)
            return try conclude(context, payload: payload)
        } catch let error as any ExplainedError where error.diagnosticID != nil {
            context.refused(by: error)
            return try conclude(context, payload: nil)
        } catch let error as BuildError where error.exitCode == .buildFailed {
            if let report = context.finished(.buildFailed, failure: error.message) { try output.write(report) }
            throw error
        } catch {
            output.abandon(keepLogs: !(error is CancellationError))
            throw error
        }
    }

    /// Writes report and payload, and says what stands at the end of a run.
    private func conclude(_ context: RunContext, payload: Payload?) throws -> ExitStatus {
        let (outcome, status) = verdict(context, hasPayload: payload != nil)
        guard let report = context.finished(outcome) else { return .internalFault }
        try Task.checkCancellation()
        // The report's place is in the folder, the payload's name in the report: see `RunContext.link`.
        try context.output.write(report, payload: payload.map { (name: $0.fileName, bytes: $0.bytes) })

        let terminal = context.terminal
        let errorStyle = terminal.console.errorStyle
        if !report.diagnostics.isEmpty {
            let shown = report.diagnostics.filter { $0.severity == .error || terminal.verbosity > .quiet }
            if !shown.isEmpty { terminal.complain("\n" + DiagnosticText.render(shown, layouts: report.layouts, style: errorStyle)) }
        }
        switch outcome {
        case .written:
            terminal.say("\n" + ReportText.summary(report, style: terminal.style))
        case .nothingToPatch:
            let files = report.patch?.files.map(\.path).joined(separator: ", ") ?? ""
            terminal.complain(
                "nothing to patch: the patch changes \(files.isEmpty ? "no file of the hypervisor" : files), and no function or "
                    + "data that runs after boot differs")
        case .compiledOnly:
            terminal.say("\nThe objects are compiled. Stopped there, as asked for with -k diff.")
        case .refused, .originalDiffers, .buildFailed:
            terminal.complain("\n" + DiagnosticText.refusalSummary(report.diagnostics))
        }
        return status
    }

    private func verdict(_ context: RunContext, hasPayload: Bool) -> (BuildReport.Outcome, ExitStatus) {
        let errors = context.report?.diagnostics.filter { $0.severity == .error } ?? []
        if hasPayload { return (.written, .written) }
        // That the source is another one explains all else that is wrong.
        if errors.contains(where: { $0.id == .originalDiffers }) { return (.originalDiffers, .originalDiffers) }
        if !errors.isEmpty { return (.refused, .cannotBeLivePatched) }
        return context.options.skip == .diff ? (.compiledOnly, .written) : (.nothingToPatch, .nothingToPatch)
    }
}

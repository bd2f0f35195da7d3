import Diagnostics
import LivepatchBuild
import Report
import SystemPackage
import WorkFiles

/// One build of a batch: a fix for a hypervisor. It runs as `build` would, with a console of its own.
struct BatchBuild: Sendable {
    var cell: BatchManifest.Cell
    var work: BuildOptions.Work
    /// Whether an earlier batch's output may be replaced.
    var force: Bool
    var environment: [String: String]

    /// How the build ended.
    struct Ending: Sendable {
        var run: BatchReport.Run
        /// The line that says why there is no payload, or what else went wrong.
        var complaint: String?
    }

    /// Builds, and writes the console's text to the build's folder in the batch.
    ///
    /// - Throws: only `CancellationError`: a failed build doesn't stop the others.
    func run(in folder: BatchFolder) async throws -> Ending {
        let out = folder.path.appending(cell.folder), text = out.appending(BatchFolder.textName), start = ContinuousClock.now
        var run = BatchReport.Run(
            fix: cell.fix.name, hypervisor: cell.hypervisor.name, exitCode: .internalFault, folder: out.string, payload: nil, milliseconds: 0)
        do {
            // Nothing is removed or written through a link that leads out of the batch's folder.
            for part in [out.removingLastComponent(), out] { try OutputFolder.checkPart(part) }
            // An earlier run without a report left only this text. Without it the folder is empty again.
            if WorkFiles.isFolder(out) { try WorkFiles.removeFile(text) }
            // This build may fail before it removes an earlier payload. Remove it now, so that nobody collects it as a result of this batch.
            if force { OutputFolder.removeEarlierOutput(in: out) }
            let build = await build(to: out)
            try Task.checkCancellation()
            run.payload = build.payload
            run.milliseconds = milliseconds(since: start)
            try WorkFiles.makeFolder(out)
            try WorkFiles.writeAtomically(Array(build.said.utf8), to: text)
            run.exitCode = build.status
            return Ending(run: run, complaint: build.complaint)
        } catch let error as WorkFileError {
            return Ending(run: run, complaint: "error: \(error.message)")
        } catch let error as OutputFolderError {
            run.exitCode = error.exitCode
            return Ending(run: run, complaint: "error: \(error.message)")
        }
    }

    /// The result of one build.
    private struct Build {
        var status: ExitStatus
        var said: String
        var complaint: String?
        var payload: String?
    }

    private func build(to out: FilePath) async -> Build {
        let said = MemorySink(), style = TextStyle(unicode: true)
        let console = Console(output: said, error: said, outputStyle: style, errorStyle: style, environment: environment)
        do {
            let session = BuildSession(options: try cell.options(work: work), output: out, force: force)
            let conclusion = try await session.run(on: Terminal(console))
            let reports = conclusion.result.reports
            return Build(
                status: conclusion.exitStatus, said: said.text, complaint: conclusion.complaint(style),
                payload: reports.count == 1 ? reports[0].payload?.path : nil)
        } catch {
            let (text, status) = CommandLineTool.explanation(of: error, interruption: BuildSession.interruption, style: style)
            return Build(status: status, said: said.text + text + "\n", complaint: text.firstLine)
        }
    }
}

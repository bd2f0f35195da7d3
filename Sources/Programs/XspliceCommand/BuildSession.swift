import Diagnostics
import LivepatchBuild
import SystemPackage
import WorkFiles
import XenBuild

/// One build as the command line knows it, alone or in a batch: from the claim to the output folder to what is written there and said.
struct BuildSession: Sendable {
    static let interruption = "interrupted: no payload was written"

    var options: BuildOptions
    var output: FilePath
    /// Whether an earlier run's output may be replaced.
    var force: Bool

    /// Builds, writes what came of it, and says so.
    func run(on terminal: Terminal) async throws -> BuildConclusion {
        // Before anything else: nobody wants to wait for minutes to hear that the output folder can't be used.
        let folder = try OutputFolder.claim(output, force: force)
        let host = BuildHost(
            environment: terminal.console.environment, machine: ProcessFacts.machine,
            recorder: [try ProcessFacts.program().string, CommandLineTool.recorderCommand])
        let use = try await CacheUse.begin(options.work.cache)
        let plan = try await planBuild(options, to: folder.places, on: host, observer: TerminalObserver(terminal))
        // Up to here, what is in the folder is an earlier run's.
        let conclusion: BuildConclusion
        do {
            try folder.prepare()
            conclusion = BuildConclusion(try await buildPayloads(plan))
            try Task.checkCancellation()
            try conclusion.write(to: folder)
        } catch {
            folder.abandon(keepLogs: !(error is CancellationError))
            sayKept(folder, on: terminal)
            throw error
        }
        conclusion.say(on: terminal)
        sayKept(folder, on: terminal)
        // A payload that is written is no less so where no room can be made.
        try? use.end(limit: options.work.cacheLimit)
        return conclusion
    }

    /// Where what the run worked with is, if it was to be kept and there is any.
    private func sayKept(_ folder: OutputFolder, on terminal: Terminal) {
        guard options.work.keepWork, WorkFiles.isFolder(folder.places.work) else { return }
        terminal.say("\nKept: \(terminal.style.shown(folder.places.work.string)): original/ and patched/ as they were compiled, and the objects")
    }
}

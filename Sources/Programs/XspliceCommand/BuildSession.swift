import Diagnostics
import LivepatchBuild
import SystemPackage
import WorkFiles
import XenBuild

/// One build as the command line runs it, alone or in a batch: claims the output folder, builds, writes the results there, and prints them.
struct BuildSession: Sendable {
    static let interruption = "interrupted: no payload was written"

    var options: BuildOptions
    var output: FilePath
    /// Whether an earlier run's output may be replaced.
    var force: Bool

    /// Builds, writes the results, and prints them.
    func run(on terminal: Terminal) async throws -> BuildConclusion {
        // First of all: a user must not wait for minutes and then learn that the output folder can't be used.
        let folder = try OutputFolder.claim(output, force: force, keepsWork: options.work.keepWork)
        if !folder.isLocked { terminal.remark(OutputFolder.unlocked(output, style: terminal.console.errorStyle)) }
        do {
            return try await run(in: folder, on: terminal)
        } catch {
            folder.release()
            throw error
        }
    }

    private func run(in folder: OutputFolder, on terminal: Terminal) async throws -> BuildConclusion {
        let host = BuildHost(
            environment: terminal.console.environment, machine: ProcessFacts.machine,
            recorder: [try ProcessFacts.program().string, CommandLineTool.recorderCommand])
        let use = try await CacheUse.begin(options.work.cache)
        let plan: BuildPlan
        do {
            plan = try await planBuild(options, to: folder.places, on: host, observer: TerminalObserver(terminal))
        } catch let error where !(error is CancellationError) {
            try giveUp(folder, after: error, on: terminal)
            throw error
        }
        // Until now the folder still has the files of an earlier run. An interruption before this line leaves them there.
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
        if conclusion.hasPage { terminal.say("\nThe page to sign by:  \(terminal.style.shown(folder.page.string))") }
        sayKept(folder, on: terminal)
        // The payload is written, so the run succeeds even if the cache can't be shortened.
        try? use.end(limit: options.work.cacheLimit)
        return conclusion
    }

    /// What to do with an earlier run's output after a run that failed before it wrote anything.
    ///
    /// A patch that does not apply is a result: there is no payload for it, so no other may be in its place. A mistake in the options is none,
    /// and must not cost the earlier output.
    private func giveUp(_ folder: OutputFolder, after error: any Error, on terminal: Terminal) throws {
        if (error as? any ExplainedError)?.exitCode != .usage {
            try folder.removeEarlierOutput()
        } else if folder.hasEarlierOutput {
            terminal.complain("\(terminal.style.shown(output.string)) still has the output of an earlier run")
        }
    }

    /// Prints where the work files are, if the user wanted to keep them and there are any.
    private func sayKept(_ folder: OutputFolder, on terminal: Terminal) {
        let names = folder.keptNames
        guard !names.isEmpty else { return }
        terminal.say("\nKept: \(names.map { terminal.style.shown(folder.places.work.appending($0).string) }.joined(separator: ", "))")
    }
}

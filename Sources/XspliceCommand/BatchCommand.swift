import ArgumentParser
import Diagnostics
import FoundationEssentials
import Report
import Synchronization
import SystemPackage
import WorkFiles
import XenBuild

/// `batch`: many fixes for many hypervisors.
struct BatchCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch", abstract: "Build many fixes for many hypervisors.",
        discussion: """
            The manifest is JSON; relative paths begin in its own folder, and only name, source, and patches must be there:

              {
                "hypervisors": [
                  { "name": "prod", "source": "xen-4.17", "xenSyms": "prod/xen-syms", "config": "prod/config" },
                  { "name": "arm", "source": "xen-4.20", "xenSyms": "arm/xen-syms", "arch": "arm64",
                    "crossCompile": "aarch64-linux-gnu-" },
                  { "name": "patched", "source": "xen-4.17", "xenSyms": "prod/xen-syms",
                    "on": ["1.livepatch"], "appliedPatches": ["1.patch"], "cumulative": false }
                ],
                "fixes": [
                  { "patches": ["xsa-444.patch"] },
                  { "name": "xsa-445", "patches": ["1.patch", "2.patch"], "hypervisors": ["prod"], "options": ["--expect"] }
                ]
              }

            Each fix is built for all hypervisors, or for those that it names. OUT/HYPERVISOR/FIX/ has what 'build' would have \
            written there, and what it would have said in output.txt; OUT/batch.json says how each ended. A build that fails stops \
            no other. The exit code is 0 when all payloads were written, else that of the worst build: 1, else 64, 7, 5, 6, 4, 3.
            """)

    @Argument(help: ArgumentHelp("What to build for which hypervisor.", valueName: "manifest"))
    var manifest: String

    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("The folder for all output.", valueName: "out"))
    var output: String

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("cpus")],
        help: ArgumentHelp("How many builds, and in each how many compilers, run at a time. Default: the number of processors.", valueName: "n"))
    var jobs: Int?

    @OptionGroup var cache: CacheFolderOption

    @Option(help: ArgumentHelp("How much the cache may hold, as for 'build'.", valueName: "size"))
    var cacheSize: String?

    @Option(help: ArgumentHelp("A program to put before the compiler, as for 'build'.", valueName: "command"))
    var compilerLauncher: String?

    @Flag(help: "Replace what earlier runs wrote to OUT.")
    var force = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    func validate() throws {
        try checkJobs(jobs)
        if output.isEmpty { throw ValidationError("-o is given an empty name") }
        if let cacheSize, CacheSize(argument: cacheSize) == nil { throw ValidationError("--cache-size: '\(cacheSize)' is no size") }
    }

    func run(on console: Console) async throws -> ExitStatus {
        let manifest = try BatchManifest.read(FilePath(self.manifest))
        let folder = try BatchFolder.claim(FilePath(output), force: force)
        let terminal = Terminal(console, verbosity: quiet ? .quiet : .normal)
        let jobs = jobs ?? max(1, ProcessFacts.processors), cells = manifest.cells
        let start = ContinuousClock.now

        let stages = StageRunner(terminal)
        let report = try await stages.run(.batch) {
            let progress = BatchProgress(total: cells.count)
            let runs = try await inParallel(
                cells, limit: jobs, done: { terminal.update(progress.text(done: $0)) },
                { cell in
                    let run = try await self.build(cell, in: folder, jobs: jobs, environment: console.environment)
                    progress.note(run)
                    return run
                })
            let report = BatchReport(runs, milliseconds: milliseconds(since: start))
            return (report, BatchText.line(report))
        }
        try WorkFiles.writeAtomically(Array(JSONText.encode(report).utf8), to: folder.report)
        terminal.say("\n" + BatchText.table(report, style: console.outputStyle) + "\n")
        for run in report.runs where run.exitCode != .written {
            let said = (try? WorkFiles.read(FilePath(run.folder).appending(BatchFolder.textName))).map { String(decoding: $0, as: UTF8.self) } ?? ""
            terminal.complain("\(console.errorStyle.shown("\(run.fix) for \(run.hypervisor)")): \(Self.firstComplaint(in: said) ?? run.exitCode.meaning)")
        }
        return report.exitCode
    }

    /// Builds one fix for one hypervisor, as the command line would.
    private func build(_ cell: BatchManifest.Cell, in folder: BatchFolder, jobs: Int, environment: [String: String]) async throws -> BatchReport.Run {
        let out = folder.path.appending(cell.folder), start = ContinuousClock.now
        // A run that wrote no report left nothing else: its folder is empty again.
        try WorkFiles.remove(out.appending(BatchFolder.textName))
        let shared =
            ["-o", out.string, "-j", "\(jobs)"] + (force ? ["--force"] : []) + (cache.cacheDir.map { ["--cache-dir", $0] } ?? [])
            + (cacheSize.map { ["--cache-size", $0] } ?? []) + (compilerLauncher.map { ["--compiler-launcher", $0] } ?? [])
        let said = MemorySink()
        let status = await CommandLineTool.run(
            cell.arguments + shared,
            on: Console(output: said, error: said, outputStyle: TextStyle(unicode: true), errorStyle: TextStyle(unicode: true), environment: environment))
        try Task.checkCancellation()
        try WorkFiles.makeFolder(out)
        try WorkFiles.writeAtomically(Array(said.text.utf8), to: out.appending(BatchFolder.textName))
        let report = (try? WorkFiles.read(out.appending(OutputFolder.reportName))).flatMap { try? JSONText.decode(BuildReport.self, from: $0) }
        return BatchReport.Run(
            fix: cell.fix, hypervisor: cell.hypervisor, exitCode: status, folder: out.string, payload: status == .written ? report?.payload?.path : nil,
            milliseconds: milliseconds(since: start))
    }

    /// The first line of an error or a refusal.
    static func firstComplaint(in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("error") || $0.hasPrefix("nothing to patch") || $0.hasPrefix("interrupted") }.map(String.init)
    }
}

/// Counts what came out so far.
private final class BatchProgress: Sendable {
    private let total: Int
    private let failed = Mutex(0)

    init(total: Int) { self.total = total }

    func note(_ run: BatchReport.Run) { if run.exitCode != .written { failed.withLock { $0 += 1 } } }

    func text(done: Int) -> String {
        let failed = failed.withLock { $0 }
        return "\(grouped(done)) of \(counted(total, "build"))" + (failed == 0 ? "" : ", \(grouped(failed)) without a payload")
    }
}

/// The folder of a batch: `batch.json`, and a folder for each hypervisor.
struct BatchFolder: Sendable {
    static let textName = "output.txt"
    private static let reportName = "batch.json"

    let path: FilePath
    var report: FilePath { path.appending(Self.reportName) }

    /// Makes the folder. One that is not empty must be that of an earlier batch.
    static func claim(_ path: FilePath, force: Bool) throws -> BatchFolder {
        let folder = BatchFolder(path: path)
        if let kind = try WorkFiles.kind(of: path) {
            guard kind == .folder || WorkFiles.isFolder(path) else { throw UsageError("output folder \(path): is not a folder") }
            let names = try WorkFiles.names(in: path)
            guard names.isEmpty || names.contains(reportName) else {
                throw UsageError(
                    "output folder \(path): is not empty, and holds no \(reportName) of this program", help: "name a folder that is empty or does not exist yet")
            }
            guard names.isEmpty || force else {
                throw UsageError("output folder \(path): has the output of an earlier batch", help: "--force replaces it; or name another folder")
            }
        }
        try WorkFiles.makeFolder(path)
        // From the beginning, so that a batch that was interrupted can be begun again.
        try WorkFiles.writeAtomically(Array(JSONText.encode(BatchReport([], milliseconds: 0)).utf8), to: folder.report)
        return folder
    }
}

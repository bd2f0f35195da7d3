import ArgumentParser
import Diagnostics
import LivepatchBuild
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
            written there, and what it would have said in output.txt; OUT/batch.json says how each ended (until then, its exitCode is \
            \(ExitStatus.interrupted.rawValue)). A build that fails stops no other. The exit code is 0 when all payloads were written, else \
            that of the worst build: 1, else 64, 7, 5, 6, 4, 3.
            """)

    @Argument(help: ArgumentHelp("What to build for which hypervisor.", valueName: "manifest"))
    var manifest: String

    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("The folder for all output.", valueName: "out"))
    var output: String

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("cpus")],
        help: ArgumentHelp(
            "How many builds run at a time, and how many compilers in each of them. Default: the number of processors.", valueName: "n"))
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

    var interruption: String { "interrupted: builds that had ended keep what they wrote, and batch.json does not list them" }

    func run(on console: Console) async throws -> ExitStatus {
        let manifest = try BatchManifest.read(FilePath(self.manifest))
        let folder = try BatchFolder.claim(FilePath(output), manifest: FilePath(self.manifest), force: force)
        let terminal = Terminal(console, verbosity: quiet ? .quiet : .normal)
        let jobs = jobs ?? max(1, ProcessFacts.processors), cells = manifest.cells
        let start = ContinuousClock.now

        let (report, complaints) = try await terminal.show("batch") {
            let progress = BatchProgress(total: cells.count)
            let endings = try await inParallel(
                cells, limit: jobs, done: { terminal.update(progress.text(done: $0)) },
                { cell in
                    let ending = try await self.build(cell, in: folder, jobs: jobs, environment: console.environment)
                    progress.note(ending.run)
                    return ending
                })
            let report = BatchReport(endings.map(\.run), milliseconds: milliseconds(since: start))
            return ((report, endings.map(\.complaint)), BatchText.line(report))
        }
        try WorkFiles.writeAtomically(Array(JSONText.encode(report).utf8), to: folder.report)
        terminal.say("\n" + BatchText.table(report, style: console.outputStyle) + "\n")
        for (run, complaint) in zip(report.runs, complaints) where run.exitCode != .written {
            terminal.complain("\(console.errorStyle.shown("\(run.fix) for \(run.hypervisor)")): \(complaint ?? run.exitCode.meaning)")
        }
        return report.exitCode
    }

    /// How one build ended.
    struct Ending: Sendable {
        var run: BatchReport.Run
        /// The line that says why there is no payload, or what else went wrong.
        var complaint: String?
    }

    /// Builds one fix for one hypervisor, as the command line would.
    ///
    /// - Throws: `CancellationError` only: a fault of one build stops no other.
    func build(_ cell: BatchManifest.Cell, in folder: BatchFolder, jobs: Int, environment: [String: String]) async throws -> Ending {
        let out = folder.path.appending(cell.folder), text = out.appending(BatchFolder.textName), start = ContinuousClock.now
        var run = BatchReport.Run(
            fix: cell.fix, hypervisor: cell.hypervisor, exitCode: .internalFault, folder: out.string, payload: nil, milliseconds: 0)
        do {
            // A run that wrote no report left nothing else: its folder is empty again.
            try WorkFiles.remove(text)
            // Nor may it leave an earlier payload to whoever collects them.
            if force, WorkFiles.isFolder(out), let earlier = try? OutputFolder.claim(out, force: true) {
                try? earlier.prepare()
                earlier.abandon()
            }
            let (status, said) = await build(cell, to: out, jobs: jobs, environment: environment)
            try Task.checkCancellation()
            let report = (try? WorkFiles.read(out.appending(OutputFolder.reportName))).flatMap { try? JSONText.decode(BuildReport.self, from: $0) }
            if status == .written { run.payload = report?.payload?.path }
            run.milliseconds = milliseconds(since: start)
            try WorkFiles.makeFolder(out)
            try WorkFiles.writeAtomically(Array(said.utf8), to: text)
            run.exitCode = status
            return Ending(run: run, complaint: Self.firstComplaint(in: said))
        } catch let error as WorkFileError {
            return Ending(run: run, complaint: "error: \(error.message)")
        }
    }

    /// - Returns: the exit code, and all that was said.
    private func build(_ cell: BatchManifest.Cell, to out: FilePath, jobs: Int, environment: [String: String]) async -> (ExitStatus, String) {
        let shared =
            ["-o", out.string, "-j", "\(jobs)"] + (force ? ["--force"] : []) + (cache.cacheDir.map { ["--cache-dir", $0] } ?? [])
            + (cacheSize.map { ["--cache-size", $0] } ?? []) + (compilerLauncher.map { ["--compiler-launcher", $0] } ?? [])
        let said = MemorySink()
        let status = await CommandLineTool.run(
            cell.arguments + shared,
            on: Console(output: said, error: said, outputStyle: TextStyle(unicode: true), errorStyle: TextStyle(unicode: true), environment: environment))
        return (status, said.text)
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
    ///
    /// - Parameter manifest: of the batch; never written to.
    static func claim(_ path: FilePath, manifest: FilePath, force: Bool) throws -> BatchFolder {
        let folder = BatchFolder(path: path)
        if let kind = try WorkFiles.kind(of: path) {
            guard kind == .folder || WorkFiles.isFolder(path) else { throw UsageError("output folder \(path): is not a folder") }
            let names = try WorkFiles.names(in: path)
            if let report = WorkFiles.resolved(folder.report), report == WorkFiles.resolved(manifest) {
                throw UsageError(
                    "output folder \(path): its \(reportName) is the manifest", help: "name a folder that is empty or does not exist yet")
            }
            guard names.isEmpty || isOurs(folder.report) else {
                throw UsageError(
                    "output folder \(path): is not empty, and holds no \(reportName) of this program", help: "name a folder that is empty or does not exist yet")
            }
            guard names.isEmpty || force else {
                throw UsageError("output folder \(path): has the output of an earlier batch", help: "--force replaces it; or name another folder")
            }
        }
        try WorkFiles.makeFolder(path)
        // From the beginning, so that a batch that was interrupted can be begun again.
        try WorkFiles.writeAtomically(Array(JSONText.encode(BatchReport.begun).utf8), to: folder.report)
        return folder
    }

    /// What a report of this program's batches is known by, whatever schema the rest follows.
    private struct Marker: Decodable {
        struct Run: Decodable {}
        var generator: String
        var runs: [Run]
    }

    private static func isOurs(_ report: FilePath) -> Bool {
        guard let bytes = try? WorkFiles.readRegular(report), let marker = try? JSONText.decode(Marker.self, from: bytes) else { return false }
        return marker.generator == BuildReport.generatorName
    }
}

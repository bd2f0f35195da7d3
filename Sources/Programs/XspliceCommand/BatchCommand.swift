import ArgumentParser
import Diagnostics
import LivepatchBuild
import Report
import SignOff
import Synchronization
import SystemPackage
import WorkFiles
import XenBuild

/// `batch`: builds many fixes for many hypervisors.
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

    @Flag(help: "Compile every object that reads what a patch changes, as for 'build'.")
    var compileAll = false

    @Flag(help: "Replace what earlier runs wrote to OUT.")
    var force = false

    @Flag(help: "Leave out the pages to sign by, and OUT/index.html, which leads to them.")
    var noHTML = false

    @Flag(name: .shortAndLong, help: "Print errors only.")
    var quiet = false

    func validate() throws {
        try checkJobs(jobs)
        if output.isEmpty { throw ValidationError("-o is given an empty name") }
        if let cacheSize, CacheSize(argument: cacheSize) == nil { throw ValidationError("--cache-size takes \(CacheSize.form), not '\(cacheSize)'") }
    }

    var interruption: String { "interrupted: builds that had ended keep what they wrote, and batch.json does not list them" }

    var isResultText: Bool { false }

    func run(on console: Console) async throws -> ProcessExit {
        let manifest = try BatchManifest.read(FilePath(self.manifest))
        let work = try work(environment: console.environment)
        let folder = try BatchFolder.claim(FilePath(output), manifest: FilePath(self.manifest), cells: Set(manifest.cells.map(\.folder)), force: force)
        let terminal = Terminal(console, verbosity: quiet ? .quiet : .normal)
        if !folder.isLocked { terminal.remark(OutputFolder.unlocked(folder.path, style: console.errorStyle)) }
        let cells = manifest.cells, force = force, environment = console.environment
        let start = ContinuousClock.now

        let (report, complaints) = try await terminal.show("batch") {
            let progress = BatchProgress(total: cells.count)
            let endings = try await inParallel(
                cells, limit: work.jobs, done: { terminal.update(progress.text(done: $0)) },
                { cell in
                    let ending = try await BatchBuild(cell: cell, work: work, force: force, environment: environment).run(in: folder)
                    progress.note(ending.run)
                    return ending
                })
            let report = BatchReport(endings.map(\.run), milliseconds: milliseconds(since: start))
            return ((report, endings.map(\.complaint)), BatchText.line(report))
        }
        try WorkFiles.writeAtomically(Array(JSONText.encode(report).utf8), to: folder.report)
        if !noHTML {
            let pages = OverviewPage(report, pages: folder.hasPage, program: programVersion)
            try WorkFiles.writeAtomically(Array(pages.document.utf8), to: folder.index)
        }
        terminal.say("\n" + BatchText.table(report, style: console.outputStyle) + "\n")
        for (run, complaint) in zip(report.runs, complaints) where run.exitCode != .written {
            terminal.complain("\(console.errorStyle.shown("\(run.fix) for \(run.hypervisor)")): \(complaint ?? run.exitCode.meaning)")
        }
        return ProcessExit(report.exitCode)
    }

    /// The options for the work that all builds of the batch share.
    private func work(environment: [String: String]) throws(UsageError) -> BuildOptions.Work {
        let size = cacheSize.flatMap(CacheSize.init(argument:)) ?? .standard
        var work = try BuildOptions.Work(
            jobs: jobs, cache: cache, size: size, launcher: compilerLauncher, environment: environment, processors: ProcessFacts.processors)
        work.sparing = compileAll ? .none : .sameText
        work.makesPage = !noHTML
        return work
    }
}

/// Counts the builds that have ended so far.
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

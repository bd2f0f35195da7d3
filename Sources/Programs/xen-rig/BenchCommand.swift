import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles
import XenRig

/// Measures the times that users wait.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures xsplice-build beside full builds of the same Xen, and writes the page with the figures.")

    @OptionGroup var rig: RigOptions

    @OptionGroup var project: ProjectOptions

    @Option(help: "How often everything is run.")
    var runs = 3

    @Option(help: ArgumentHelp("The page to write.", valueName: "file"))
    var output = "Docs/Performance.md"

    func run() async throws {
        guard runs > 0 else { throw ValidationError("--runs takes a number from 1 on") }
        let xen = try DebianXen.of(suite: rig.suite)
        let build = try await xen.build(machine: rig.machine, cache: rig.rigCache)
        let benchmark = Benchmark(
            program: project.program, release: try await XenRelease.ofDebian(rig.archive), build: build,
            fixtures: project.fixturesFolder, folder: rig.rigCache.root.appending("bench"), jobs: ThisMachine.processors,
            tell: RigCommand.tell)
        let (unit, rows) = try await benchmark.run(times: runs)
        let page = BenchmarkPage(unit: unit, rows: rows, version: build.version, jobs: benchmark.jobs, machine: ThisMachine.processor, date: ThisMachine.date)
        try WorkFiles.writeAtomically(Array(page.text.utf8), to: FilePath(output))
        print(page.table)
        print("\n\(output) has the page.")
        let missed = rows.filter { !$0.isReached }
        guard missed.isEmpty else { throw StepError("above the limit: \(missed.map(\.name).joined(separator: "; "))") }
    }
}

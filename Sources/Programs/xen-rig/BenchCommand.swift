import ArgumentParser
import Diagnostics
import FoundationEssentials
import SystemPackage
import TestRig
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Measures what users wait for.
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
            fixtures: project.fixturesFolder, folder: rig.rigCache.root.appending("bench"), jobs: ProcessInfo.processInfo.activeProcessorCount,
            tell: XenRig.tell)
        let (unit, rows) = try await benchmark.run(times: runs)
        let page = BenchmarkPage(unit: unit, rows: rows, version: build.version, jobs: benchmark.jobs, machine: Self.machine(), date: Self.date())
        try WorkFiles.writeAtomically(Array(page.text.utf8), to: FilePath(output))
        print(page.table)
        print("\n\(output) has the page.")
    }

    /// `Intel(R) Xeon(R) Processor`, where the system says so.
    private static func machine() -> String {
        let text = (try? WorkFiles.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line.flatMap { $0.split(separator: ":").last }.map { $0.drop { $0 == " " } }.map(String.init) ?? "an unknown processor"
    }

    /// `2026-11-23`.
    private static func date() -> String {
        var now = time_t(), parts = tm()
        Glibc.time(&now)
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}

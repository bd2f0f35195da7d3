import Diagnostics
import FoundationEssentials
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// Measures the times that the program's users wait, in units of one full build of the same hypervisor on the same machine.
package struct Benchmark: Sendable {
    /// One line of the table.
    package struct Row: Sendable {
        package var name: String
        /// The target, in full builds; nil for a row that is measured only to be compared with the row above.
        package var limit: Double?
        /// The times in seconds, one for each run.
        package var seconds: [Double] = []
        /// The times in full builds, one for each run.
        package var ratios: [Double] = []
        /// The highest use of memory, in kilobytes; nil when it is not measured.
        package var memory: Int?
        /// The target for memory, in kilobytes.
        package var memoryLimit: Int?

        package var seconds50: Double { median(seconds) }
        package var ratio50: Double { median(ratios) }
        package var isReached: Bool { ratio50 <= limit ?? .infinity && memory.map { $0 <= memoryLimit ?? $0 } ?? true }
    }

    /// The program to measure.
    package var program: FilePath
    package var release: XenRelease
    package var build: HypervisorBuild
    /// The project's folder `Fixtures`.
    package var fixtures: FilePath
    /// The folder for all files that the benchmark writes; it is removed and made again.
    package var folder: FilePath
    package var jobs: Int
    package var tell: @Sendable (String) -> Void

    package init(
        program: FilePath, release: XenRelease, build: HypervisorBuild, fixtures: FilePath, folder: FilePath, jobs: Int,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.program = program
        self.release = release
        self.build = build
        self.fixtures = fixtures
        self.folder = folder
        self.jobs = jobs
        self.tell = tell
    }

    /// Fixes that change one source file and end in a payload.
    private static let fixes = [
        "D1-xen-data", "D2-xen-static-local", "D2-xen-same-name", "F1-xen-global", "F1-xen-static", "F10-xen-nine", "F11-xen-static", "F16-xen-bug-frames",
        "F17-xen-switch", "F18-xen-cold", "F2-xen-several", "F7-xen-cold", "F7-xen-isra", "F9-xen-same-name", "S1-xen-string", "S2-xen-func-name",
        "S3-xen-digits", "X2-xen-rdmsr-safe", "X3-xen-alternative", "X4-xen-vcall",
    ]

    /// Runs every measurement `times` times.
    ///
    /// - Returns: the times of the full builds in seconds, and the rows.
    /// - Throws: `StepError` when a step fails; `WorkFileError`.
    package func run(times: Int) async throws -> (unit: [Double], rows: [Row]) {
        var unit: [Double] = []
        var rows = [
            Row(name: "a fix to one `.c`, nothing cached", limit: 0.20), Row(name: "the next fix for the same hypervisor", limit: 0.03),
            Row(name: "a header that nearly every file includes, nothing cached", limit: 1.9),
            Row(name: "the same header again, for the same hypervisor", limit: 0.95),
            Row(name: "the differ alone: all objects of Xen, as one batch", limit: 0.02, memoryLimit: 300 << 10),
            Row(name: "\(Self.fixes.count) fixes for one hypervisor, one command, nothing cached", limit: 0.7),
        ]
        rows += [Row(name: "all objects of the header's change from the program's own store"), Row(name: "the same objects from `ccache`")]
        try await buildPatched()
        for number in 1...max(1, times) {
            tell("run \(number) of \(times)")
            let whole = try await fullBuild()
            unit.append(whole)
            tell("  a full build: \(text(whole)) s")
            let measures = try await [coldAndWarm(), headers(), [differ()], [batch()]].flatMap(\.self)
            // Once is enough for this comparison: it has to fill the launcher's cache, which takes two builds.
            let stores = number == 1 ? try await self.stores() : []
            for (index, measure) in zip(rows.indices, measures + stores) {
                rows[index].seconds.append(measure.seconds)
                rows[index].ratios.append(measure.seconds / whole)
                if let memory = measure.memory { rows[index].memory = max(memory, rows[index].memory ?? 0) }
                tell("  \(rows[index].name): \(text(measure.seconds)) s, \(text(measure.seconds / whole)) of a build")
            }
        }
        try WorkFiles.remove(folder)
        try WorkFiles.remove(patched)
        return (unit, rows)
    }

    /// The folder of a second build. The differ compares its objects with those of `build`.
    private var patched: FilePath { folder.removingLastComponent().appending("bench-patched") }

    /// Builds the tree of `build` again with two changed headers: one moves the lines of all sources, one changes functions in several of them.
    private func buildPatched() async throws {
        tell("a build of a patched tree, for the differ")
        try WorkFiles.remove(patched)
        try WorkFiles.makeFolder(patched)
        try await Tool(name: "cp").output(["-a", "--", "\(build.tree)/.", patched.string])
        for change in ["bench/header-1.patch", "changes/F6-xen-inline-many/change.patch"] {
            try await Tool(name: "patch").output(["-p1", "-d", patched.string, "-i", fixtures.appending(change).string])
        }
        let make = Tool(name: "make", environment: Tool.withoutOuterMake, timeLimit: .seconds(3600))
        try await make.run(["-C", patched.appending("xen").string, "-j\(jobs)"], log: patched.appending("build.log"))
    }

    private struct Measure {
        var seconds: Double
        var memory: Int?
    }

    // MARK: What is measured

    /// The time of `make -jN` in a fresh copy of the tree, with the configuration in place; in seconds.
    private func fullBuild() async throws -> Double {
        let tree = folder.appending("full")
        try WorkFiles.remove(folder)
        try WorkFiles.makeFolder(folder)
        try await Tool(name: "cp").output(["-a", "--", release.source.string, tree.string])
        let xen = tree.appending("xen"), log = folder.appending("full.log")
        try WorkFiles.write(try WorkFiles.read(build.tree.appending("xen/.config")), to: xen.appending(".config"))
        let make = Tool(name: "make", environment: Tool.withoutOuterMake, timeLimit: .seconds(3600))
        let start = ContinuousClock.now
        try await make.run(["-C", xen.string, "-j\(jobs)"], log: log)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try WorkFiles.remove(tree)
        return seconds
    }

    private func coldAndWarm() async throws -> [Measure] {
        // Both are short compared with a full build, so one busy moment of the machine could spoil a measurement: take the median of three.
        var cold: [Double] = [], warm: [Double] = []
        for _ in 1...3 {
            try clearCache()
            cold.append(try await payload(patch("F1-xen-static")).seconds)
        }
        for fix in ["F9-xen-same-name", "F1-xen-global", "X2-xen-rdmsr-safe"] { warm.append(try await payload(patch(fix)).seconds) }
        return [Measure(seconds: median(cold)), Measure(seconds: median(warm))]
    }

    private func headers() async throws -> [Measure] {
        try clearCache()
        var result: [Measure] = []
        for number in 1...2 { result.append(try await payload(fixtures.appending("bench/header-\(number).patch"), ends: [0, 3])) }
        return result
    }

    /// The times of a run with the program's store of objects, and with a compiler cache in its place. Both hold all objects that the change needs.
    private func stores() async throws -> [Measure] {
        try clearCache()
        let header = fixtures.appending("bench/header-1.patch")
        _ = try await payload(header, ends: [0, 3])
        let own = try await payload(header, ends: [0, 3])
        // These settings make ccache answer for another folder of the same tree as well: the patched tree is in a new folder in each run.
        let environment: Environment = .inherit.updating([
            "CCACHE_DIR": folder.appending("ccache").string, "CCACHE_BASEDIR": cache.string, "CCACHE_NOHASHDIR": "1", "CCACHE_MAXSIZE": "5G",
        ])
        var other = own
        for _ in 1...2 {
            try WorkFiles.remove(cache.appending("objects"))
            other = try await payload(header, ends: [0, 3], options: ["--compiler-launcher", "ccache"], environment: environment)
        }
        return [own, other]
    }

    private func differ() async throws -> Measure {
        try await time(["diff", build.tree.appending("xen").string, patched.appending("xen").string, "-j", "\(jobs)"], ends: [0, 1, 4])
    }

    private func batch() async throws -> Measure {
        try clearCache()
        let manifest = folder.appending("batch.json")
        let fixes = Self.fixes.map { #"{ "name": "\#($0)", "patches": ["\#(patch($0))"] }"# }.joined(separator: ", ")
        try WorkFiles.write(
            Array(
                """
                { "hypervisors": [{ "name": "xen", "source": "\(release.source)", "xenSyms": "\(build.symbols)",
                  "config": "\(build.tree)/xen/.config" }], "fixes": [\(fixes)] }
                """.utf8), to: manifest)
        return try await time(["batch", manifest.string, "-o", folder.appending("batch").string, "--force"] + cacheArguments, ends: [0])
    }

    // MARK: Running

    private func patch(_ name: String) -> FilePath { fixtures.appending("changes/\(name)/change.patch") }
    private var cache: FilePath { folder.appending("cache") }
    private var cacheArguments: [String] { ["--cache-dir", cache.string, "-j", "\(jobs)"] }
    private func clearCache() throws { try WorkFiles.remove(cache) }

    private func payload(
        _ patch: FilePath, ends: Set<Int32> = [0], options: [String] = [], environment: Environment = .inherit
    ) async throws -> Measure {
        let arguments = [
            "-s", release.source.string, "-p", patch.string, "-o", folder.appending("out").string, "--force", "--xen-syms", build.symbols.string, "-c",
            build.tree.appending("xen/.config").string,
        ]
        return try await time(arguments + cacheArguments + options, ends: ends, environment: environment)
    }

    /// Runs the program, and measures its time and its highest use of memory.
    private func time(_ arguments: [String], ends: Set<Int32>, environment: Environment = .inherit) async throws -> Measure {
        let start = ContinuousClock.now
        let result = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: environment, input: .none, output: .discarded,
            error: .string(limit: 1 << 20)
        ) { execution in
            // The highest value so far. The last reading before the end is close enough.
            var memory = 0
            while let now = Self.highWater(of: execution.processIdentifier.value) {
                memory = max(memory, now)
                try await Task.sleep(for: .milliseconds(10))
            }
            return memory
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard case .exited(let code) = result.terminationStatus, ends.contains(code) else {
            throw StepError(
                "\(program) \(arguments.joined(separator: " ")) ended with \(result.terminationStatus):\n\(result.standardError)")
        }
        return Measure(seconds: seconds, memory: arguments.first == "diff" ? result.closureResult : nil)
    }

    /// The highest use of memory in kilobytes, from proc(5); nil for a process that has ended.
    private static func highWater(of process: Int32) -> Int? {
        guard let text = try? WorkFiles.readText(FilePath("/proc/\(process)/status")),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return nil }
        return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    }
}

/// The median of the values; of an even number of values, the lower of the middle two. Returns 0 if there are none.
func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[(values.count - 1) / 2] }

/// The number with two digits after the point, and with three digits if it is below 0.1.
func text(_ value: Double) -> String {
    let digits = value < 0.1 ? 1000 : 100
    let number = Int((value * Double(digits)).rounded())
    let part = String(number % digits)
    return "\(number / digits).\(String(repeating: "0", count: (digits == 1000 ? 3 : 2) - part.count))\(part)"
}

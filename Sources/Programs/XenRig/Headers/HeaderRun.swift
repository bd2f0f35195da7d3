import Diagnostics
import Report
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// Changes headers of a real Xen at random, and compiles every object that reads them, to see whether one that differs was left out.
///
/// The program runs twice for each change: with `--spare-by-declarations`, an option for developers, and with `--compile-all`. An object that the first run left out must be the same on
/// both sides in the second, apart from debug information, and both must make the same payload.
package struct HeaderRun: Sendable {
    package var seed: UInt64
    package var count: Int
    package var target: XenTarget
    package var program: FilePath
    package var cache: FolderCache
    package var tell: @Sendable (String) -> Void
    /// Only this change of the seed.
    package var only: Int?

    package init(seed: UInt64, count: Int, target: XenTarget, program: FilePath, cache: FolderCache, tell: @escaping @Sendable (String) -> Void) {
        (self.seed, self.count, self.target) = (seed, count, target)
        (self.program, self.cache, self.tell) = (program, cache, tell)
    }

    /// What the changes came to.
    package struct Table: Sendable, Equatable {
        package var tried = 0
        /// Changes that do not compile, or that make the program end otherwise in both runs.
        package var useless = 0
        /// Changes that do not compile in an object that was left out.
        package var unseen = 0
        /// Objects that read the changed header, and how many of them the program left out.
        package var readers = 0
        package var spared = 0
        /// How many of the objects that read it differ.
        package var different = 0
        /// One line each.
        package var faults: [String] = []

        package init() {}

        package var text: String {
            """
            \(tried) changes, \(useless) of which do not compile; \(unseen) compile except for an object that was left out
            \(readers) objects read a changed header: \(spared) were left out, \(different) differ
            \(faults.count) faults\(faults.map { "\n  \($0)" }.joined())

            """
        }
    }

    /// - Throws: `StepError` and `WorkFileError` when the hypervisor can't be built or a tool is missing.
    package func run() async throws -> Table {
        let build = try await target.build(cache: cache)
        let xen = build.source.appending("xen")
        let headers = try Self.headers(of: xen, architecture: target.machine.name == "x86_64" ? "x86" : "arm")
        let work = try WorkFiles.makeTemporaryFolder(named: "xsplice-headers")
        defer { try? WorkFiles.remove(work) }
        var table = Table()
        for number in only.map({ $0...$0 }) ?? 1...count {
            var random = TortureRandom(seed: seed, number: number)
            let change = try HeaderChange.random(in: xen, headers: headers, &random)
            let folder = work.appending("\(number)")
            try WorkFiles.makeFolder(folder)
            let ending = try await attempt(change, number, build, in: folder, &table)
            tell("\(number): \(change.kind.rawValue) in \(change.header): \(ending)")
            try WorkFiles.remove(folder)
        }
        return table
    }

    private func attempt(_ change: HeaderChange, _ number: Int, _ build: HypervisorBuild, in folder: FilePath, _ table: inout Table) async throws -> String {
        table.tried += 1
        let patch = folder.appending("change.patch")
        try WorkFiles.write(Array(try await TorturePatch.diff(change.before, change.after, "xen/\(change.header)", in: folder).utf8), to: patch)
        let usual = try await outcome(patch, build, folder.appending("usual"), ["--spare-by-declarations"])
        let whole = try await outcome(patch, build, folder.appending("whole"), ["--compile-all", "--keep-work"])
        guard let decisions = usual.report?.compile?.decisions, whole.code != ExitStatus.buildFailed.rawValue else {
            if usual.code != whole.code { table.unseen += 1 } else { table.useless += 1 }
            return usual.code != whole.code ? "does not compile in an object that was left out" : "does not compile"
        }
        let objects = folder.appending("whole/work/objects")
        var spared = 0, different = 0, missed: [String] = []
        for object in (whole.report?.compile?.decisions ?? []).filter({ !$0.spared }).map(\.object) {
            let isSame = try await same(objects.appending("original").pushing(FilePath(object)), objects.appending("patched").pushing(FilePath(object)), folder)
            if !isSame { different += 1 }
            guard decisions.first(where: { $0.object == object })?.spared == true else { continue }
            spared += 1
            if !isSame { missed.append(object) }
        }
        table.readers += whole.report?.compile?.concerned ?? 0
        table.spared += spared
        table.different += different
        var faults = missed.map { "\($0) differs and was left out" }
        if usual.code != whole.code { faults.append("exit code \(usual.code), with all objects \(whole.code)") }
        if usual.payload != whole.payload { faults.append("with all objects the payload has other bytes") }
        table.faults += faults.map { "\(number): \(change.kind.rawValue) in \(change.header): \($0)" }
        return "\(spared) left out, \(different) differ" + faults.map { ", FAULT: \($0)" }.joined()
    }

    private func outcome(_ patch: FilePath, _ build: HypervisorBuild, _ output: FilePath, _ options: [String]) async throws -> ChangeOutcome {
        let arguments =
            ["-s", build.source.string] + build.programOptions
            + [
                "-p", patch.string, "-o", output.string, "--xen-syms", build.symbols.string, "--cache-dir",
                try cache.programCache("headers-cache").string, "--cache-size", "3G", "--no-html", "-q",
            ] + options
        let run = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .inherit.updating(build.environment), input: .none, output: .discarded,
            error: .string(limit: 1 << 20))
        guard case .exited(let code) = run.terminationStatus else { throw StepError("the program ended with \(run.terminationStatus)") }
        return try ChangeOutcome(code: Int(code), output: output, error: run.standardError)
    }

    /// Whether two objects are the same apart from debug information. One that is missing on one side is not.
    private func same(_ one: FilePath, _ other: FilePath, _ folder: FilePath) async throws -> Bool {
        guard WorkFiles.isReadableFile(one), WorkFiles.isReadableFile(other) else { return false }
        var stripped: [[UInt8]] = []
        for object in [one, other] {
            let copy = folder.appending("stripped.o")
            let result = try await Subprocess.run(
                .name("\(target.machine.crossPrefix)objcopy"), arguments: ["--strip-debug", object.string, copy.string], input: .none, output: .discarded,
                error: .discarded)
            guard case .exited(0) = result.terminationStatus else { throw StepError("objcopy ended with \(result.terminationStatus)") }
            stripped.append(try WorkFiles.read(copy))
        }
        return stripped[0] == stripped[1]
    }

    /// The headers that Xen's own sources may read, sorted.
    private static func headers(of xen: FilePath, architecture: String) throws -> [String] {
        let folders = ["include/xen/", "arch/\(architecture)/include/asm/", "include/public/", "include/asm-\(architecture)/"]
        var result: [String] = []
        try WorkFiles.walk(xen) { path, kind in
            if case .regular = kind, path.hasSuffix(".h"), folders.contains(where: path.hasPrefix), !path.contains("generated"), !path.contains("autoconf") {
                result.append(path)
            }
            return true
        }
        return result.sorted()
    }
}

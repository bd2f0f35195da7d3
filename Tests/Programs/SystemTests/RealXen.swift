import FoundationEssentials
import Subprocess
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The changes of a real Xen, each run through the program once, and booted hypervisors that load what came out.
enum RealXen {
    /// The program that the environment variable `XSPLICE_BUILD` names.
    static let program: FilePath? = getenv("XSPLICE_BUILD").map { FilePath(String(cString: $0)) }

    /// Whether to test what takes minutes, too: with 'make test-all'.
    static let isThorough = getenv("XSPLICE_TEST_ALL") != nil

    /// Of this process, as far as compilers need it.
    static var environment: [String: String] {
        var result: [String: String] = [:]
        for name in ["PATH", "HOME"] { result[name] = getenv(name).map { String(cString: $0) } }
        return result
    }

    /// The demo's change, and those of `Fixtures/changes`. 'make test-all' takes all. 'make test' takes two of each class: the first whose effect
    /// dom0 can see, and the first other one; none that takes minutes, and none that needs a debug build of Xen.
    static let cases = isThorough ? ofStandard : ofEachClass(ofStandard.filter { $0.expected.slow != true && !$0.isForDebugBuild })

    private static func ofEachClass(_ cases: [ChangeCase]) -> [ChangeCase] {
        struct Kind: Hashable {
            let name: Substring?
            let isBooted: Bool
        }
        var known: Set<Kind> = []
        return cases.filter { known.insert(Kind(name: $0.name.split(separator: "-").first, isBooted: $0.expected.boot != nil)).inserted }
    }

    /// Whether the hypervisor of the tests is a debug build: both are tested with 'make test-all' only.
    static let flavours = isThorough ? [false, true] : [false]

    /// All that there are for any version and machine.
    static let everyCase: [ChangeCase] = {
        do {
            return [.demo] + (try ChangeCase.all().filter { $0.expected.tree == XenTarget.standard.tree })
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    /// As they are for the hypervisor that these tests build.
    private static let ofStandard: [ChangeCase] = {
        do {
            return try Trial.all(of: everyCase, with: [.standard]).map(\.change)
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    /// Those whose effect dom0 can see.
    static let booted = cases.filter { $0.expected.boot != nil }

    static let cache = FolderCache.standard(tell: { print($0) })

    // MARK: Hypervisors

    static func hypervisor(debug: Bool) async throws -> HypervisorBuild {
        try await build(debug ? "debug" : "", debug: debug)
    }

    /// The same once more, in another folder.
    static func secondBuild(debug: Bool) async throws -> HypervisorBuild {
        try await build(debug ? "debug-again" : "again", debug: debug)
    }

    private static func build(_ variant: String, debug: Bool) async throws -> HypervisorBuild {
        try await builds.value(of: variant) {
            try await Turns.work.one {
                try await DebianXen.standard.build(variant, options: debug ? DebianXen.debugOptions : [:], cache: cache)
            }
        }
    }
    private static let builds = Once<HypervisorBuild>()

    // MARK: Payloads

    static func outcome(of change: ChangeCase) async throws -> ChangeOutcome {
        try await outcomes.value(of: change.name) { try await run(change) }
    }
    private static let outcomes = Once<ChangeOutcome>()

    private static func run(_ change: ChangeCase) async throws -> ChangeOutcome {
        try await withTemporaryFolder { folder in
            var arguments = change.patches.flatMap { ["-p", $0.string] } + change.options
            if let options = change.expected.configuration {
                let config = folder.appending("config")
                let built = try await hypervisor(debug: change.isForDebugBuild)
                let lines = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
                try WorkFiles.write(try WorkFiles.read(built.configuration) + Array(lines.utf8), to: config)
                arguments += ["-c", config.string]
            }
            return try await run(arguments, debug: change.isForDebugBuild)
        }
    }

    /// Runs the program for the given hypervisor.
    ///
    /// - Parameters:
    ///   - arguments: beside tree, hypervisor, output and cache.
    ///   - tree: the source; as a rule the tree that the hypervisor was built in, so that strings such as the date of compilation are
    ///     those of the hypervisor.
    ///   - compiler: for `CC`; nil means the one that built the hypervisor.
    static func run(
        _ arguments: [String], debug: Bool = false, tree: FilePath? = nil, compiler: String? = nil
    ) async throws -> ChangeOutcome {
        try await run(arguments, for: try await hypervisor(debug: debug), tree: tree, compiler: compiler)
    }

    static func run(
        _ arguments: [String], for hypervisor: HypervisorBuild, tree: FilePath? = nil, compiler: String? = nil
    ) async throws -> ChangeOutcome {
        guard let program else { throw ToolFailure(description: "XSPLICE_BUILD names no program; 'make test' does") }
        return try await withTemporaryFolder { folder in
            let output = folder.appending("out")
            let all =
                ["-s", (tree ?? hypervisor.source).string] + hypervisor.programOptions + arguments + [
                    "-o", output.string, "--xen-syms", hypervisor.symbols.string,
                ]
                // Kept for the next run of the tests: one change touches a header that all of Xen includes.
                + ["--cache-dir", try cache.programCache("xsplice-build").string]
            let result = try await Turns.work.one {
                try await Subprocess.run(
                    .path(program), arguments: Arguments(all),
                    environment: .inherit.updating(compiler.map { ["CC": $0] } ?? hypervisor.environment), input: .none,
                    output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
            }
            return try ChangeOutcome(code: exitCode(result.terminationStatus), output: output, error: result.standardError)
        }
    }

    /// The texts of a payload that name a place of this machine. The paths in the hypervisor itself are no such places.
    static func textsWithPlaces(_ outcome: ChangeOutcome, for hypervisor: HypervisorBuild) throws -> [String] {
        let home = try #require(getenv("HOME").map { FilePath(String(cString: $0)) })
        return outcome.texts(naming: [cache.root, hypervisor.tree, home], except: hypervisor.source.appending("xen"))
    }

    /// Boots the default hypervisor for one scenario.
    static func boot(_ scenario: Scenario) async throws -> MachineRun {
        var boot = Boot(hypervisor: try await hypervisor(debug: false).image, dom0: try await DebianXen.standard.debian.dom0(cache: cache))
        boot.timeLimit = .seconds(1800)
        return try await Turns.boot.one { [boot] in try await boot.run(scenario) }
    }

    // MARK: Boots

    /// One boot for all payloads of the default hypervisor, another for those of the debug one.
    static func machine(debug: Bool) async throws -> MachineRun {
        try await machines.value(of: "\(debug)") {
            var scenario = Scenario()
            for change in booted where change.isForDebugBuild == debug {
                guard let bytes = try await outcome(of: change).payload else { continue }
                scenario.files["\(change.name).livepatch"] = bytes
                try BootedChange.addSteps(of: change, to: &scenario)
            }
            scenario.step("alive", "cat /sys/hypervisor/version/extra && xen-livepatch list")
            var boot = Boot(hypervisor: try await hypervisor(debug: debug).image, dom0: try await DebianXen.standard.debian.dom0(cache: cache))
            // Hundreds of steps, while other tests compile.
            boot.timeLimit = .seconds(1800)
            return try await Turns.boot.one { [boot, scenario] in try await boot.run(scenario) }
        }
    }
    private static let machines = Once<MachineRun>()
}

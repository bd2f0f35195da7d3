import ArgumentParser
import Diagnostics
import FoundationEssentials
import Subprocess
import SystemPackage
import TestRig

/// The developers' tool: a real Xen with a dom0 under QEMU, made of Debian packages, on any Debian machine.
@main
struct XenRig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-rig",
        abstract: "Gets, builds and boots a real Xen, for tests and for trying payloads by hand.",
        subcommands: [Xen.self, Dom0Command.self, BootCommand.self, Demo.self, BenchCommand.self, ReproduceCommand.self, GoldenCommand.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as any ExplainedError {
            tell("error: \(error.message)")
            if let help = error.help { tell("help: \(help)") }
            exit(withError: ExitCode(error.exitCode.rawValue))
        } catch {
            exit(withError: error)
        }
    }

    /// Says what goes on, on standard error: standard output has results only.
    @Sendable static func tell(_ line: String) {
        _ = try? FileDescriptor.standardError.writeAll("\(line)\n".utf8)
    }
}

/// The options that all subcommands share.
struct RigOptions: ParsableArguments {
    @Option(help: "The release of Debian to take Xen and the dom0 from: bullseye, bookworm or trixie.")
    var suite = "bookworm"

    @Option(help: "The architecture to build for and to boot: x86_64, arm64 or arm32.")
    var arch = TargetMachine.x86_64.name

    @Option(help: "The folder for what is slow to get. Default: $XSPLICE_RIG_CACHE, else .cache")
    var cache: String?

    var rigCache: RigCache {
        cache.map { RigCache(root: FilePath($0), tell: XenRig.tell) } ?? .standard(tell: XenRig.tell)
    }

    /// Throws `RigError` when `--arch` names none that the rig knows.
    var machine: TargetMachine {
        get throws { try TargetMachine.named(arch) }
    }

    var archive: DebianArchive { DebianArchive(suite: suite, cache: rigCache) }

    /// From the cache, or made. Throws as `DebianXen.of` and `machine` do as well.
    func dom0() async throws -> Dom0 {
        try await DebianXen.of(suite: suite).dom0(machine: machine, cache: rigCache)
    }
}

/// The program that a subcommand starts.
struct ProgramOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The xsplice-build to start.", valueName: "program"))
    var xspliceBuild = "./xsplice-build"
}

/// What a subcommand needs of the project.
struct ProjectOptions: ParsableArguments {
    @OptionGroup var started: ProgramOptions

    @Option(help: ArgumentHelp("The project's fixtures.", valueName: "folder"))
    var fixtures = "Fixtures"

    /// Absolute.
    var program: FilePath { absolute(started.xspliceBuild) }
    /// Absolute.
    var fixturesFolder: FilePath { absolute(fixtures) }

    private func absolute(_ path: String) -> FilePath {
        FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(path)).lexicallyNormalized()
    }
}

/// Runs a program that prints where this one does.
///
/// - Parameter failure: what is said when it does not end with 0, before the way that it ended. Default: its command line.
/// - Throws: `RigError` then.
func runInView(_ program: Executable, _ arguments: [String], environment: Environment = .inherit, failure: String? = nil) async throws {
    let status = try await Subprocess.run(
        program, arguments: Arguments(arguments), environment: environment, input: .none, output: .currentStandardOutput, error: .currentStandardError
    ).terminationStatus
    guard status.isSuccess else {
        throw RigError("\(failure ?? "\(program) \(arguments.joined(separator: " ")) failed") (\(status))")
    }
}

struct Xen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Gets and builds Xen; prints where it is.")

    @OptionGroup var rig: RigOptions

    @Flag(help: "Build the debug variant (CONFIG_DEBUG).")
    var debug = false

    func run() async throws {
        let xen = try DebianXen.of(suite: rig.suite)
        let machine = try rig.machine
        let build =
            debug
            ? try await xen.build("debug", options: ["CONFIG_DEBUG": "y"], machine: machine, cache: rig.rigCache)
            : try await xen.build(machine: machine, cache: rig.rigCache)
        let release = try await XenRelease.ofDebian(rig.archive)
        print(
            """
            version     \(release.version)
            source      \(release.source)
            build       \(build.tree)
            hypervisor  \(build.image)
            xen-syms    \(build.symbols)
            compiler    \(build.compiler?.program.string ?? "\(machine.crossPrefix)gcc")
            """)
    }
}

struct Dom0Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dom0", abstract: "Makes the dom0; prints where it is.")

    @OptionGroup var rig: RigOptions

    func run() async throws {
        let dom0 = try await rig.dom0()
        print(
            """
            package    \(dom0.kernelPackage)
            kernel     \(dom0.kernel)
            initramfs  \(dom0.initramfs)
            """)
    }
}

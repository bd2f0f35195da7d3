import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles
import XenRig

/// The developers' tool: runs a real Xen with a dom0 under QEMU, both from Debian packages, on any Debian machine.
@main
struct RigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-rig",
        abstract: "Gets, builds and boots a real Xen, for tests and for trying payloads by hand.",
        subcommands: [
            XenCommand.self, Dom0Command.self, BootCommand.self, DemoCommand.self, BenchCommand.self, ReproduceCommand.self, GoldenCommand.self,
            TortureCommand.self, HeadersCommand.self,
        ])

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

    /// Prints progress on standard error: standard output is for results only.
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

    var rigCache: FolderCache {
        cache.map { FolderCache(root: FilePath($0), tell: RigCommand.tell) } ?? .standard(tell: RigCommand.tell)
    }

    /// Throws `StepError` when `--arch` names an unknown machine.
    var machine: TargetMachine {
        get throws { try TargetMachine.named(arch) }
    }

    var archive: DebianArchive { DebianArchive(suite: suite, cache: rigCache) }

    /// The dom0, from the cache or newly made. Throws as `DebianXen.of` and `machine` do.
    func dom0() async throws -> Dom0 {
        try await DebianXen.of(suite: suite).debian.dom0(for: machine, cache: rigCache)
    }
}

/// The program that a subcommand starts.
struct ProgramOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The xsplice-build to start.", valueName: "program"))
    var xspliceBuild = "./xsplice-build"
}

/// The files of the project that a subcommand needs.
struct ProjectOptions: ParsableArguments {
    @OptionGroup var started: ProgramOptions

    @Option(help: ArgumentHelp("The project's fixtures.", valueName: "folder"))
    var fixtures = "Fixtures"

    /// Absolute.
    var program: FilePath { WorkFiles.absolute(FilePath(started.xspliceBuild)) }
    /// Absolute.
    var fixturesFolder: FilePath { WorkFiles.absolute(FilePath(fixtures)) }
}

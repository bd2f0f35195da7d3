import ArgumentParser
import Diagnostics
import SystemPackage
import TestRig

/// The developers' tool: a real Xen with a dom0 under QEMU, made of Debian packages, on any Debian machine.
@main
struct XenRig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-rig",
        abstract: "Gets, builds and boots a real Xen, for tests and for trying payloads by hand.",
        subcommands: [Xen.self, Dom0Command.self, BootCommand.self, Demo.self])

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

    @Option(help: "The folder for what is slow to get. Default: $XSPLICE_RIG_CACHE, else .cache")
    var cache: String?

    var rigCache: RigCache {
        cache.map { RigCache(root: FilePath($0), tell: XenRig.tell) } ?? .standard(tell: XenRig.tell)
    }

    var archive: DebianArchive { DebianArchive(suite: suite, cache: rigCache) }
}

struct Xen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Gets and builds Xen; prints where it is.")

    @OptionGroup var rig: RigOptions

    @Flag(help: "Build the debug variant (CONFIG_DEBUG).")
    var debug = false

    func run() async throws {
        let xen = try DebianXen.of(suite: rig.suite)
        let build =
            debug
            ? try await xen.build("debug", options: ["CONFIG_DEBUG": "y"], cache: rig.rigCache)
            : try await xen.build(cache: rig.rigCache)
        let release = try await XenRelease.ofDebian(rig.archive)
        print(
            """
            version     \(release.version)
            source      \(release.source)
            build       \(build.tree)
            hypervisor  \(build.image)
            xen-syms    \(build.symbols)
            compiler    \(build.compiler?.program.string ?? "gcc")
            """)
    }
}

struct Dom0Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dom0", abstract: "Makes the dom0; prints where it is.")

    @OptionGroup var rig: RigOptions

    func run() async throws {
        let dom0 = try await Dom0.ofDebian(rig.archive)
        print(
            """
            package    \(dom0.kernelPackage)
            kernel     \(dom0.kernel)
            initramfs  \(dom0.initramfs)
            """)
    }
}

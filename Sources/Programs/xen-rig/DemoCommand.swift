import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import XenRig

/// Shows the whole way from a patch to a changed answer of a running hypervisor.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Builds a payload from a patch and applies it to a running Xen.",
        discussion: "The patch makes xen_extra_version() answer 'Hello World'. Exit code 0 only if the running hypervisor did so.")

    @OptionGroup var rig: RigOptions

    @OptionGroup var started: ProgramOptions

    @Option(help: ArgumentHelp("The patch to build from.", valueName: "file"))
    var patch = "Fixtures/patches/xen-4.17/hello-world.patch"

    @Option(help: ArgumentHelp("Where the payload is written. Default: demo in the cache.", valueName: "folder"))
    var output: String?

    /// The command that shows in the dom0 what `xen_extra_version()` returns.
    private static let answer = "cat /sys/hypervisor/version/extra"

    func run() async throws {
        let release = try await XenRelease.ofDebian(rig.archive)
        let build = try await DebianXen.of(suite: rig.suite).build(machine: rig.machine, cache: rig.rigCache)
        // Make the dom0 now, so that the program finds it.
        _ = try await rig.dom0()

        let folder = output.map { FilePath($0) } ?? rig.rigCache.root.appending("demo")
        let hypervisor = ["--xen-syms", build.symbols.string]
        try await show(["-s", release.source.string, "-p", patch, "-o", folder.string] + hypervisor + ["--force"], "made no payload")
        let payload = folder.appending("\(FilePath(patch).stem ?? "payload").livepatch")
        try await show(
            ["test-drive", payload.string, "--xen", build.image.string] + hypervisor
                + ["--expect-before", "\(Self.answer)=.", "--expect-after", "\(Self.answer)=Hello World", "--dom0-dir", rig.rigCache.root.string],
            "did not see the running hypervisor patched and put back")
    }

    /// Prints the program's command line and runs it; throws when it fails.
    private func show(_ arguments: [String], _ failure: String) async throws {
        let program = started.xspliceBuild, words = arguments.map { $0.contains(" ") ? "'\($0)'" : $0 }
        // Written at once, without a buffer, because the program writes to the same output.
        _ = try? FileDescriptor.standardOutput.writeAll("\n$ \(program) \(words.joined(separator: " "))\n".utf8)
        try await runInView(.path(FilePath(program)), arguments, failure: "\(program) \(failure)")
    }
}

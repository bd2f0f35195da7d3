import ArgumentParser
import Diagnostics
import Subprocess
import SystemPackage
import TestRig

/// From a patch to a changed answer of a running hypervisor, before the reader's eyes.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Builds a payload from a patch and applies it to a running Xen.",
        discussion: "The patch makes xen_extra_version() answer 'Hello World'. Exit code 0 only if the running hypervisor did so.")

    @OptionGroup var rig: RigOptions

    @Option(help: ArgumentHelp("The xsplice-build to show.", valueName: "program"))
    var xspliceBuild = "./xsplice-build"

    @Option(help: ArgumentHelp("The patch to build from.", valueName: "file"))
    var patch = "Fixtures/patches/xen-4.17/hello-world.patch"

    @Option(help: ArgumentHelp("Where the payload is written. Default: demo in the cache.", valueName: "folder"))
    var output: String?

    /// What `xen_extra_version()` must answer while the payload is applied.
    private static let patchedAnswer = "Hello World"

    func run() async throws {
        let release = try await XenRelease.ofDebian(rig.archive)
        let build = try await DebianXen.of(suite: rig.suite).build(machine: rig.machine, cache: rig.rigCache)
        let dom0 = try await rig.dom0()

        let folder = output.map { FilePath($0) } ?? rig.rigCache.root.appending("demo")
        let arguments = [
            "-s", release.source.string, "-p", patch, "-o", folder.string, "--xen-syms", build.symbols.string, "--force",
        ]
        show("$ \(xspliceBuild) \(arguments.joined(separator: " "))")
        let status = try await Subprocess.run(
            .path(FilePath(xspliceBuild)), arguments: .init(arguments), input: .none,
            output: .currentStandardOutput, error: .currentStandardError
        ).terminationStatus
        guard status.isSuccess else { throw RigError("\(xspliceBuild) made no payload (\(status))") }

        let name = (FilePath(patch).stem ?? "payload")
        var scenario = Scenario()
        try scenario.take(folder.appending("\(name).livepatch"))
        let answer = "cat /sys/hypervisor/version/extra"
        scenario.step("before", answer)
        try scenario.hostTool("load", .load, name)
        scenario.step("loaded", answer)
        try scenario.hostTool("revert", .revert, name)
        try scenario.hostTool("unload", .unload, name)
        scenario.step("reverted", answer)
        show("\nBooting the unpatched Xen \(release.version) (\(build.machine)) under QEMU (no KVM), dom0 \(dom0.kernelPackage)")
        let machine = try await Boot(hypervisor: build.image, dom0: dom0).run(scenario)
        try judge(machine)
        show("The running hypervisor was patched and put back (\(machine.duration.inSeconds)).")
    }

    /// Prints at once: `xsplice-build` writes to the same output in between.
    private func show(_ line: String) {
        _ = try? FileDescriptor.standardOutput.writeAll("\(line)\n".utf8)
    }

    /// Prints the three answers; throws unless all went as it should.
    private func judge(_ machine: MachineRun) throws {
        for (step, what) in [("before", "before"), ("loaded", "after load"), ("reverted", "after revert")] {
            let result = machine[step]
            show("  xen_extra_version() \(what):".padded(to: 38) + (result.exitCode == 0 ? result.output : "no answer"))
        }
        try machine.requireFinished()
        for step in ["before", "load", "loaded", "revert", "unload", "reverted"] where !machine[step].succeeded {
            throw RigError(
                "the step '\(step)' failed: \((machine[step].output.split(separator: "\n") + machine[step].xenLog.map { $0[...] }).joined(separator: "; "))")
        }
        let before = machine["before"].output
        guard before != Self.patchedAnswer, machine["loaded"].output == Self.patchedAnswer, machine["reverted"].output == before else {
            throw RigError("the answers are not \(before), \(Self.patchedAnswer), \(before)")
        }
    }
}

extension String {
    /// With spaces up to `width` characters.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

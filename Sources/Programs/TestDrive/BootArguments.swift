import Diagnostics
import SystemPackage

extension Boot {
    /// QEMU's arguments for this boot, with the dom0's initramfs (including the scenario) in a file.
    ///
    /// Throws `StepError` for a path that QEMU's arguments can't express.
    func arguments(initramfs: FilePath) throws -> [String] {
        let emulator = machine.emulator
        // Scrubbing would make the host provide memory that nobody uses: a tenth of the time of the whole run.
        let xen = emulator.xenOptions + ["dom0_mem=\(dom0Memory)M", "bootscrub=off", "loglvl=all", "guest_loglvl=all"] + xenOptions
        // The last of several options about log levels wins. This level shows warnings and worse, so that a WARN is seen.
        let kernel = ["console=hvc0", "quiet", "loglevel=5", "panic=1"] + kernelOptions
        return emulator.machine + [
            "-accel", "tcg", "-m", "\(memory)", "-smp", "\(processors)",
            "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", "-serial", "stdio", "-monitor", "none",
            "-kernel", hypervisor.string, "-append", xen.joined(separator: " "),
        ] + (try modules(kernel.joined(separator: " "), initramfs))
    }

    private func modules(_ kernelLine: String, _ initramfs: FilePath) throws -> [String] {
        switch machine.emulator.modules {
        case .multiboot:
            // QEMU splits the list of modules at commas, and a module's path ends at the first blank.
            for path in [dom0.kernel, initramfs] where path.string.contains(where: { $0 == "," || $0 == " " }) {
                throw StepError("QEMU can't boot \(path): the path has a comma or a space", exitCode: .usage)
            }
            return ["-initrd", "\(dom0.kernel) \(kernelLine),\(initramfs)"]
        case .guestLoader(let kernelAddress, let initramfsAddress):
            return [
                "-device", "guest-loader,addr=\(hex(kernelAddress)),kernel=\(quoted(dom0.kernel.string)),bootargs=\(quoted(kernelLine))",
                "-device", "guest-loader,addr=\(hex(initramfsAddress)),initrd=\(quoted(initramfs.string))",
            ]
        }
    }

    private func hex(_ address: UInt64) -> String { "0x" + String(address, radix: 16) }

    /// In QEMU's syntax a comma ends a value, and two commas stand for one.
    private func quoted(_ value: String) -> String {
        value.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}

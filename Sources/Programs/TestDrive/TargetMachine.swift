import Diagnostics

/// A kind of machine that Xen runs on, and all that is done differently for it: fetch a dom0, boot under QEMU, build.
package struct TargetMachine: Sendable, Equatable, CustomStringConvertible {
    /// Xen's name of the architecture: the value of `XEN_TARGET_ARCH`.
    package var name: String
    /// What the names of the tools that build for it begin with (`CROSS_COMPILE`); empty for the machine's own.
    package var crossPrefix: String
    /// Debian's name of the architecture.
    package var debianArchitecture: String
    /// What Debian's kernel packages for it end with.
    var kernelFlavour: String
    var emulator: Emulator

    package var description: String { name }

    /// A PC, and the architecture that this program itself runs on.
    package static let x86_64 = TargetMachine(
        name: "x86_64", crossPrefix: "", debianArchitecture: "amd64", kernelFlavour: "amd64",
        emulator: Emulator(
            program: "qemu-system-x86_64", package: "qemu-system-x86",
            // Without SMAP: the emulation of QEMU 7.2 has a fault by which a dom0 crashes on its first return from an interrupt.
            machine: ["-cpu", "max,-smap"],
            processors: 2, memory: 512, dom0Memory: 256,
            xenOptions: ["console=com1", "com1=115200,8n1"], modules: .multiboot))

    package static let arm64 = TargetMachine(
        name: "arm64", crossPrefix: "aarch64-linux-gnu-", debianArchitecture: "arm64", kernelFlavour: "arm64",
        emulator: Emulator(
            program: "qemu-system-aarch64", package: "qemu-system-arm",
            machine: ["-machine", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a57"],
            processors: 2, memory: 1536, dom0Memory: 768,
            xenOptions: pl011, modules: highModules))

    package static let arm32 = TargetMachine(
        name: "arm32", crossPrefix: "arm-linux-gnueabihf-", debianArchitecture: "armhf", kernelFlavour: "armmp-lpae",
        emulator: Emulator(
            program: "qemu-system-arm", package: "qemu-system-arm",
            // With devices above 4 GiB the dom0 hangs.
            machine: ["-machine", "virt,virtualization=on,gic-version=2,highmem=off", "-cpu", "cortex-a15"],
            // With two, on a machine with other things to do, processors may miss each other when a payload is applied (EBUSY), and Xen
            // 4.20 was seen not to come back from that. A second one of the dom0 dies of the kernel's use of ThumbEE registers on 4.20.
            processors: 1, memory: 1536, dom0Memory: 768,
            xenOptions: pl011 + ["dom0_max_vcpus=1"], modules: highModules))

    package static let all = [x86_64, arm64, arm32]

    /// The serial line of QEMU's machine `virt`, by its path in the device tree.
    private static let pl011 = ["console=dtuart", "dtuart=/pl011@9000000"]
    /// Memory begins at 1 GiB; Xen is loaded at its beginning, and QEMU puts its device tree 128 MiB above.
    private static let highModules = Emulator.Modules.guestLoader(kernel: 0x5000_0000, initramfs: 0x5800_0000)

    /// The one of that name. Throws `TestDriveError` for a name that is not known.
    package static func named(_ name: String) throws -> TargetMachine {
        try first(name) { $0.name == name }
    }

    /// The one that a suite of Debian for `architecture` (`amd64`, `arm64`, `armhf`) runs on. Throws `TestDriveError` for others.
    package static func ofDebian(_ architecture: String) throws -> TargetMachine {
        try first(architecture) { $0.debianArchitecture == architecture }
    }

    private static func first(_ name: String, where fits: (TargetMachine) -> Bool) throws -> TargetMachine {
        guard let found = all.first(where: fits) else {
            let known = all.map(\.name).joined(separator: ", ")
            throw TestDriveError("the architecture \(name) is not known here", help: "known are \(known)", exitCode: .usage)
        }
        return found
    }
}

/// How QEMU is made to be a machine that boots Xen.
struct Emulator: Sendable, Equatable {
    /// How the dom0's kernel and initramfs come into the machine's memory.
    enum Modules: Sendable, Equatable {
        /// As modules of a multiboot image.
        case multiboot
        /// By QEMU, at these physical addresses, which it also writes into the device tree that Xen reads.
        case guestLoader(kernel: UInt64, initramfs: UInt64)
    }

    var program: String
    /// Debian's package that has the program.
    var package: String
    /// The arguments for the kind of machine and its processor.
    var machine: [String]
    /// How many processors the machine has.
    var processors: Int
    /// Memory of the machine and of the dom0, in MiB.
    var memory: Int
    var dom0Memory: Int
    /// Words for Xen's command line: where its console is.
    var xenOptions: [String]
    var modules: Modules
}

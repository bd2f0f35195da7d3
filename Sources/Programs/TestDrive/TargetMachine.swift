import Diagnostics

/// A kind of machine that Xen runs on, with everything that differs for it: how to fetch a dom0, to boot under QEMU, and to build.
package struct TargetMachine: Sendable, Equatable, CustomStringConvertible {
    /// Xen's name for the architecture: the value of `XEN_TARGET_ARCH`.
    package var name: String
    /// The prefix of the names of the tools that build for it (`CROSS_COMPILE`); empty for the machine's own tools.
    package var crossPrefix: String
    /// Debian's name for the architecture.
    package var debianArchitecture: String
    /// The end of the names of Debian's kernel packages for it.
    var kernelFlavour: String
    var emulator: Emulator

    package var description: String { name }

    /// A PC, and the architecture that this program itself runs on.
    package static let x86_64 = TargetMachine(
        name: "x86_64", crossPrefix: "", debianArchitecture: "amd64", kernelFlavour: "amd64",
        emulator: Emulator(
            program: "qemu-system-x86_64", package: "qemu-system-x86",
            // Without SMAP: QEMU 7.2 emulates it wrongly, and a dom0 crashes on its first return from an interrupt.
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
            // The dom0 hangs with devices above 4 GiB.
            machine: ["-machine", "virt,virtualization=on,gic-version=2,highmem=off", "-cpu", "cortex-a15"],
            // One processor: on a busy machine, two may not come together in time when a payload is applied (EBUSY), and Xen
            // 4.20 did not always recover from that. A second vCPU of the dom0 dies on 4.20, because the kernel uses ThumbEE registers.
            processors: 1, memory: 1536, dom0Memory: 768,
            xenOptions: pl011 + ["dom0_max_vcpus=1"], modules: highModules))

    package static let all = [x86_64, arm64, arm32]

    /// The serial line of QEMU's machine `virt`, by its path in the device tree.
    private static let pl011 = ["console=dtuart", "dtuart=/pl011@9000000"]
    /// Memory begins at 1 GiB. Xen is loaded at its beginning, and QEMU puts its device tree 128 MiB above that.
    private static let highModules = Emulator.Modules.guestLoader(kernel: 0x5000_0000, initramfs: 0x5800_0000)

    /// The machine of that name. Throws `StepError` for an unknown name.
    package static func named(_ name: String) throws -> TargetMachine {
        try first(name) { $0.name == name }
    }

    /// The machine that runs a suite of Debian for `architecture` (`amd64`, `arm64`, `armhf`). Throws `StepError` for other architectures.
    package static func ofDebian(_ architecture: String) throws -> TargetMachine {
        try first(architecture) { $0.debianArchitecture == architecture }
    }

    private static func first(_ name: String, where fits: (TargetMachine) -> Bool) throws -> TargetMachine {
        guard let found = all.first(where: fits) else {
            let known = all.map(\.name).joined(separator: ", ")
            throw StepError("the architecture \(name) is not known here", help: "known are \(known)", exitCode: .usage)
        }
        return found
    }
}

/// How QEMU emulates a machine that boots Xen.
struct Emulator: Sendable, Equatable {
    /// How the dom0's kernel and initramfs get into the machine's memory.
    enum Modules: Sendable, Equatable {
        /// Xen's image is a multiboot image, and these are its modules.
        case multiboot
        /// QEMU puts them at these physical addresses, and writes the addresses into the device tree that Xen reads.
        case guestLoader(kernel: UInt64, initramfs: UInt64)
    }

    var program: String
    /// Debian's package that has the program.
    var package: String
    /// The arguments for the kind of machine and its processor.
    var machine: [String]
    /// The number of processors that the machine has.
    var processors: Int
    /// Memory of the machine and of the dom0, in MiB.
    var memory: Int
    var dom0Memory: Int
    /// Words for Xen's command line that say where its console is.
    var xenOptions: [String]
    var modules: Modules
}

import Diagnostics
import SystemPackage
import Testing

@testable import TestDrive

@Suite("the machines that can be booted: names, and how QEMU becomes one")
struct TargetMachineTests {
    @Test("each is found by Xen's and by Debian's name", arguments: TargetMachine.all)
    func known(machine: TargetMachine) throws {
        #expect(try TargetMachine.named(machine.name) == machine)
        #expect(try TargetMachine.ofDebian(machine.debianArchitecture) == machine)
    }

    @Test("an unknown one is a wrong argument, and the error says which are known", arguments: ["", "arm", "armhf", "riscv64", "ARM64"])
    func unknown(name: String) {
        let error = #expect(throws: StepError.self) { try TargetMachine.named(name) }
        #expect(error?.help == "known are x86_64, arm64, arm32")
        #expect(error?.exitCode == .usage)
    }

    // MARK: QEMU's arguments

    private func boot(_ machine: TargetMachine, kernel: FilePath = "/dom0/vmlinuz") -> Boot {
        Boot(hypervisor: "/tree/xen/xen", dom0: Dom0(kernel: kernel, initramfs: "/dom0/initramfs", kernelPackage: "none", machine: machine))
    }

    /// The value after the option `name`, for an option that is there once.
    private func value(_ name: String, in arguments: [String]) throws -> String {
        let positions = arguments.indices.filter { arguments[$0] == name }
        let position = try #require(positions.first)
        #expect(positions.count == 1)
        let value = try #require(arguments.dropFirst(position + 1).first)
        return value
    }

    private func values(_ name: String, in arguments: [String]) -> [String] {
        zip(arguments, arguments.dropFirst()).filter { $0.0 == name }.map(\.1)
    }

    private let kernelLine = "console=hvc0 quiet loglevel=5 panic=1"

    @Test("a PC gets the dom0 as multiboot modules, and its console is a serial port of its own")
    func pc() throws {
        let arguments = try boot(.x86_64).arguments(initramfs: "/tmp/initramfs")
        #expect(try value("-cpu", in: arguments) == "max,-smap")
        #expect(try value("-m", in: arguments) == "512")
        #expect(try value("-smp", in: arguments) == "2")
        #expect(try value("-kernel", in: arguments) == "/tree/xen/xen")
        #expect(
            try value("-append", in: arguments)
                == "console=com1 com1=115200,8n1 dom0_mem=256M bootscrub=off loglvl=all guest_loglvl=all")
        #expect(try value("-initrd", in: arguments) == "/dom0/vmlinuz \(kernelLine),/tmp/initramfs")
        #expect(values("-device", in: arguments) == [])
        #expect(values("-machine", in: arguments) == [])
    }

    @Test(
        "an ARM machine gets them from QEMU's loader, away from what QEMU itself puts into memory",
        arguments: [
            (TargetMachine.arm64, "virt,virtualization=on,gic-version=3", "cortex-a57", ""),
            (.arm32, "virt,virtualization=on,gic-version=2,highmem=off", "cortex-a15", "dom0_max_vcpus=1 "),
        ])
    func arm(machine: TargetMachine, type: String, processor: String, extra: String) throws {
        let arguments = try boot(machine).arguments(initramfs: "/tmp/initramfs")
        #expect(try value("-machine", in: arguments) == type)
        #expect(try value("-cpu", in: arguments) == processor)
        #expect(try value("-smp", in: arguments) == (machine == .arm64 ? "2" : "1"))
        #expect(
            try value("-append", in: arguments)
                == "console=dtuart dtuart=/pl011@9000000 \(extra)dom0_mem=768M bootscrub=off loglvl=all guest_loglvl=all")
        #expect(values("-initrd", in: arguments) == [])
        #expect(
            values("-device", in: arguments) == [
                "guest-loader,addr=0x50000000,kernel=/dom0/vmlinuz,bootargs=\(kernelLine)",
                "guest-loader,addr=0x58000000,initrd=/tmp/initramfs",
            ])
        // The machine's memory begins at 1 GiB; kernel, initramfs and the dom0 itself must fit in.
        guard case .guestLoader(let kernel, let initramfs) = machine.emulator.modules else {
            Issue.record("\(machine) has no guest loader")
            return
        }
        #expect(kernel < initramfs)
        #expect(initramfs < 0x4000_0000 + UInt64(machine.emulator.memory) << 20)
        #expect(machine.emulator.dom0Memory < machine.emulator.memory)
    }

    @Test("what the caller asks for is what the machine gets", arguments: TargetMachine.all)
    func own(machine: TargetMachine) throws {
        var boot = boot(machine)
        #expect(boot.machine == machine)
        boot.processors = 4
        boot.memory = 2048
        boot.dom0Memory = 1024
        boot.xenOptions = ["sync_console"]
        boot.kernelOptions = ["nosmp"]
        let arguments = try boot.arguments(initramfs: "/tmp/initramfs")
        #expect(try value("-smp", in: arguments) == "4")
        #expect(try value("-m", in: arguments) == "2048")
        let words = try value("-append", in: arguments).split(separator: " ")
        #expect(words.contains("dom0_mem=1024M"))
        #expect(words.last == "sync_console")
        #expect(arguments.contains { $0.contains("\(kernelLine) nosmp") })
    }

    @Test("a path that can't be said as a module is refused; where it can be, its commas are doubled")
    func paths() throws {
        let comma: FilePath = "/dom0,1/vmlinuz"
        #expect(throws: StepError.self) { try boot(.x86_64, kernel: comma).arguments(initramfs: "/tmp/initramfs") }
        #expect(throws: StepError.self) { try boot(.x86_64).arguments(initramfs: "/a b/initramfs") }
        let devices = values("-device", in: try boot(.arm64, kernel: comma).arguments(initramfs: "/a b/i,j"))
        #expect(devices.first?.hasPrefix("guest-loader,addr=0x50000000,kernel=/dom0,,1/vmlinuz,bootargs=") == true)
        #expect(devices.last == "guest-loader,addr=0x58000000,initrd=/a b/i,,j")
    }
}

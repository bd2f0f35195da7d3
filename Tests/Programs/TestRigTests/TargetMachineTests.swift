import Diagnostics
import SystemPackage
@testable import TestRig
import Testing

@Suite("the machines that the rig knows: names, builds, and how QEMU becomes one")
struct TargetMachineTests {
    @Test("each is found by Xen's and by Debian's name", arguments: TargetMachine.all)
    func known(machine: TargetMachine) throws {
        #expect(try TargetMachine.named(machine.name) == machine)
        #expect(try TargetMachine.ofDebian(machine.debianArchitecture) == machine)
    }

    @Test("an unknown one is a wrong argument, and the error says which are known", arguments: ["", "arm", "armhf", "riscv64", "ARM64"])
    func unknown(name: String) {
        let error = #expect(throws: RigError.self) { try TargetMachine.named(name) }
        #expect(error?.help == "it knows x86_64, arm64, arm32")
        #expect(error?.exitCode == .usage)
    }

    @Test("a suite's Xen is built only for machines that it is known to work on")
    func machinesOfSuites() async throws {
        let cache = RigCache(root: "/nonexistent")
        let old = try DebianXen.of(suite: "bullseye")
        let error = await #expect(throws: RigError.self) { try await old.build(machine: .arm64, cache: cache) }
        #expect(error?.message == "the rig does not build Xen 4.14 of Debian bullseye for arm64")
        #expect(error?.exitCode == .usage)
        for suite in ["bookworm", "trixie"] { #expect(try DebianXen.of(suite: suite).machines == TargetMachine.all) }
    }

    @Test("a dom0 is of the suite and the machine, and of another suite only where Debian has no tools for that machine")
    func dom0s() throws {
        let cache = RigCache(root: "/nonexistent")
        for xen in DebianXen.all {
            for machine in xen.machines {
                let archive = xen.dom0Archive(machine: machine, cache: cache)
                #expect(archive.suite == (xen.suite == "trixie" && machine == .arm32 ? "bookworm" : xen.suite))
                #expect(try TargetMachine.ofDebian(archive.architecture) == machine)
            }
        }
    }

    // MARK: Builds

    @Test("a build's folder has the machine and the variant in its name; those for x86_64 keep theirs")
    func folders() {
        func folder(_ machine: TargetMachine, _ variant: String = "") -> String { BuildRecipe(variant: variant, machine: machine).folder }
        #expect(folder(.x86_64) == "build")
        #expect(folder(.x86_64, "debug") == "build-debug")
        #expect(folder(.arm64) == "build-arm64")
        #expect(folder(.arm32, "debug") == "build-arm32-debug")
    }

    @Test("the recipe of an x86_64 build is what caches already have")
    func recipeOfX86() {
        let facts = "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970\nXEN_BUILD_TIME=00:00:00\nXEN_BUILD_HOST=rig"
        #expect(BuildRecipe().text == "CONFIG_LIVEPATCH=y\nflags \nwith example payloads\n\(facts)")
        #expect(BuildRecipe().variables == [])
        let other = BuildRecipe(
            options: ["CONFIG_DEBUG": "y"], flags: "-O1", compiler: SuiteCompiler(version: 10, program: "/cache/usr/bin/gcc-10"))
        #expect(other.text == "CONFIG_DEBUG=y\nCONFIG_LIVEPATCH=y\nflags -O1\nwith example payloads\n\(facts)\nCC=/cache/usr/bin/gcc-10")
        #expect(other.variables == ["CC=/cache/usr/bin/gcc-10", "EXTRA_CFLAGS_XEN_CORE=-O1"])
    }

    @Test(
        "a build for another machine is a cross-build, in its recipe as well",
        arguments: [
            (TargetMachine.arm64, ["XEN_TARGET_ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"]),
            (.arm32, ["XEN_TARGET_ARCH=arm32", "CROSS_COMPILE=arm-linux-gnueabihf-"]),
        ])
    func crossBuild(machine: TargetMachine, variables: [String]) {
        let recipe = BuildRecipe(machine: machine)
        #expect(recipe.variables == variables)
        #expect(recipe.text == BuildRecipe().text + "\n" + variables.joined(separator: "\n"))
        let build = HypervisorBuild(version: "4.17", tree: "/tree", machine: machine)
        #expect(variables.last == "CROSS_COMPILE=\(build.machine.crossPrefix)")
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
        #expect(throws: RigError.self) { try boot(.x86_64, kernel: comma).arguments(initramfs: "/tmp/initramfs") }
        #expect(throws: RigError.self) { try boot(.x86_64).arguments(initramfs: "/a b/initramfs") }
        let devices = values("-device", in: try boot(.arm64, kernel: comma).arguments(initramfs: "/a b/i,j"))
        #expect(devices.first?.hasPrefix("guest-loader,addr=0x50000000,kernel=/dom0,,1/vmlinuz,bootargs=") == true)
        #expect(devices.last == "guest-loader,addr=0x58000000,initrd=/a b/i,,j")
    }
}

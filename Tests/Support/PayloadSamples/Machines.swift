import ArchARM32
import ArchARM64
import ArchX86_64
import SystemPackage
import TargetArchitecture
import TestTools

@testable import LoaderModel

/// A processor, its tools, and a hypervisor for it that has the symbols of the sample payloads.
package enum Machine: String, CaseIterable, CustomStringConvertible, Sendable {
    case x86_64, arm64, arm32

    package static let arm: [Machine] = [.arm64, .arm32]

    package var description: String { rawValue }

    package var architecture: any TargetArchitecture {
        switch self {
        case .x86_64: ArchX86_64()
        case .arm64: ArchARM64()
        case .arm32: ArchARM32()
        }
    }

    /// The prefix of the names of its tools. The tests' own machine is an x86_64.
    package var tools: String { self == .x86_64 ? "" : architecture.toolchainPrefix }
    /// The assembler's directive for an address.
    package var pointer: String { self == .arm32 ? ".4byte" : ".8byte" }
    package var pointerSize: Int { architecture.elfClass.addressSize }

    /// The value of XEN_VIRT_START.
    private var imageStart: UInt64 { self == .arm32 ? 0x20_0000 : 0xa00_0020_0000 }

    package var hypervisor: SampleHypervisor {
        guard self != .x86_64 else { return SampleHypervisor() }
        let start = imageStart
        var hypervisor = SampleHypervisor()
        hypervisor.symbols = ["printk": start + 0x1000, "victim": start + 0x2000, "hidden": start + 0x3000]
        hypervisor.code = [start + 0x2000: [UInt8](repeating: 0, count: 40)]
        hypervisor.payloadArea = start + (8 << 20) + 0x2000
        return hypervisor
    }
}

extension SamplePayload {
    /// A payload for an ARM processor, with one relocation of each kind that Xen's objects contain and the loader handles correctly.
    package init(_ machine: Machine) {
        self.init()
        self.machine = machine
        alignment = ".p2align 2"
        text =
            (machine == .arm32 ? Self.text32 : Self.text64) + """

                .size new_victim, new_victim_end - new_victim
                .section .rodata.message, "a", %progbits
                .p2align 3
                message: .asciz "hello"
                .p2align 3
                numbers: .long 1, 2, 3, 4
                """
        data = """
            .section .bss.counter, "aw", %nobits
            .p2align 3
            counter: .skip 16
            """
        newSize = "new_victim_end - new_victim"
        oldSize = "40"
        buildID = Self.note("0x91", ".note.gnu.build-id", alignment: alignment)
        depends = Self.note(nil, ".livepatch.depends", alignment: alignment)
        xenDepends = Self.note(nil, ".livepatch.xen_depends", alignment: alignment)
    }

    private static let text64 = """
        .section .text.new_victim, "ax", %progbits
        .p2align 4
        new_victim:
            adrp x0, message
            add x0, x0, :lo12:message
            bl printk
            adrp x1, counter
            ldrb w2, [x1, :lo12:counter + 1]
            ldrh w2, [x1, :lo12:counter + 2]
            ldr w2, [x1, :lo12:counter + 4]
            ldr x2, [x1, :lo12:counter + 8]
            ldr q2, [x1, :lo12:numbers - 8]
            movz x3, #:abs_g3:printk
            movk x3, #:abs_g2_nc:printk
            movk x3, #:abs_g1_nc:printk
            movk x3, #:abs_g0_nc:printk + 4
            adr x4, second
            tbz w2, #3, second
            cbz w2, second
            b hidden
        new_victim_end:
        .section .text.second, "ax", %progbits
        .p2align 4
        second:
            ret
            .8byte message + 3, second - .
            .4byte counter - ., printk - .
        """

    private static let text32 = """
        .syntax unified
        .arch armv7-a
        .arm
        .section .text.new_victim, "ax", %progbits
        .p2align 3
        new_victim:
            movw r0, #:lower16:message
            movt r0, #:upper16:message
            bl printk
            movw r1, #:lower16:counter
            bl second
            nop
            b hidden
            .4byte printk, message + 3, second + 4, counter - .
        new_victim_end:
        .section .text.second, "ax", %progbits
        .p2align 3
        second:
            bx lr
            bx lr
        """
}

import ArchARM
import ELFModel
import TargetArchitecture
import XenVersions

// arm32, as Xen uses it: ARM instructions of four bytes, never Thumb.
//
// Relocations are SHT_REL: each addend stands in the instruction or word itself. It is taken out when an object is read, and put
// back when a payload is written. Switch tables and literal pools are in the code, as words with the address of a place in the
// function. The mapping symbols `$a` and `$d` tell code from data. `$t`, for Thumb, makes the loader refuse the file.
//
// The payload loader of arm32 (`xen/arch/arm/arm32/livepatch.c`, Xen 4.8 to 4.22) has three faults that kill the hypervisor:
//
//  - A branch whose distance is an odd number of words lands one word short. So a payload has no relocated branch at all. A branch
//    within the payload's text is resolved when the payload is written. A branch to the hypervisor goes to a veneer in the payload's
//    text: `ldr pc, [pc, #-4]`, followed by the address, an ABS32 that the loader gets right. Compiling with -mlong-calls would also
//    help, but then the original would no longer be what runs, and could not be compared with it: 1,474 of the 2,076 functions of Xen
//    4.17.5 get another size, and the text grows by 11 % (GCC 12). A long call costs two more instructions at each call. A veneer
//    costs one more instruction on the way, and 8 bytes for each function that the payload calls, from however many places.
//  - MOVW and MOVT lose their addend. So each gets a symbol at the exact place that it refers to.
//  - Sections are placed by their alignment only, and a misaligned access is fatal. So tables and notes are aligned to 4.
//
// A fourth fault is in the trap handler. WARN, BUG, ASSERT and run_in_exception_handler consist of an undefined instruction, and the
// handler looks for it in the hypervisor's own text only (`do_trap_undefined_instruction` of `xen/arch/arm/arm32/traps.c`, before Xen
// 4.20). BUG and ASSERT stop the machine anyway; the other two can't be in a payload.
//
// There is no exception table.

/// arm32.
package struct ArchARM32: TargetArchitecture {
    package init() {}

    package var name: String { "arm32" }
    package var kconfigOption: String { "ARM_32" }
    package var machine: UInt16 { ELF.Machine.arm }
    package var elfClass: ELFClass { .bits32 }
    package var byteOrder: ByteOrder { .little }
    package var toolchainPrefix: String { "arm-linux-gnueabihf-" }
    /// EABI version 5, which the loader demands.
    package var headerFlags: UInt32 { 0x0500_0000 }
    package var hasAddendsInPlace: Bool { true }
    package var toolchainPackage: String { "gcc-arm-linux-gnueabihf" }

    /// Types of the ELF for the ARM architecture (IHI 0044), section 4.6.1. Loadable: `arch_livepatch_perform` of
    /// `xen/arch/arm/arm32/livepatch.c` in Xen 4.8 to 4.22.
    package func relocationKind(_ type: UInt32) -> RelocationKind? {
        func data(_ name: String, _ value: RelocationKind.Value, _ loading: RelocationKind.Loading = .performed) -> RelocationKind {
            RelocationKind("R_ARM_\(name)", value, .bytes(4), loading: loading)
        }
        func branch(_ name: String) -> RelocationKind {
            RelocationKind(
                "R_ARM_\(name)", .relative, RelocationField(width: 4, shift: 2, groups: [.init(24, at: 0)]), limit: .signed,
                loading: .wrong("a branch over an odd number of words lands one word short"), bias: 8)
        }
        func half(_ name: String, shift: Int) -> RelocationKind {
            RelocationKind(
                "R_ARM_\(name)", .absolute,
                RelocationField(
                    width: 4, shift: shift, dropsLowBits: shift > 0, groups: [.init(12, at: 0), .init(4, at: 16)], addendShift: 0),
                loading: .withoutAddend)
        }
        switch type {
        case 0: return RelocationKind("R_ARM_NONE", .nothing, .bytes(4))
        case Relocation.abs32: return data("ABS32", .absolute)
        case 3: return data("REL32", .relative)
        case Relocation.call: return branch("CALL")
        case Relocation.jump24: return branch("JUMP24")
        case 38: return data("TARGET1", .absolute, .refused)
        case 42:
            return RelocationKind(
                "R_ARM_PREL31", .relative, RelocationField(width: 4, groups: [.init(31, at: 0)]), limit: .signed, loading: .refused)
        case Relocation.movw: return half("MOVW_ABS_NC", shift: 0)
        case Relocation.movt: return half("MOVT_ABS", shift: 16)
        default: return nil
        }
    }

    enum Relocation {
        static let abs32: UInt32 = 2
        static let call: UInt32 = 28
        static let jump24: UInt32 = 29
        static let movw: UInt32 = 43
        static let movt: UInt32 = 44
    }

    package var pointerRelocation: UInt32 { Relocation.abs32 }

    /// The distance of a branch counts from two instructions after it.
    package func distances(of relocations: [(relocation: ELFRelocation, slot: Range<Int>)], in code: ArraySlice<UInt8>) -> [Int64?] {
        relocations.map { relocation, _ in distance(of: relocation) }
    }

    private func distance(of relocation: ELFRelocation) -> Int64? {
        relocationKind(relocation.type).map { relocation.addend &+ $0.bias }
    }

    /// One instruction (`xen/arch/arm/livepatch.c`, `arch_livepatch_verify_func`).
    package func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int { 4 }
    package var trampolineReach: Int64 { 32 << 20 }

    /// `b` (`xen/arch/arm/arm32/livepatch.c`, `arch_livepatch_apply`). Its distance counts from two instructions after it.
    package func trampoline(at place: UInt64, to target: UInt64) -> [UInt8] {
        [UInt8](word: 0xea00_0000 | UInt32(truncatingIfNeeded: (target &- place &- 8) >> 2) & 0x00ff_ffff)
    }

    /// `mov r0, #number`, among the first instructions.
    package func returnedConstant(_ code: ArraySlice<UInt8>) -> UInt64? {
        firstWords(of: code).first { $0 & 0xffff_ff00 == 0xe3a0_0000 }.map { $0 & 0xff }
    }

    /// r0 to r3 (AAPCS32, 6.1.1).
    package var argumentRegisters: Set<UInt8> { Set(0...3) }
    package var functionAlignment: UInt64 { 8 }
    /// Four zero bytes are `andeq r0, r0, r0`, which does nothing. No single byte, repeated, makes an instruction that stops.
    package var textFiller: UInt8 { 0 }

    /// `ldr pc, [pc, #-4]`, and the address that it loads.
    package var veneer: Veneer? {
        Veneer(code: [0x04, 0xf0, 0x1f, 0xe5, 0, 0, 0, 0], relocation: (offset: 4, type: Relocation.abs32, addend: 0))
    }

    /// NOP (0xe320f000), `mov r0, r0` (0xe1a00000), and zero.
    package func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.isMadeOf(words: [0, 0xe320_f000, 0xe1a0_0000]) }

    package func isMappingSymbol(_ name: String) -> Bool {
        ["$a", "$d", "$t"].contains { name == $0 || name.hasPrefix($0 + ".") }
    }

    package func instructionText(at offset: Int, in code: ArraySlice<UInt8>) -> InstructionText? { code.wordText(at: offset) }

    package func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? { code.words() }

    /// Tables for stack unwinding, which Xen does not do.
    package var uselessSections: [String] { [".ARM"] }

    package func specialTables(of version: XenVersion) -> [SpecialTable] {
        guard !version.recognisesBugFramesOfPayloadsOnARM32 else { return SpecialTable.ofARM }
        return SpecialTable.ofARM.map { table in
            guard [SectionName.bugFrames(0), SectionName.bugFrames(1)].contains(table.section) else { return table }
            var table = table
            table.harm = "stops the machine: it recognises WARN() and run_in_exception_handler() in its own code only"
            return table
        }
    }

    /// `arch_livepatch_verify_elf` and `arch_livepatch_symbol_deny` of `xen/arch/arm/arm32/livepatch.c`; HSCTLR_SET of
    /// `xen/arch/arm/include/asm/processor.h`, which makes the processor check the alignment of accesses.
    package func loaderRules(of version: XenVersion) -> LoaderRules {
        var rules = LoaderRules.ofARM(version)
        rules.tablesWithoutAddends = .performed
        rules.headerFlagsMask = 0xff00_0000
        rules.refusedSymbols = ["$t"]
        rules.placeCheck = .never
        rules.wordAlignment = 4
        return rules
    }

    /// `perform_rel`. The loader clears an instruction's field only if there is an addend. It does not add the addend of MOVW and MOVT, and it
    /// drops the lowest bit of a branch's distance in words.
    package func loaded(_ type: UInt32, symbol: UInt64, addend: Int64, at place: UInt64, in number: UInt64) -> LoadedField? {
        guard let kind = relocationKind(type) else { return nil }
        let cleared = addend == 0 ? number : number & ~kind.field.mask
        switch type {
        case Relocation.movw, Relocation.movt:
            return LoadedField(number: cleared | kind.field.storing(symbol, in: 0), fits: true)
        case Relocation.call, Relocation.jump24:
            let distance = symbol &+ UInt64(bitPattern: addend) &- place
            return LoadedField(
                number: cleared | kind.field.storing(distance, in: 0) & ~1, fits: kind.holds(distance, addressSize: elfClass.addressSize))
        default:
            return kind.loaded(symbol: symbol, addend: addend, at: place, in: number, addressSize: elfClass.addressSize)
        }
    }
}

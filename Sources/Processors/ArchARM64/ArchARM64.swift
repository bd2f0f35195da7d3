import ArchARM
import ELFModel
import TargetArchitecture
import XenVersions

// arm64, as Xen uses it.
//
// Every instruction has four bytes. Relocations are SHT_RELA and count from the instruction itself, so an addend is the distance from the
// symbol to the place meant. The compiler reaches data in two steps, by page (ADRP) and by the place in the page (ADD, LDR, STR): two
// relocations hold the halves of one address. Calls and jumps reach ±128 MiB, and payloads lie within a few MiB of the hypervisor.
//
// Switch tables are in `.rodata` and hold distances within the function, which the assembler has already filled in. So a table has no
// relocations. It is compared by its content, as part of the function that refers to it.
//
// Cortex-A53 has erratum 843419: an ADRP in one of the last two words of a 4 KiB page, followed by certain loads and stores, may
// compute a wrong address. The hypervisor's linker works around it (`--fix-cortex-a53-843419`). Nothing does so for a payload, so its
// functions are laid out to have no ADRP in such a place. What the linker changed in the hypervisor's own code is recognised when that
// code is compared (LinkerFixes.swift).
//
// The mapping symbols `$x` and `$d` tell code from data. There is no exception table, and no landing pad.

/// arm64.
package struct ArchARM64: TargetArchitecture {
    package init() {}

    package var name: String { "arm64" }
    package var kconfigOption: String { "ARM_64" }
    package var machine: UInt16 { ELF.Machine.aarch64 }
    package var elfClass: ELFClass { .bits64 }
    package var byteOrder: ByteOrder { .little }
    package var toolchainPrefix: String { "aarch64-linux-gnu-" }
    package var toolchainPackage: String { "gcc-aarch64-linux-gnu" }

    /// Types of the AArch64 ELF ABI (IHI 0056), section 5.7. Loadable: `arch_livepatch_perform_rela` of `xen/arch/arm/arm64/livepatch.c`
    /// in Xen 4.8 to 4.22. That loader checks a TSTBR14 for 19 bits but stores 14; the limit here is the 14 that it stores.
    package func relocationKind(_ type: UInt32) -> RelocationKind? {
        func kind(
            _ name: String, _ value: RelocationKind.Value, _ field: RelocationField, _ limit: RelocationKind.Limit = .none,
            _ loading: RelocationKind.Loading = .performed
        ) -> RelocationKind { RelocationKind("R_AARCH64_\(name)", value, field, limit: limit, loading: loading) }
        /// Bits of an instruction.
        func word(_ count: Int, at: Int, shift: Int = 0) -> RelocationField {
            RelocationField(width: 4, shift: shift, groups: [.init(count, at: at)])
        }
        /// 16 bits of an address, from bit 16 × `group` on.
        func wide(_ group: Int) -> RelocationField {
            RelocationField(width: 4, shift: 16 * group, dropsLowBits: group > 0, groups: [.init(16, at: 5)])
        }
        let page = RelocationField(width: 4, shift: 12, dropsLowBits: true, groups: [.init(2, at: 29), .init(19, at: 5)])
        switch type {
        case 0, 256: return kind("NONE", .nothing, .bytes(4))
        case Relocation.abs64: return kind("ABS64", .absolute, .bytes(8))
        case 258: return kind("ABS32", .absolute, .bytes(4), .signedOrUnsigned)
        case 259: return kind("ABS16", .absolute, .bytes(2), .signedOrUnsigned)
        case 260: return kind("PREL64", .relative, .bytes(8))
        case 261: return kind("PREL32", .relative, .bytes(4), .signedOrUnsigned)
        case 262: return kind("PREL16", .relative, .bytes(2), .signedOrUnsigned)
        case 264: return kind("MOVW_UABS_G0_NC", .absolute, wide(0))
        case 266: return kind("MOVW_UABS_G1_NC", .absolute, wide(1))
        case 268: return kind("MOVW_UABS_G2_NC", .absolute, wide(2))
        case 269: return kind("MOVW_UABS_G3", .absolute, wide(3))
        case 273: return kind("LD_PREL_LO19", .relative, word(19, at: 5, shift: 2), .signed, .refused)
        case 274:
            return kind("ADR_PREL_LO21", .relative, RelocationField(width: 4, groups: [.init(2, at: 29), .init(19, at: 5)]), .signed)
        case 275: return kind("ADR_PREL_PG_HI21", .page, page, .signed)
        case 276: return kind("ADR_PREL_PG_HI21_NC", .page, page)
        case 277: return kind("ADD_ABS_LO12_NC", .absolute, word(12, at: 10))
        case 278: return kind("LDST8_ABS_LO12_NC", .absolute, word(12, at: 10))
        case Relocation.tstbr14: return kind("TSTBR14", .relative, word(14, at: 5, shift: 2), .signed)
        case 280: return kind("CONDBR19", .relative, word(19, at: 5, shift: 2), .signed)
        case 282: return kind("JUMP26", .relative, word(26, at: 0, shift: 2), .signed)
        case 283: return kind("CALL26", .relative, word(26, at: 0, shift: 2), .signed)
        case 284: return kind("LDST16_ABS_LO12_NC", .absolute, word(11, at: 10, shift: 1))
        case 285: return kind("LDST32_ABS_LO12_NC", .absolute, word(10, at: 10, shift: 2))
        case 286: return kind("LDST64_ABS_LO12_NC", .absolute, word(9, at: 10, shift: 3))
        case 299: return kind("LDST128_ABS_LO12_NC", .absolute, word(8, at: 10, shift: 4))
        case 311: return kind("ADR_GOT_PAGE", .other, page, .none, .refused)
        case 312: return kind("LD64_GOT_LO12_NC", .other, word(9, at: 10, shift: 3), .none, .refused)
        default: return nil
        }
    }

    enum Relocation {
        static let abs64: UInt32 = 257
        static let tstbr14: UInt32 = 279
    }

    package var pointerRelocation: UInt32 { Relocation.abs64 }

    package func distances(of relocations: [(relocation: ELFRelocation, slot: Range<Int>)], in code: ArraySlice<UInt8>) -> [Int64?] {
        relocations.map { relocation, _ in distance(of: relocation) }
    }

    private func distance(of relocation: ELFRelocation) -> Int64? {
        relocation.addend
    }

    /// One instruction (`xen/arch/arm/livepatch.c`, `arch_livepatch_verify_func`).
    package func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int { 4 }
    package var trampolineReach: Int64 { 128 << 20 }

    /// `b` (`xen/arch/arm/arm64/livepatch.c`, `arch_livepatch_apply`).
    package func trampoline(at place: UInt64, to target: UInt64) -> [UInt8] {
        [UInt8](word: 0x1400_0000 | UInt32(truncatingIfNeeded: (target &- place) >> 2) & 0x03ff_ffff)
    }

    /// `mov w0, #number`, among the first instructions.
    package func returnedConstant(_ code: ArraySlice<UInt8>) -> UInt64? {
        firstWords(of: code).first { $0 & 0xffe0_001f == 0x5280_0000 }.map { $0 >> 5 & 0xffff }
    }

    /// x0 to x7 (AAPCS64, 6.4.2).
    package var argumentRegisters: Set<UInt8> { Set(0...7) }
    package var functionAlignment: UInt64 { 16 }
    /// UDF #0.
    package var textFiller: UInt8 { 0 }

    /// NOP (0xd503201f) and UDF #0.
    package func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.isMadeOf(words: [0, 0xd503_201f]) }

    package func isMappingSymbol(_ name: String) -> Bool {
        ["$x", "$d"].contains { name == $0 || name.hasPrefix($0 + ".") }
    }

    package func instructionText(at offset: Int, in code: ArraySlice<UInt8>) -> InstructionText? { code.wordText(at: offset) }

    package func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? { code.words() }

    /// Refuses an ADRP in the last two words of a page, where erratum 843419 could strike.
    package func mayStand(_ code: ArraySlice<UInt8>, at offset: Int) -> Bool {
        var index = (0x1000 - 8 - offset) & 0xfff
        while index + 4 <= code.count {
            for place in [index, index + 4] where place + 4 <= code.count {
                let word = byteOrder.number(code.dropFirst(place).prefix(4))
                if word & 0x9f00_0000 == 0x9000_0000 { return false }
            }
            index += 0x1000
        }
        return true
    }

    package func specialTables(of version: XenVersion) -> [SpecialTable] { SpecialTable.ofARM }

    /// `arch_livepatch_perform_rel` and `arch_livepatch_perform_rela` of `xen/arch/arm/arm64/livepatch.c`.
    package func loaderRules(of version: XenVersion) -> LoaderRules {
        var rules = LoaderRules.ofARM(version)
        rules.tablesWithoutAddends = .notImplemented
        rules.placeCheck = .beforeType(bytes: 4)
        // MOVW_UABS_G0…G2 with a check, MOVW_SABS and MOVW_PREL: no compiler emits these for Xen.
        rules.undescribedRelocations = Set([263, 265, 267, 270, 271, 272] + (287...293))
        return rules
    }

    /// The loader does not know R_AARCH64_NONE, and it checks a TSTBR14 for 19 bits.
    package func loaded(_ type: UInt32, symbol: UInt64, addend: Int64, at place: UInt64, in number: UInt64) -> LoadedField? {
        guard var kind = relocationKind(type), kind.value != .nothing,
            var loaded = kind.loaded(symbol: symbol, addend: addend, at: place, in: number, addressSize: elfClass.addressSize)
        else { return nil }
        if type == Relocation.tstbr14, let result = kind.result(symbol &+ UInt64(bitPattern: addend), at: place) {
            kind.field.groups = [.init(19, at: 5)]
            loaded.fits = kind.holds(result, addressSize: elfClass.addressSize)
        }
        return loaded
    }
}

import ELFModel
import TargetArchitecture

// arm64, as Xen uses it.
//
// Relocations are SHT_RELA and count from the slot, which is the instruction: the addend is the distance. Calls reach ±128 MiB,
// data is reached by page (ADRP) and offset. Mapping symbols `$x` and `$d` tell code from literal pools. There is no exception table.

/// arm64.
public struct ArchARM64: TargetArchitecture {
    public init() {}

    public var name: String { "arm64" }
    public var machine: UInt16 { ELF.Machine.aarch64 }
    public var elfClass: ELFClass { .bits64 }
    public var byteOrder: ByteOrder { .little }
    public var toolchainPrefix: String { "aarch64-linux-gnu-" }
    public var toolchainPackage: String { "gcc-aarch64-linux-gnu" }

    /// Types of the AArch64 ELF ABI (IHI 0056), section 5.7. Loadable: `arch_livepatch_perform_rela` of Xen 4.17.
    public func relocationKind(_ type: UInt32) -> RelocationKind? {
        func kind(_ name: String, _ width: Int, relative: Bool = false) -> RelocationKind {
            RelocationKind(name: "R_AARCH64_\(name)", width: width, isPCRelative: relative, isLoadable: true)
        }
        switch type {
        case 0: return RelocationKind(name: "R_AARCH64_NONE", width: 0, isPCRelative: false, isLoadable: true)
        case 257: return kind("ABS64", 8)
        case 258: return kind("ABS32", 4)
        case 260: return kind("PREL64", 8, relative: true)
        case 261: return kind("PREL32", 4, relative: true)
        case 275: return kind("ADR_PREL_PG_HI21", 4, relative: true)
        case 277: return kind("ADD_ABS_LO12_NC", 4)
        case 278: return kind("LDST8_ABS_LO12_NC", 4)
        case 282: return kind("JUMP26", 4, relative: true)
        case 283: return kind("CALL26", 4, relative: true)
        case 284: return kind("LDST16_ABS_LO12_NC", 4)
        case 285: return kind("LDST32_ABS_LO12_NC", 4)
        case 286: return kind("LDST64_ABS_LO12_NC", 4)
        default: return nil
        }
    }

    public var pointerRelocation: UInt32 { 257 }

    public func distance(of relocation: ELFRelocation, slot: Range<Int>, in code: ArraySlice<UInt8>) -> Int64? {
        relocation.addend
    }

    public var operandBias: Int64 { 0 }
    public func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int { 4 }
    public var trampolineReach: Int64 { 128 << 20 }
    public var functionAlignment: UInt64 { 16 }
    /// UDF #0.
    public var textFiller: UInt8 { 0 }

    /// NOP (0xd503201f) and UDF #0.
    public func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count % 4 == 0 else { return bytes.allSatisfy { $0 == 0 } }
        let all = Array(bytes)
        return stride(from: 0, to: all.count, by: 4).allSatisfy {
            let word = Array(all[$0..<$0 + 4])
            return word == [0, 0, 0, 0] || word == [0x1f, 0x20, 0x03, 0xd5]
        }
    }

    public func isMappingSymbol(_ name: String) -> Bool {
        ["$x", "$d"].contains { name == $0 || name.hasPrefix($0 + ".") }
    }

    public func specialTables(major: Int, minor: Int) -> [SpecialTable] {
        // struct bug_frame (xen/arch/arm/include/asm/bug.h): three distances, each from itself, and the line; 16 bytes with padding.
        let distances = [0, 4, 8].map { SpecialTable.Field(offset: $0) }
        return (0...3).map { SpecialTable(section: ".bug_frames.\($0)", entrySize: 16, fields: distances) } + [
            SpecialTable(
                section: ".altinstructions", entrySize: 12, fields: [.init(offset: 0), .init(offset: 4)],
                piece: .init(section: ".altinstr_replacement", lengthOffset: 11))
        ]
    }
}

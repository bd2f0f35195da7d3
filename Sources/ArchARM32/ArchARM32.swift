import ELFModel
import TargetArchitecture

// arm32, as Xen uses it.
//
// Relocations are SHT_REL: the addend stands in the instruction or word itself. Mapping symbols `$a` and `$d` tell code from
// literal pools; `$t` (Thumb) is refused by the loader. There is no exception table.

/// arm32.
public struct ArchARM32: TargetArchitecture {
    public init() {}

    public var name: String { "arm32" }
    public var machine: UInt16 { ELF.Machine.arm }
    public var elfClass: ELFClass { .bits32 }
    public var byteOrder: ByteOrder { .little }
    public var toolchainPrefix: String { "arm-linux-gnueabihf-" }
    public var toolchainPackage: String { "gcc-arm-linux-gnueabihf" }

    /// Types of the ELF for the ARM architecture (IHI 0044), section 4.6.1. Loadable: `arch_livepatch_perform` of Xen 4.17.
    public func relocationKind(_ type: UInt32) -> RelocationKind? {
        func kind(_ name: String, relative: Bool = false) -> RelocationKind {
            RelocationKind(name: "R_ARM_\(name)", width: 4, isPCRelative: relative, isLoadable: true)
        }
        switch type {
        case 0: return RelocationKind(name: "R_ARM_NONE", width: 0, isPCRelative: false, isLoadable: true)
        case 2: return kind("ABS32")
        case 3: return kind("REL32", relative: true)
        case 28: return kind("CALL", relative: true)
        case 29: return kind("JUMP24", relative: true)
        case 43: return kind("MOVW_ABS_NC")
        case 44: return kind("MOVT_ABS")
        default: return nil
        }
    }

    public var pointerRelocation: UInt32 { 2 }

    /// nil: the addend is in the code, and reading it there is not done yet.
    public func distance(of relocation: ELFRelocation, slot: Range<Int>, in code: ArraySlice<UInt8>) -> Int64? { nil }

    public var operandBias: Int64 { 0 }
    public func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int { 4 }
    public var trampolineReach: Int64 { 32 << 20 }
    public var functionAlignment: UInt64 { 8 }
    public var textFiller: UInt8 { 0 }

    public func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool {
        let nop: [UInt8] = [0x00, 0xf0, 0x20, 0xe3]
        let all = Array(bytes)
        guard all.count % 4 == 0 else { return all.allSatisfy { $0 == 0 } }
        return stride(from: 0, to: all.count, by: 4).allSatisfy {
            let word = Array(all[$0..<$0 + 4])
            return word == [0, 0, 0, 0] || word == nop
        }
    }

    public func isMappingSymbol(_ name: String) -> Bool {
        ["$a", "$d", "$t"].contains { name == $0 || name.hasPrefix($0 + ".") }
    }

    public func specialTables(major: Int, minor: Int) -> [SpecialTable] {
        let distances = [0, 4, 8].map { SpecialTable.Field(offset: $0) }
        return (0...3).map { SpecialTable(section: ".bug_frames.\($0)", entrySize: 16, fields: distances) } + [
            SpecialTable(
                section: ".altinstructions", entrySize: 12, fields: [.init(offset: 0), .init(offset: 4)],
                piece: .init(section: ".altinstr_replacement", lengthOffset: 11))
        ]
    }
}

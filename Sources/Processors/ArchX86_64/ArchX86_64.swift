import ELFModel
import TargetArchitecture
import XenVersions

// x86_64, as Xen uses it.
//
// Code is position independent without a GOT: everything is hidden, so that calls are PLT32 and data references PC32,
// both 32 bits relative to the *slot*, while the processor counts from the end of the *instruction*. The addend
// therefore holds -4 for most instructions and less where an immediate follows the displacement
// (`cmpl $1, x(%rip)`: -8 or -5). GAS replaces local symbols by section + offset, keeping that sum: to learn which variable of
// a section with several is meant, the instruction has to be decoded (InstructionLength.swift). Strings and constants in mergeable
// sections keep their `.LC` symbols in PC-relative references.
//
// Indirect-branch tracking: a function that may be called through a pointer starts with ENDBR64, which must stay there
// or be turned into its poison form at boot; the hypervisor then writes its 5-byte trampoline behind it.
//
// Tables hold 32-bit distances, bug frames 24-bit ones: a payload may lie farther than those 8 MiB from a function of the
// hypervisor that its frame names, so that such a frame is led over a jump of the payload's own. Each field of `.ex_table` and `.altinstructions` counts from itself; those of bug frames
// count from the entry's start and share their word with half of the line number.

/// x86_64.
package struct ArchX86_64: TargetArchitecture {
    package init() {}

    package var name: String { "x86_64" }
    package var kconfigOption: String { "X86_64" }
    package var machine: UInt16 { ELF.Machine.x86_64 }
    package var elfClass: ELFClass { .bits64 }
    package var byteOrder: ByteOrder { .little }
    package var toolchainPrefix: String { "x86_64-linux-gnu-" }
    package var toolchainPackage: String { "gcc-x86-64-linux-gnu" }

    /// Types of the x86-64 psABI, table 4.10. Loadable: `arch_livepatch_perform_rela` of Xen 4.7 to 4.22.
    package func relocationKind(_ type: UInt32) -> RelocationKind? {
        func relative(_ name: String, _ width: Int, _ loading: RelocationKind.Loading) -> RelocationKind {
            RelocationKind("R_X86_64_\(name)", .relative, .bytes(width), limit: .signed, loading: loading, bias: Int64(width))
        }
        func absolute(_ name: String, _ width: Int, _ limit: RelocationKind.Limit) -> RelocationKind {
            RelocationKind("R_X86_64_\(name)", .absolute, .bytes(width), limit: limit, loading: .refused)
        }
        func other(_ name: String) -> RelocationKind { RelocationKind("R_X86_64_\(name)", .other, .bytes(4), loading: .refused) }
        switch type {
        case Relocation.none: return RelocationKind("R_X86_64_NONE", .nothing, .bytes(8))
        case Relocation.abs64: return RelocationKind("R_X86_64_64", .absolute, .bytes(8))
        case Relocation.pc32: return relative("PC32", 4, .performed)
        case Relocation.plt32: return relative("PLT32", 4, .performed)
        case 9: return other("GOTPCREL")
        case 10: return absolute("32", 4, .none)
        case 11: return absolute("32S", 4, .signed)
        case 12: return absolute("16", 2, .signedOrUnsigned)
        case 13: return relative("PC16", 2, .refused)
        case 14: return absolute("8", 1, .signedOrUnsigned)
        case 15: return relative("PC8", 1, .refused)
        case 24: return relative("PC64", 8, .refused)
        case 41: return other("GOTPCRELX")
        case 42: return other("REX_GOTPCRELX")
        default: return nil
        }
    }

    enum Relocation {
        static let none: UInt32 = 0
        static let abs64: UInt32 = 1
        static let pc32: UInt32 = 2
        static let plt32: UInt32 = 4
    }

    package func areEquivalent(_ a: UInt32, _ b: UInt32) -> Bool {
        let relative = [Relocation.pc32, Relocation.plt32]
        return a == b || (relative.contains(a) && relative.contains(b))
    }

    package var pointerRelocation: UInt32 { Relocation.abs64 }

    package func distance(of relocation: ELFRelocation, slot: Range<Int>, in code: ArraySlice<UInt8>) -> Int64? {
        guard let kind = relocationKind(relocation.type) else { return nil }
        guard kind.isPCRelative else { return relocation.addend }
        return trailingBytes(after: slot, in: code).map { relocation.addend + Int64(kind.width + $0) }
    }

    /// 5 for `jmp rel32`, behind the ENDBR64 if there is one (`arch_livepatch_verify_func`).
    package func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int {
        beginsWithLandingPad(firstBytes) ? landingPadSize + 5 : 5
    }

    /// ENDBR64, or what the hypervisor writes over one that no indirect call needs (`xen/arch/x86/include/asm/endbr.h`).
    package func beginsWithLandingPad(_ firstBytes: ArraySlice<UInt8>) -> Bool {
        let start = Array(firstBytes.prefix(landingPadSize))
        return start == [0xf3, 0x0f, 0x1e, 0xfa] || start == [0x66, 0x0f, 0x1f, 0x01]
    }

    package var landingPadSize: Int { 4 }

    /// ENDBR64, `jmp rel32`.
    package var veneer: Veneer? {
        Veneer(
            code: [0xf3, 0x0f, 0x1e, 0xfa, 0xe9, 0, 0, 0, 0], relocation: (offset: 5, type: Relocation.plt32, addend: -4))
    }

    package var trampolineReach: Int64 { 1 << 31 }

    /// `jmp rel32` (`xen/arch/x86/livepatch.c`, `arch_livepatch_apply`).
    package func trampoline(at place: UInt64, to target: UInt64) -> [UInt8] {
        let distance = UInt32(truncatingIfNeeded: target &- place &- 5)
        return [0xe9] + (0..<4).map { UInt8(truncatingIfNeeded: distance >> (8 * $0)) }
    }

    /// `mov $number,%eax`, behind a landing pad and a frame pointer's `push %rbp; mov %rsp,%rbp` where there are such.
    package func returnedConstant(_ code: ArraySlice<UInt8>) -> UInt64? {
        var rest = beginsWithLandingPad(code) ? code.dropFirst(landingPadSize) : code
        if rest.starts(with: [0x55, 0x48, 0x89, 0xe5]) { rest = rest.dropFirst(4) }
        guard rest.first == 0xb8, rest.count >= 5 else { return nil }
        return byteOrder.number(rest.dropFirst().prefix(4))
    }

    package var functionAlignment: UInt64 { 16 }
    /// INT3.
    package var textFiller: UInt8 { 0xcc }

    package func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.allSatisfy({ $0 == 0 || $0 == 0xcc }) { return true }
        var rest = bytes
        while !rest.isEmpty {
            guard let length = nopLength(rest) else { return false }
            rest = rest.dropFirst(length)
        }
        return true
    }

    /// The length of the NOP at the start of `bytes`: `90`, `66 90`, and the long forms `(66)* (2e) 0f 1f /0`.
    func nopLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        while index < bytes.endIndex, bytes[index] == 0x66 || bytes[index] == 0x2e { index += 1 }
        guard index < bytes.endIndex else { return nil }
        if bytes[index] == 0x90 { return index - bytes.startIndex + 1 }
        guard bytes[index...].starts(with: [0x0f, 0x1f]), index + 2 < bytes.endIndex else { return nil }
        let modRM = bytes[index + 2]
        let sib = modRM & 7 == 4 ? 1 : 0
        let displacement: Int
        switch modRM >> 6 {
        case 0: displacement = 0
        case 1: displacement = 1
        case 2: displacement = 4
        default: return nil
        }
        let length = index - bytes.startIndex + 3 + sib + displacement
        return length <= bytes.count ? length : nil
    }

    package func isMappingSymbol(_ name: String) -> Bool { false }

    package func loaderRules(of version: XenVersion) -> LoaderRules {
        var rules = LoaderRules()
        rules.sparesLandingPads = version.sparesLandingPads
        return rules
    }

    package func specialTables(of version: XenVersion) -> [SpecialTable] {
        // A bug frame: two words, each 24 bits of distance from the frame and half of the line above them; an assertion's has
        // a zero word and the distance to its text besides (xen/arch/x86/include/asm/bug.h).
        let bugFields = [SpecialTable.Field(offset: 0, bits: 24), SpecialTable.Field(offset: 4, bias: 4, bits: 24)]
        var tables = (0...2).map { SpecialTable(section: SectionName.bugFrames($0), entrySize: 8, fields: bugFields) }
        tables.append(
            SpecialTable(section: SectionName.bugFrames(3), entrySize: 16, fields: bugFields + [.init(offset: 12, bias: 12)]))

        // Faulting instruction, where to go on (xen/arch/x86/extable.c). The payload loader takes no `.ex_table.pre`.
        let exceptionFields = [SpecialTable.Field(offset: 0), SpecialTable.Field(offset: 4)]
        for (section, isLoaded) in [(SectionName.exceptionTable, true), (SectionName.earlyExceptionTable, false)] {
            tables.append(
                SpecialTable(
                    section: section, entrySize: 8, fields: exceptionFields, replacement: .init(section: SectionName.fixups),
                    isLoaded: isLoaded))
        }

        tables.append(
            SpecialTable(
                section: SectionName.alternatives, entrySize: version.countsAlternativePadding ? 14 : 12, alignment: 1,
                fields: [.init(offset: 0), .init(offset: 4)],
                replacement: .init(section: SectionName.alternativeReplacements, lengthOffset: 11), patchesCode: true))
        if version.listsAlternativeCalls {
            // struct alt_call: the place of a `call *pointer(%rip)`.
            tables.append(
                SpecialTable(
                    section: SectionName.alternativeCalls, entrySize: 4, fields: [.init(offset: 0)], patchesCode: true,
                    call: .init(start: [0xff, 0x15], size: 6)))
        }
        return tables
    }
}

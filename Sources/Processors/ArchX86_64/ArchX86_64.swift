import ELFModel
import TargetArchitecture
import XenVersions

// x86_64, as Xen uses it.
//
// Code is position independent without a GOT. Everything is hidden, so calls are PLT32 and data references are PC32,
// both 32 bits relative to the *slot*, while the processor counts from the end of the *instruction*. So the addend
// holds -4 for most instructions, and less if an immediate follows the displacement (`cmpl $1, x(%rip)`: -8 or -5).
// GAS replaces local symbols by section + offset and keeps that sum. If a section has several variables, only decoding
// the instruction shows which one is meant (InstructionLayout.swift). Strings and constants in mergeable sections keep
// their `.LC` symbols in PC-relative references.
//
// Indirect-branch tracking: a function that may be called through a pointer starts with ENDBR64, which must stay there
// or be turned into its poison form at boot; the hypervisor then writes its 5-byte trampoline behind it.
//
// Tables hold 32-bit distances, bug frames 24-bit ones. A payload may be farther than those 8 MiB from a hypervisor function that one of
// its bug frames names. Such a frame then leads to a jump in the payload itself. Each field of `.ex_table` and `.altinstructions` counts
// from itself. The fields of bug frames count from the entry's start and share their word with half of the line number.

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

    package func distances(of relocations: [(relocation: ELFRelocation, slot: Range<Int>)], in code: ArraySlice<UInt8>) -> [Int64?] {
        let kinds = relocations.map { relocationKind($0.relocation.type) }
        let counted = relocations.indices.filter { kinds[$0]?.isPCRelative ?? false }
        let trailing = Dictionary(
            zip(counted, trailingBytes(after: counted.map { relocations[$0].slot }, in: code)).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
        return relocations.indices.map { index in
            guard let kind = kinds[index] else { return nil }
            let addend = relocations[index].relocation.addend
            guard kind.isPCRelative else { return addend }
            return (trailing[index] ?? nil).map { addend &+ Int64(kind.width + $0) }
        }
    }

    /// As Zydis writes it, in AT&T syntax; the bytes in hexadecimal when Zydis can't decode them.
    package func instructionText(at offset: Int, in code: ArraySlice<UInt8>) -> InstructionText? {
        var range: Range<Int>?
        _ = Decoder.walk(code) { start, layout in
            guard offset < start + layout.length else { return true }
            range = start..<start + layout.length
            return false
        }
        guard offset >= 0, let range else { return nil }
        let text = Decoder.text(code.dropFirst(range.lowerBound), at: range.lowerBound)
        return InstructionText(
            range: range, mnemonic: text.map { String($0.prefix { $0 != " " }) },
            text: text ?? hexadecimal(code.dropFirst(range.lowerBound).prefix(range.count)))
    }

    private func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }

    /// 5 for `jmp rel32`, plus the size of ENDBR64 if there is one (`arch_livepatch_verify_func`).
    package func minimumFunctionSize(firstBytes: ArraySlice<UInt8>) -> Int {
        beginsWithLandingPad(firstBytes) ? landingPadSize + 5 : 5
    }

    /// ENDBR64, or what the hypervisor writes over an ENDBR64 that no indirect call needs (`xen/arch/x86/include/asm/endbr.h`).
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

    /// `mov $number,%eax`, after a landing pad and after a frame pointer's `push %rbp; mov %rsp,%rbp` if the function has them.
    package func returnedConstant(_ code: ArraySlice<UInt8>) -> UInt64? {
        var rest = beginsWithLandingPad(code) ? code.dropFirst(landingPadSize) : code
        if rest.starts(with: [0x55, 0x48, 0x89, 0xe5]) { rest = rest.dropFirst(4) }
        guard rest.first == 0xb8, rest.count >= 5 else { return nil }
        return byteOrder.number(rest.dropFirst().prefix(4))
    }

    package var argumentRegisters: Set<UInt8> { Set(Register.arguments.map(UInt8.init)) }
    package var functionAlignment: UInt64 { 16 }
    /// INT3.
    package var textFiller: UInt8 { 0xcc }

    package func isPadding(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 == 0 || $0 == 0xcc } || Decoder.walk(bytes) { $1.isNOP }
    }

    package func isMappingSymbol(_ name: String) -> Bool { false }

    package func loaderRules(of version: XenVersion) -> LoaderRules {
        var rules = LoaderRules()
        rules.sparesLandingPads = version.sparesLandingPads
        // X86_FEATURE_ALWAYS is long mode: bit 29 of the third word (xen/include/public/arch-x86/cpufeatureset.h).
        rules.features = .init(
            array: "known_features", reportedWords: version.reportedFeatureWords, ownWords: version.ownFeatureWords, always: 2 * 32 + 29,
            turnsCalls: version.turnsCallsByAlternatives)
        rules.readsTargetsOfCalls = version.readsTargetsOfAlternativeCalls
        return rules
    }

    package func specialTables(of version: XenVersion) -> [SpecialTable] {
        // A bug frame: two words. Each holds 24 bits of distance from the frame, and above them half of the line number. An assertion's
        // frame also has a zero word and the distance to its text (xen/arch/x86/include/asm/bug.h).
        let bugFields = [SpecialTable.Field(offset: 0, bits: 24), SpecialTable.Field(offset: 4, bias: 4, bits: 24)]
        var tables = (0...2).map { SpecialTable(section: SectionName.bugFrames($0), entrySize: 8, fields: bugFields) }
        tables.append(
            SpecialTable(section: SectionName.bugFrames(3), entrySize: 16, fields: bugFields + [.init(offset: 12, bias: 12)]))

        // The faulting instruction, and where to go on (xen/arch/x86/extable.c). The payload loader ignores `.ex_table.pre`.
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

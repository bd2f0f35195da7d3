import ELFModel
import TargetArchitecture
import XenVersions

// What arm64 and arm32 have in common in Xen, which keeps both in `xen/arch/arm`: the layout of tables, and instructions of
// four bytes.

extension SpecialTable {
    /// The tables of functions, Xen 4.8 to 4.22.
    package static var ofARM: [SpecialTable] {
        // struct bug_frame (xen/arch/arm/include/asm/bug.h): the distances of the place, the file's name and the assertion's text from the
        // frame's start, the line, and padding. What does not assert has no text: the third word leads to whatever follows the name.
        (0...3).map { kind in
            // One whose file's name is not in the hypervisor's own image makes the hypervisor panic, even a WARN; an assertion's text goes
            // unsaid (`do_bug_frame` of xen/arch/arm/traps.c, `is_kernel`, Xen 4.8 to 4.22).
            let hasText = kind == 3
            let fields =
                [Field(offset: 0), Field(offset: 4, bias: 4, text: .inHypervisor)]
                + (hasText ? [Field(offset: 8, bias: 8, text: .betterInHypervisor)] : [])
            return SpecialTable(section: SectionName.bugFrames(kind), entrySize: 16, fields: fields, unreadWords: hasText ? [] : [8])
        } + [
            // struct alt_instr (xen/arch/arm/include/asm/alternative.h): two distances, each from itself, the feature, two lengths.
            SpecialTable(
                section: SectionName.alternatives, entrySize: 12, fields: [.init(offset: 0), .init(offset: 4)],
                replacement: .init(section: SectionName.alternativeReplacements, lengthOffset: 11), patchesCode: true)
        ]
    }
}

extension LoaderRules {
    /// `xen/arch/arm/livepatch.c`, `alternative.c` and `include/asm/mmu/layout.h` (`config.h` in older trees), Xen 4.8 to 4.22.
    package static func ofARM(_ version: XenVersion) -> LoaderRules {
        var rules = LoaderRules()
        rules.checksByteOrder = false
        rules.refusedSections = (version.listsAlternativeCalls ? [SectionName.alternativeCalls] : []) + [SectionName.exceptionTable]
        rules.instructionSize = 4
        rules.holdsNOPsToFunction = false
        rules.wantsAlternativesOfOneLength = true
        rules.overridesReadOnly = false
        rules.patchesImageOnly = true
        // From the way out to the guest to the switch (`xen/arch/arm/traps.c`, `domain.c`, `xen/common/softirq.c`, `sched/core.c`).
        rules.functionsOnWaitingStacks = [
            "leave_hypervisor_tail", "leave_hypervisor_to_guest", "check_for_pcpu_work", "check_for_vcpu_work", "do_softirq", "__do_softirq", "schedule",
            "sched_slave", "sched_context_switch", "context_switch", "idle_loop",
        ]
        // LIVEPATCH_VMAP_START, a window of 2 MiB, from XEN_VIRT_START on, where the image begins. The first page of the window says which
        // are taken, the second one is left free.
        let window: UInt64 = version.hasLargeImageWindowOnARM ? 14 << 20 : 8 << 20
        rules.area = .afterImageStart(window + 2 * 4096)
        return rules
    }
}

/// The first instructions of a function, before which others may save a frame.
package func firstWords(of code: ArraySlice<UInt8>) -> [UInt64] {
    stride(from: 0, to: min(code.count / 4, 4) * 4, by: 4).map { ByteOrder.little.number(code.dropFirst($0).prefix(4)) }
}

extension [UInt8] {
    /// An instruction.
    package init(word: UInt32) { self = (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}

extension ArraySlice<UInt8> {
    /// Whether the bytes are words, each of them one of the given, and zeros where they end within a word.
    package func isMadeOf(words: [UInt64]) -> Bool {
        var rest = self
        while rest.count >= 4 {
            guard words.contains(ByteOrder.little.number(rest.prefix(4))) else { return false }
            rest = rest.dropFirst(4)
        }
        return rest.allSatisfy { $0 == 0 }
    }

    /// The word that a byte belongs to, in hexadecimal as `objdump` prints it; nil beyond the last whole one.
    package func wordText(at offset: Int) -> InstructionText? {
        let start = offset / 4 * 4
        guard offset >= 0, start + 4 <= count else { return nil }
        let digits = String(ByteOrder.little.number(dropFirst(start).prefix(4)), radix: 16)
        return InstructionText(range: start..<start + 4, mnemonic: nil, text: String(repeating: "0", count: 8 - digits.count) + digits)
    }

    /// Word by word, each an instruction that has one encoding only; nil where a part of a word is left.
    package func words() -> [CodeInstruction]? {
        guard count % 4 == 0 else { return nil }
        return stride(from: 0, to: count, by: 4).map { offset in
            CodeInstruction(range: offset..<offset + 4, meaning: Array(dropFirst(offset).prefix(4)))
        }
    }
}

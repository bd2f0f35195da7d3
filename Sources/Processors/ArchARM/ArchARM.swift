import ELFModel
import TargetArchitecture
import XenVersions

// What arm64 and arm32 share in Xen, which keeps both in `xen/arch/arm`: the layout of the tables, and instructions of
// four bytes.

extension SpecialTable {
    /// The special tables, Xen 4.8 to 4.22.
    package static var ofARM: [SpecialTable] {
        // struct bug_frame (xen/arch/arm/include/asm/bug.h): the distances from the frame's start to the code, to the file's name and to the
        // assertion's text; then the line, and padding. A frame that is not an assertion's has no text: its third word leads to whatever
        // follows the name.
        (0...3).map { kind in
            // If the file's name is not in the hypervisor's own image, the hypervisor panics, even at a WARN. If an assertion's text is not
            // there, the hypervisor leaves it out of its message (`do_bug_frame` of xen/arch/arm/traps.c, `is_kernel`, Xen 4.8 to 4.22).
            let hasText = kind == 3
            let fields =
                [Field(offset: 0), Field(offset: 4, bias: 4, text: .inHypervisor)]
                + (hasText ? [Field(offset: 8, bias: 8, text: .betterInHypervisor)] : [])
            return SpecialTable(section: SectionName.bugFrames(kind), entrySize: 16, fields: fields, unreadWords: hasText ? [] : [8])
        } + [
            // struct alt_instr (xen/arch/arm/include/asm/alternative.h): two distances, each from its own field; the feature; two lengths.
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
        // The functions from the exit to the guest to the switch (`xen/arch/arm/traps.c`, `domain.c`, `xen/common/softirq.c`, `sched/core.c`).
        rules.functionsOnWaitingStacks = [
            "leave_hypervisor_tail", "leave_hypervisor_to_guest", "check_for_pcpu_work", "check_for_vcpu_work", "do_softirq", "__do_softirq", "schedule",
            "sched_slave", "sched_context_switch", "context_switch", "idle_loop",
        ]
        // LIVEPATCH_VMAP_START: a window of 2 MiB, counted from XEN_VIRT_START, where the image begins. The first page of the window says which
        // pages are taken, and the second stays free.
        let window: UInt64 = version.hasLargeImageWindowOnARM ? 14 << 20 : 8 << 20
        rules.area = .afterImageStart(window + 2 * 4096)
        return rules
    }
}

/// The first instructions of a function, at most four: the wanted one may come after others that save a frame.
package func firstWords(of code: ArraySlice<UInt8>) -> [UInt64] {
    stride(from: 0, to: min(code.count / 4, 4) * 4, by: 4).map { ByteOrder.little.number(code.dropFirst($0).prefix(4)) }
}

extension [UInt8] {
    /// The four bytes of an instruction, little-endian.
    package init(word: UInt32) { self = (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
}

extension ArraySlice<UInt8> {
    /// Whether every whole word of the bytes is one of `words`. If the bytes end within a word, the rest must be zeros.
    package func isMadeOf(words: [UInt64]) -> Bool {
        var rest = self
        while rest.count >= 4 {
            guard words.contains(ByteOrder.little.number(rest.prefix(4))) else { return false }
            rest = rest.dropFirst(4)
        }
        return rest.allSatisfy { $0 == 0 }
    }

    /// The word that holds the byte at `offset`, in hexadecimal as `objdump` prints it; nil when no whole word holds that byte.
    package func wordText(at offset: Int) -> InstructionText? {
        let start = offset / 4 * 4
        guard offset >= 0, start + 4 <= count else { return nil }
        let digits = String(ByteOrder.little.number(dropFirst(start).prefix(4)), radix: 16)
        return InstructionText(range: start..<start + 4, mnemonic: nil, text: String(repeating: "0", count: 8 - digits.count) + digits)
    }

    /// The instructions that reach out of the code by a distance that is already filled in.
    ///
    /// - Parameters:
    ///   - relocated: the fields that relocations fill; instructions there are left out.
    ///   - distance: for an instruction, the distance in bytes from its own start, and the bits that hold it; nil if it has none.
    /// - Returns: nil when the code ends within a word.
    package func resolvedReferences(
        relocated: [Range<Int>], distance: (UInt64) -> (distance: Int, mask: UInt64)?
    ) -> [ResolvedReference]? {
        guard count % 4 == 0 else { return nil }
        let taken = Set(relocated.map(\.lowerBound))
        return stride(from: 0, to: count, by: 4).compactMap { offset in
            guard !taken.contains(offset) else { return nil }
            let word = ByteOrder.little.number(dropFirst(offset).prefix(4))
            guard let (distance, mask) = distance(word) else { return nil }
            let target = offset + distance
            return target < 0 || target >= count ? ResolvedReference(field: offset..<offset + 4, target: target, rest: word & ~mask) : nil
        }
    }

    /// The code, word by word. Each word is an instruction with only one encoding. Nil when the code ends within a word.
    package func words() -> [CodeInstruction]? {
        guard count % 4 == 0 else { return nil }
        return stride(from: 0, to: count, by: 4).map { offset in
            CodeInstruction(range: offset..<offset + 4, meaning: Array(dropFirst(offset).prefix(4)))
        }
    }
}

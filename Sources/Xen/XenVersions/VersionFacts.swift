// How Xen's versions differ, apart from the payload format (PayloadABI.swift) and the loader (LoaderBehaviour.swift). Each fact says where it
// was read. `Docs/AddingAXenVersion.md` says what to look at when a new version comes out.

extension XenVersion {
    // MARK: Special tables, x86

    /// `struct alt_instr` has `pad_len` and `priv`, and 14 bytes instead of 12 (xen/arch/x86/include/asm/alternative.h, 4.11).
    package var countsAlternativePadding: Bool { isAtLeast4(11) }

    /// Each call through a pointer that becomes a direct one has an entry in `.alt_call_sites` (xen/arch/x86/include/asm/alternative-call.h, 4.21).
    package var listsAlternativeCalls: Bool { isAtLeast4(21) }

    /// The trampoline goes behind ENDBR64. Landing pads came with CET in 4.16. The first release of 4.16 still wrote over them
    /// (`arch_livepatch_apply` of xen/arch/x86/livepatch.c).
    package var sparesLandingPads: Bool { isAtLeast4(16) }

    /// Alternatives turn calls through pointers into direct calls (`_apply_alternatives` of xen/arch/x86/alternative.c, 4.12), until such calls
    /// got a table of their own.
    package var turnsCallsByAlternatives: Bool { isAtLeast4(12) && !listsAlternativeCalls }

    /// The hypervisor looks for a landing pad where an alternative call leads to (xen/arch/x86/alternative.c, 4.17).
    package var readsTargetsOfAlternativeCalls: Bool { isAtLeast4(17) }

    /// How many words of 32 features there are beside those that processors report: made up by Xen (X86_NR_SYNTH), and faults (X86_NR_BUG)
    /// (xen/arch/x86/include/asm/cpufeatures.h).
    package var ownFeatureWords: UInt64 { isAtLeast4(21) ? 3 : isAtLeast4(13) ? 2 : 1 }

    /// How many words of 32 features processors report (FEATURESET_NR_ENTRIES), in the last point release of a branch.
    package var reportedFeatureWords: UInt64 { isAtLeast4(17) ? 19 : isAtLeast4(14) ? 18 : isAtLeast4(13) ? 11 : 10 }

    // MARK: Special tables, ARM

    /// WARN() and run_in_exception_handler() also work in a payload's code. Before 4.20, arm32 looked them up in the hypervisor's own text
    /// only, and stopped the machine (`do_trap_undefined_instruction` of xen/arch/arm/arm32/traps.c).
    package var recognisesBugFramesOfPayloadsOnARM32: Bool { isAtLeast4(20) }

    // MARK: Memory layout, ARM

    /// LIVEPATCH_VMAP_START is 14 MiB behind XEN_VIRT_START; before 4.18 it was 8 MiB (xen/arch/arm/include/asm/mmu/layout.h).
    package var hasLargeImageWindowOnARM: Bool { isAtLeast4(18) }

    // MARK: The payload format

    /// The payload format of the versions that call it livepatch.
    ///
    /// Format 2 came with 4.14. A tree may have adopted it earlier, which only the tree itself can say.
    package var livepatchFormat: PayloadABI {
        if isAtLeast4(14) { return .livepatchV2 }
        return takesHooksAndNOPs ? .livepatchV1 : .livepatchV1Of47
    }

    /// Hooks are called when the payload is loaded and unloaded, and an entry without a new function writes NOPs (4.8).
    var takesHooksAndNOPs: Bool { isAtLeast4(8) }

    // MARK: Distributions

    /// The Xen of Debian 11, 12 and 13 (bullseye, bookworm, trixie), without the point release, which changes.
    package static let ofDebian11 = XenVersion(major: 4, minor: 14)
    package static let ofDebian12 = XenVersion(major: 4, minor: 17)
    package static let ofDebian13 = XenVersion(major: 4, minor: 20)
}

/// Functions that processors may be in while payloads are applied and reverted.
///
/// Source: `xen/common/livepatch.c` (`xsplice.c`), `xen/arch/*/domain.c` and `livepatch.c` of 4.7, 4.11, 4.14, 4.17 and 4.20. In 4.7 to
/// 4.13, processors also called `check_for_livepatch_work` on their way into a guest, with nothing else on their stacks.
package enum PatchingFunctions {
    /// Functions that never return: a processor in one of them never gets to the new code. A processor that is switched on later starts anew.
    package static let endless: Set<String> = ["idle_loop", "startup_cpu_idle_loop"]

    /// The functions that apply and revert payloads, and those in which the other processors wait.
    package static func names(in version: XenVersion) -> Set<String> {
        Set(
            patching.filter { version.isAtLeast4($0.since) }.flatMap { entry in
                ["livepatch", "xsplice"].map { entry.name.replacing("%", with: $0) }
            })
    }

    /// `%` stands for the word that changed in June 2016 (xsplice, livepatch). `since` is the minor version that brought the function.
    private static let patching: [(name: String, since: Int)] = [
        ("check_for_%_work", 7), ("%_do_action", 7), ("%_spin", 7), ("apply_payload", 7), ("revert_payload", 7), ("arch_%_apply", 8),
        ("arch_%_revert", 8), ("arch_%_apply_jmp", 7), ("arch_%_revert_jmp", 7), ("arch_%_patching_enter", 7), ("arch_%_patching_leave", 7),
        ("arch_%_quiesce", 8), ("arch_%_revive", 8), ("arch_%_post_action", 7), ("arch_%_mask", 7), ("arch_%_unmask", 7),
        ("%_check_expectations", 14), ("%_display_metadata", 14), ("was_action_consistent", 14), ("apply_payload_tail", 14), ("revert_payload_tail", 14),
    ]
}

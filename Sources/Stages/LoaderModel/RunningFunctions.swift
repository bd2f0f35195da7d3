import TargetArchitecture
import XenSource

// Where processors are while payloads are applied and reverted: in the idle loop, waiting for each other in the work that it calls, and one
// of them in the code that does it.
//
// Source: `xen/common/livepatch.c` (`xsplice.c`), `xen/arch/*/domain.c` and `livepatch.c` of 4.7, 4.11, 4.14, 4.17 and 4.20. In 4.7 to
// 4.13 processors came by `check_for_livepatch_work` on their way into a guest, too, with nothing else on their stacks.

/// What is to be said of a replaced function for the places where processors may be at that moment.
struct RunningFunctions {
    let version: XenVersion
    let rules: LoaderRules

    /// Never left: what is in them never sees the new code. Each processor that is switched on later begins anew.
    private static let endless = ["idle_loop", "startup_cpu_idle_loop"]

    /// What applies payloads, and what the others wait in, without the word that was in the names until June 2016.
    private static let patching: [(name: String, since: Int)] = [
        ("check_for_%_work", 7), ("%_do_action", 7), ("%_spin", 7), ("apply_payload", 7), ("revert_payload", 7), ("arch_%_apply", 8),
        ("arch_%_revert", 8), ("arch_%_apply_jmp", 7), ("arch_%_revert_jmp", 7), ("arch_%_patching_enter", 7), ("arch_%_patching_leave", 7),
        ("arch_%_quiesce", 8), ("arch_%_revive", 8), ("arch_%_post_action", 7), ("arch_%_mask", 7), ("arch_%_unmask", 7),
        ("%_check_expectations", 14), ("%_display_metadata", 14), ("was_action_consistent", 14), ("apply_payload_tail", 14), ("revert_payload_tail", 14),
    ]

    /// - Parameter function: the name as the payload has it: `FILE#name` for a local one.
    func findings(on function: String) -> [LoadResult.Finding] {
        let name = function.split(separator: "#").last.map(String.init) ?? function
        var findings: [LoadResult.Finding] = []
        if Self.endless.contains(name) {
            findings.append(.init(.neverReturns, "'\(name)' never returns: the processors that are in it stay in the old code"))
        } else if isPatching(name) {
            findings.append(
                .init(
                    .runsWhilePatching,
                    "processors are in '\(name)' while payloads are applied and reverted: the old code ends what it began, and after a revert "
                        + "the new code may still run for a moment"))
        }
        if rules.functionsOnWaitingStacks.contains(name) {
            findings.append(
                .init(
                    .onWaitingStacks,
                    "virtual processors that wait have '\(name)' on their stacks: once the new code has run, the payload may be reverted, "
                        + "but not unloaded while domains run"))
        }
        return findings
    }

    private func isPatching(_ name: String) -> Bool {
        Self.patching.contains { entry in
            version >= XenVersion(major: 4, minor: entry.since)
                && ["livepatch", "xsplice"].contains { name == entry.name.replacing("%", with: $0) }
        }
    }
}

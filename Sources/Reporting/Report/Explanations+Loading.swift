/// What the check of the finished payload finds about loading, applying and reverting it.
extension DiagnosticExplanation {
    static let loaderRefuses = DiagnosticExplanation(
        "the hypervisor could not load or apply this payload",
        [
            .error("The loader of this Xen version would refuse the finished payload."),
            .error("The finished payload would crash the hypervisor, when it is uploaded or later."),
            .error("The hypervisor would refuse to apply the finished payload, because it expects bytes that are not there."),
            .error("The finished payload has something that this program's model of the loader does not know."),
        ],
        meaning: "Each finished payload is loaded in a model of the loader of this Xen version. This one failed there, and was not written.",
        example: "A payload larger than the 2 MiB that the loader takes.",
        advice:
            "Split the patch if the payload is too large. If --depends or --xen-depends is given, look at the build-id there first. In all other cases it is "
            + "a fault of this program: report it with report.json.")

    static let proofFails = DiagnosticExplanation(
        "the payload does not mean what its objects say",
        [.error("The finished payload, laid out in memory, differs in its meaning from the patched objects, or can't be shown to be the same.")],
        meaning: "Each finished payload is held against the compiled objects and xen-syms once more, by code that knows nothing of how it was made: every "
            + "byte, every address, every entry of a special table. This payload failed, and was not written. The patch is not to blame.",
        example: "A reference that leads to the variable beside the one that the source names.",
        advice: "It is a fault of this program: report it with report.json, the patch and the configuration. Do not ship the change by other means before "
            + "you know what was wrong.")

    static let actionHook = DiagnosticExplanation(
        "a hook does the hypervisor's work",
        [.warning("The payload has an apply or a revert hook, and replaces functions.")],
        meaning: "With an apply hook the hypervisor writes no jump of this payload itself, and with a revert hook it takes none back: the hook has to do "
            + "it all. Afterwards the hypervisor checks whether every function is marked as applied, or as reverted, and stops the machine if "
            + "one is not. This program does not check what the hook does.",
        example: "LIVEPATCH_APPLY_HOOK in a patch that changes functions, where LIVEPATCH_LOAD_HOOK was meant.",
        advice: "Use load and unload hooks, or those before and after applying and reverting. If it has to be an action hook, try the payload in a "
            + "hypervisor that may die: xsplice-build test-drive.")

    static let runsWhilePatching = DiagnosticExplanation(
        "a replaced function runs while payloads are applied",
        [.warning("A replaced function is one of those with which the hypervisor applies and reverts payloads.")],
        meaning: "To apply a payload, the hypervisor brings all its processors together in the idle loop and lets one of them write. They are in "
            + "this code then: the old version finishes what it began, and the new one runs from the next time on. After a revert, "
            + "processors may still be in the new one for a moment.",
        example: "A fix for check_for_livepatch_work() or apply_payload().",
        advice: "Try the payload out with its revert, and wait some seconds between revert and unload.")

    static let neverReturns = DiagnosticExplanation(
        "a replaced function never returns",
        [.warning("A replaced function is an endless loop that processors are in already.")],
        meaning: "The jump at the beginning of the old function is met by no processor that is in it. Only processors that are switched on later run "
            + "the new code.",
        example: "A fix for idle_loop().",
        advice: "Put the fix into a function that the endless one calls.")

    static let onWaitingStacks = DiagnosticExplanation(
        "a replaced function waits on stacks of virtual processors",
        [.warning("A replaced function is one of those that virtual processors are in while they wait for their turn, on ARM.")],
        meaning: "On ARM each virtual processor has a stack in the hypervisor. One that waits is in the middle of the functions that switch between "
            + "them, and comes back to that very code. If that code is the payload's, the payload can be reverted, but its memory must stay.",
        example: "A fix for context_switch() or schedule().",
        advice: "After a revert, do not unload the payload while domains run that ran while it was applied.")
}

/// What the calls and pointers of the whole hypervisor show about when the new code runs.
extension DiagnosticExplanation {
    static let takesEffectLater = DiagnosticExplanation(
        "the new code runs only when something is set up",
        [.warning("A replaced function runs only when a processor comes up, when the machine is suspended or resumes, or when a domain is created.")],
        meaning: "What is set up already keeps what the old code did: processors that are up, domains that exist. The payload loads and is applied, and "
            + "changes nothing for them. The message has the shortest way to the function. All ways were followed: calls, jumps, and pointers in the data and "
            + "code of the hypervisor and of the payloads on it. A call through a pointer counts wherever somebody takes the address that it may lead to.",
        example: "A fix that sets a bit in a register of each processor, in init_amd().",
        advice: "Do it once for what exists already, in a load hook: on each processor, or for each domain. Or say in the release notes that hosts need "
            + "a reboot, or domains a restart.")

    static let onlyAtBoot = DiagnosticExplanation(
        "the new code runs only at boot",
        [.warning("A replaced function stays in memory after boot, but only code that is freed after boot leads to it.")],
        meaning: "The function is not marked __init, so the payload can replace it. But the running hypervisor has booted, and never comes back to it. "
            + "This part of the patch has no effect until a reboot, and at a reboot the payload is gone.",
        example: "A fix in a helper that only the parsing of the command line uses.",
        advice: "Nothing, if the change is about booting. Move what must take effect now into code that runs after boot, or into a load hook.")

    static let neverReached = DiagnosticExplanation(
        "nothing leads to the new code",
        [.warning("No code that runs leads to a replaced function, and no code or data that is used has its address.")],
        meaning: "In this hypervisor the function is never called: it is there because linkers keep whole objects, or the code that calls it is never "
            + "reached itself. Where the compiler inlined the function, the functions around it are replaced too, and are judged for themselves.",
        example: "A fix in a function whose only caller is not compiled with this configuration.",
        advice: "Look whether the configuration is the right one. If the function is called in a way that no code or data shows, through an address that is "
            + "computed for example, the warning is wrong: report it.")
}

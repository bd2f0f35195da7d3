/// What the comparison of the objects finds about functions, sections, names and references.
extension DiagnosticExplanation {
    static let initOnlyChange = DiagnosticExplanation(
        "code or data that is used only at boot changed",
        [
            .warning("Functions or data in init sections changed."),
            .warning("A function changed that the hypervisor has in an init section, although its object has it in another."),
            .warning("An assembly file changed in init sections only."),
            .warning("An object for another machine changed, such as the 32-bit code that x86 boots in."),
        ],
        meaning: "The running hypervisor has booted, and never comes back to this code. This part of the patch is left out: it has no effect "
            + "on a running host.",
        example: "A new check in a function that is marked __init.",
        advice: "Nothing, if the change is about booting. Move what must take effect now into code that runs after boot, or into a load hook.")

    static let initCodeNeeded = DiagnosticExplanation(
        "runtime code needs code or data that is gone after boot",
        [.error("A function of the payload newly uses code or data of an init section.")],
        meaning: "The running hypervisor has freed that memory, and the reference would lead to something else.",
        example: "A patched hypercall handler that calls a helper marked __init.",
        advice: "Remove the __init mark of the helper in the patch, so that it becomes a new function of the payload.")

    static let initMarkDropped = DiagnosticExplanation(
        "a function is no longer boot code",
        [.warning("A global function was in an init section, and is ordinary code after the patch.")],
        meaning: "The running hypervisor has freed the old function. Changed functions that call it get the new one, which the payload "
            + "includes. Unchanged functions still call the old address.",
        example: "A helper loses its __init mark, because a hypercall handler calls it now.",
        advice: "Check its callers. Each one that runs after boot must change, too.")

    static let placementChanged = DiagnosticExplanation(
        "a function or variable lies in another section, or needs more alignment",
        [
            .error("A variable goes to a section of another kind, or needs more alignment than it has."),
            .error("A function goes to the code that runs after boot, from a section that is not part of it."),
            .warning("A variable goes from one section of plain data to another, such as that of __read_mostly."),
            .note("A function goes to another section or needs more alignment, and its code is the same."),
        ],
        meaning: "A variable can't move in the running hypervisor. Between sections of plain data that does not matter. Elsewhere, part of the "
            + "change would be left out. A function with the same code is replaced, and lies among the payload's code.",
        example: "static bool opt; becomes static bool __ro_after_init opt; or a buffer becomes __aligned(PAGE_SIZE).",
        advice: "Leave the old variable where it is, and add a new one with the attributes that it needs. Give a function that now runs after "
            + "boot another name.")

    static let globalNameMoved = DiagnosticExplanation(
        "a global name stands for something else",
        [
            .error("A global name stands for another function, variable or number than before."),
            .error("A global name stands for a place inside a function or variable that changed."),
            .error("A global name becomes weak or strong, or gets a second weak definition."),
            .error("A weak function changed, and the hypervisor has a strong one of that name from another file."),
            .error("A name that the patch defines is another name of a function or variable from a file that the patch does not touch."),
            .error("A global function or variable is gone or becomes static, and other code still uses it: another definition takes its place in the source."),
            .error("A second name of a static function becomes a function of its own."),
            .error("A global function or variable becomes static in its file, and another file defines a new global of that name."),
            .warning("A weak function changed, and so did the strong one of that name that the hypervisor has."),
        ],
        meaning: "Other objects of the running hypervisor were bound to what the name meant when it was linked. No payload can bind them to "
            + "something else.",
        example: "void foo(void) __attribute__((alias(\"bar\"))); becomes an alias of baz.",
        advice: "Give the new meaning a new name, and let the callers use that.")

    static let collectedArrayChanged = DiagnosticExplanation(
        "a new, changed or removed entry of an array that the linker collects",
        [
            .error("An entry is new, changed or gone in an array that is used after boot, such as that of the schedulers."),
            .error("Data in a section of its own is new, changed or gone, and nothing in its object refers to it: the linker may collect it."),
            .warning("An entry is new or changed in an array that is read at boot only, such as that of init calls or parameters."),
            .warning("A variable or constant is new or gone, and nothing in its object refers to it."),
        ],
        meaning: "The linker makes one array of certain sections of all objects. The running hypervisor's array can't grow or change, and one "
            + "that is read at boot only has been read already.",
        example: "A patch that adds a scheduler or an init call.",
        advice: "Register the entry at run time, in a load hook, if there is an interface for that.")

    static let specialSectionUnknown = DiagnosticExplanation(
        "a special section whose form is not known",
        [
            .error(
                "A patched object has something of an unknown form: a table whose entries have another size or belong to no function, a "
                    + "section without bytes, or a common symbol.")
        ],
        meaning: "Special sections hold entries that belong to functions. If their form is not known, nobody can say which ones the payload needs.",
        example: "A tree with a new mechanism of its own that gathers call sites in a section.",
        advice: "Report the section and the version of Xen. Until then, keep the mechanism out of the changed functions.")

    static let specialEntryIgnored = DiagnosticExplanation(
        "an entry in a table that the hypervisor ignores in a payload",
        [.error("A changed function has an entry in a special table that the hypervisor does not load from a payload.")],
        meaning: "The new function would run without its entry. An exception that the entry is there to handle would stop the machine.",
        example: "A changed function with an entry in .ex_table.pre.",
        advice: "Leave the function unchanged, and make the change in the functions that call it.")

    static let sectionNotUnderstood = DiagnosticExplanation(
        "a section differs in a way that is not understood",
        [
            .error("A function or variable changed in a section that this program does not know."),
            .error("Code or data without a symbol changed."),
            .note("Read-only data without a symbol, or a note, changed, and nothing in the object refers to it."),
        ],
        meaning: "The change belongs to nothing that could go into the payload. To leave it out might lose a part of the fix.",
        example: "Data without a symbol that a macro places in a section of its own.",
        advice: "Look at the section in both objects with `xsplice-build diff`, and make the change in functions and named variables.")

    static let relocationNotUnderstood = DiagnosticExplanation(
        "a reference that a payload can't follow",
        [
            .error("Code or data refers to something in a section, and the object defines nothing at that place."),
            .error("A function shares its section with other code, and jumps there without relocations."),
            .error("A function of the payload refers to the middle of a function that stays in the hypervisor."),
        ],
        meaning: "Each reference of the payload must lead to the right place, in the payload or in the hypervisor. Here that place is not known, or "
            + "can't be reached.",
        example: "A reference past the end of an object, made by arithmetic on its address.",
        advice: "Change the expression so that it starts from the object that it means, or give the function or variable a section of its own. "
            + "Report it if the source looks harmless.")

    static let referenceAmbiguous = DiagnosticExplanation(
        "a reference that can mean more than one variable",
        [
            .error("A function refers to a section and an offset, and variables in that section have moved."),
            .error(
                "A function of the payload refers to a section and an offset, and the hypervisor or the payload has the variables of that section "
                    + "in different places."),
        ],
        meaning: "An assembler forgets which local variable a reference means, and keeps its section and an offset. In a section with several variables "
            + "a place inside one of them can also mean the element before or behind another. The build has the names written into the objects; here "
            + "that was not possible: the objects were given, or the compiler reaches several variables from one address (section anchors of ARM).",
        example: "A patch for ARM that adds a variable with __read_mostly beside an array with __read_mostly.",
        advice: "Put the variable that the patch adds, removes or resizes into a section of its own: leave out __read_mostly or __ro_after_init.")

    static let labelTableKept = DiagnosticExplanation(
        "a table in the hypervisor leads into the old code of a function",
        [
            .error("The payload's code uses a variable of the hypervisor that holds addresses inside a function that the payload replaces."),
            .error("Other code than the function itself uses such a variable, and stays in the hypervisor."),
        ],
        meaning: "The addresses of labels belong to one version of a function. New code that jumps through the old table continues in the old function, and "
            + "the fix has no effect.",
        example: "static void *table[] = { &&one, &&two }; goto *table[i]; in a changed function.",
        advice: "Make the table const: the payload then has a table of its own. Or replace it by a switch.")

    static let oldCodeReachable = DiagnosticExplanation(
        "a removed or renamed function may still be called",
        [.warning("A function of the running hypervisor is gone or has another name, and something took its address.")],
        meaning: "The payload replaces functions under the names that they have. The old code of this one stays in the hypervisor, and whoever kept a "
            + "pointer to it goes on calling it: a timer, a table that boot code filled, a handler that was registered at boot.",
        example: "static void tick(void *data) becomes static void tick_fixed(void *data), and timers that are already set call tick.",
        advice: "Leave the function its name and change what it does: then every caller gets the new code. Or replace the stored pointers in a load "
            + "hook.")

    static let aliasesReplaced = DiagnosticExplanation(
        "a changed function has other names",
        [.warning("A changed function has aliases, or the compiler made it one with another function.")],
        meaning: "All its names stand for the same code. The payload replaces it under each of them.",
        example: "A fix for foo(), where void bar(void) __attribute__((alias(\"foo\"))); is in the same file.",
        advice: "Check that the new code is right for callers by the other names, too.")

    static let assemblyChanged = DiagnosticExplanation(
        "an assembly file changed",
        [.error("An assembly file changed in code or data that the hypervisor uses after boot.")],
        meaning: "Code written in assembly has entry points and fall-throughs that no symbol size describes. It can't be replaced function by "
            + "function.",
        example: "A changed instruction in an exception entry path.",
        advice: "Change the C code that the assembly calls, if there is some. If there is none, this fix needs a reboot.")

    static let hookNotSupported = DiagnosticExplanation(
        "a hook that this payload format does not have",
        [
            .error("The patch registers a hook that the payload format does not have."),
            .error("The patch registers a hook more often than the payload format allows."),
        ],
        meaning: "The hypervisor would refuse the payload, or never call the hook.",
        example: "LIVEPATCH_PREAPPLY_HOOK in a payload for Xen 4.12.",
        advice: "Use load and unload hooks instead. Join two hooks of one kind into one function that calls both.")

    static let hookKept = DiagnosticExplanation(
        "a hook of an applied payload changed",
        [.warning("The function of a hook changed, and that hook was there before this patch.")],
        meaning: "The hook belongs to a payload that is applied already. This payload replaces its function, but does not have it as a hook of its "
            + "own: the new version runs only when the hypervisor calls the hook of that other payload.",
        example: "The first patch brought a load hook, and the second one changes it.",
        advice: "Put what must run with this payload into a function of its own, and register that as a hook.")
}

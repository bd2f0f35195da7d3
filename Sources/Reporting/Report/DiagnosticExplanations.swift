import Diagnostics

/// The texts of the catalogue. The switch has no default, so the compiler refuses an identifier without a text.
extension DiagnosticID {
    typealias Explanation = (severity: Severity, title: String, meaning: String, example: String, advice: String)

    var explanation: Explanation {
        switch self {
        case .outsideHypervisor:
            (
                .note, "the patch also changes files outside the hypervisor",
                "Only the folder xen/ is compiled into the hypervisor. Changes to tools, documentation and tests were left out "
                    + "of the payload. It is a warning where the hypervisor's own build reads such a file, Config.mk for example: the "
                    + "payload is built as if that had not changed.",
                "A fix for the hypervisor that also corrects a man page under docs/.",
                "Nothing, when those parts are installed another way. A fix that needs a new tool as well as a new "
                    + "hypervisor is not complete with a payload alone."
            )
        case .hunkOffset:
            (
                .note, "a hunk applied at another line than it says",
                "The context of the hunk was found unchanged, a number of lines further up or down. Fuzz, a context that "
                    + "merely looks similar, is never accepted.",
                "A patch that was made for the tip of a branch, and is applied to an older release of it.",
                "Look whether the place is the one that was meant, above all where the same code occurs twice in a file."
            )
        case .fileNotBuilt:
            (
                .warning, "a changed file is in no object of this hypervisor",
                "The patch changes a file that no compiled object was made from: it belongs to another architecture, or the "
                    + "configuration leaves it out. It has no effect on the payload. Where the reason is known to be harmless, "
                    + "this is a note.",
                "A fix for a driver that CONFIG_ turns off.",
                "Check that the configuration (option -c) is that of the running hypervisor. If it is, nothing is missing."
            )
        case .buildInputNotUnderstood:
            (
                .error, "a file changed that takes effect past all objects",
                "The patch changes something that only the last link of the hypervisor reads, such as a linker script. The "
                    + "running hypervisor is linked already, and a payload can't change how.",
                "A patch that adds a section to xen.lds.S.",
                "Leave that part out of the live patch, if the fix works without it."
            )
        case .configurationChanged:
            (
                .warning, "the patch changes the configuration",
                "With the patched tree's Kconfig files the same configuration has other values. Objects were compiled with those, "
                    + "and all that differs for it is in the comparison.",
                "A patch that changes the default of an option, or adds one.",
                "Look whether the options named are meant to change in a live patch; else leave the Kconfig part out."
            )
        case .initOnlyChange:
            (
                .warning, "code that runs only at boot changed",
                "Functions and data in the init sections are freed when the hypervisor has booted. There is nothing left to "
                    + "replace, so this part of the patch has no effect on a running host.",
                "A new check in a function that is marked __init.",
                "Nothing, when the change is about booting. Otherwise move what must take effect into runtime code, or into a "
                    + "load hook."
            )
        case .initCodeNeeded:
            (
                .error, "runtime code refers to code or data that is gone after boot",
                "A changed or new function uses a symbol of an init section. The running hypervisor has given that memory "
                    + "back; the reference would lead nowhere.",
                "A patched hypercall handler that calls a helper marked __init.",
                "Drop the __init mark of the helper in the patch, so that it becomes a new function of the payload."
            )
        case .dataInitialiserChanged:
            (
                .error, "the initial value of an existing variable changed",
                "The variable lives in the running hypervisor and keeps the value that it has now. A new initial value would "
                    + "be left out without anyone noticing.",
                "static unsigned int limit = 16; becomes static unsigned int limit = 32;",
                "Set the new value when the payload is loaded, in a function registered with LIVEPATCH_LOAD_HOOK, and think of "
                    + "setting the old one in an unload hook."
            )
        case .dataSizeChanged:
            (
                .error, "an existing variable has another size or alignment",
                "The variable lives in the running hypervisor, between its neighbours. Code that believes in the new size "
                    + "would read or write past its end.",
                "A static array that grows from 8 to 16 elements.",
                "Leave the old variable alone, add a new one under another name, and let the changed functions use that."
            )
        case .layoutChanged:
            (
                .error, "a type in use has another layout",
                "A struct, union or enum changed its size, or a member or value of it is elsewhere, of another size, or gone. Objects "
                    + "with the old layout exist in the running hypervisor, or may; code of the payload would misread them, and "
                    + "functions that stay would misread those that the payload makes. The table shows what is where, before and "
                    + "after. It is a warning when the type was allowed to change, when it lives on the stack of functions in the "
                    + "payload only, or when no more changed than how the bytes of a member are meant.",
                "A patch that adds a counter in the middle of struct domain.",
                "Leave the type as it is. Keep the new value in a variable of its own, an array indexed by domain or processor for "
                    + "example, or in a table that is looked up by the object's address. Or put the new member into padding, "
                    + "where nothing else moves. To read a value in another way, do it in a function instead of the type. Where "
                    + "you know that no object of the old layout is alive when the payload is applied and none of the new "
                    + "when it is reverted, --allow-layout-change TYPE lets it pass."
            )
        case .layoutPaddingUsed:
            (
                .warning, "a type has new members where nothing was before",
                "All that the type had is where it was: a new member lies in padding, in spare bits, or shares the place of others in "
                    + "a union; or an enum has new values. Objects that exist have something there, mostly zero, but nobody promised "
                    + "that; and code that stays does not know the new member or value.",
                "A bool added behind another one in struct vcpu, where three bytes were unused.",
                "Look how objects of the type are made: those that are cleared when they are allocated have zero there. Let zero "
                    + "mean what the old code did, or write the member of all existing objects in a load hook."
            )
        case .layoutNotChanged:
            (
                .warning, "a type that is allowed to change did not",
                "The option --allow-layout-change names a type whose layout the patch does not change, or that changes only because "
                    + "it contains another one.",
                "--allow-layout-change 'struct domian'",
                "Check the spelling: it is that of the refusal's first line. Leave the option out when the patch does not need it any more."
            )
        case .constantTableChanged:
            (
                .error, "a constant table changed that can't be replaced everywhere",
                "A changed table travels in the payload as a copy, together with every function of its object that "
                    + "refers to it. Here another object refers to it, or its address is stored in writable data, or a function does more "
                    + "with its address than to read from it: whoever has the old address would go on with the old table. It is a warning "
                    + "where another constant leads to the table: what becomes of a pointer that was loaded from there is not followed.",
                "A new entry in a const table of operations, a pointer to which is kept in every domain.",
                "Change the functions that read the table instead, or update the stored pointers in a load hook."
            )
        case .dataLeftBehind:
            (
                .note, "a variable is no longer used",
                "The patch removes the last use of a variable. The running hypervisor still has it, and code that a revert "
                    + "brings back uses it again.",
                "A static counter that the patch does away with.",
                "Nothing, as long as the variable holds no resource that somebody must release."
            )
        case .placementChanged:
            (
                .error, "something lies in another section or is aligned otherwise",
                "A function with the same bytes in another section is replaced, and lies among the payload's code (a note). A variable can't "
                    + "move in the running hypervisor: between plain data and __read_mostly that does not matter (a warning); elsewhere, or where more "
                    + "alignment is needed, part of the change would be left out.",
                "static bool opt; becomes static bool __ro_after_init opt; or a buffer that becomes __aligned(PAGE_SIZE).",
                "Leave the old variable where it is, and add a new one with the attributes that are needed."
            )
        case .globalNameMoved:
            (
                .error, "a global name stands for something else",
                "Other objects of the running hypervisor were bound to what the name meant when it was linked: an alias of another "
                    + "function, one of two functions that the compiler had folded into one, a weak definition, a label inside a function. No "
                    + "payload can bind them anew.",
                "void foo(void) __attribute__((alias(\"bar\"))); becomes an alias of baz.",
                "Give the new meaning a new name, and make the callers use that."
            )
        case .perCPUAdded:
            (
                .error, "a new per-CPU variable",
                "The per-CPU areas are laid out when the hypervisor boots. A loaded payload gets none of its own.",
                "static DEFINE_PER_CPU(unsigned int, last_vector);",
                "Use an array with one element for each possible CPU, NR_CPUS long, indexed by smp_processor_id()."
            )
        case .collectedArrayChanged:
            (
                .error, "a new or changed entry in an array that the linker collects",
                "Some sections become one array in the linked hypervisor, which walks it at boot or by its bounds: init calls, "
                    + "parameters, schedulers. A payload can't lengthen it.",
                "A patch that adds a scheduler or an init call.",
                "Register the entry at run time in a load hook, where an interface for that exists."
            )
        case .specialSectionUnknown:
            (
                .error, "a special section whose layout is not known",
                "A section holds entries that belong to functions, and a function of the payload has some. Without the "
                    + "size and the fields of an entry nobody can say which ones must go along.",
                "A tree with a new mechanism of its own that gathers call sites in a section.",
                "Report the section and the version of Xen. Until then, keep the mechanism out of the changed functions."
            )
        case .sectionNotUnderstood:
            (
                .error, "a section differs in a way that is not understood",
                "The original and the patched object differ in this section, and the difference belongs to no function or "
                    + "data object that could go into the payload. Leaving it out might lose a part of the fix.",
                "Data without a symbol that a macro places in a section of its own.",
                "Look at the section in both objects with `xsplice-build diff`, and express the change in functions and named "
                    + "variables."
            )
        case .relocationNotUnderstood:
            (
                .error, "a relocation whose meaning is not understood",
                "Code or data refers to something through a relocation of a kind, or with an addend, that can't be followed to "
                    + "one symbol. What it refers to could not be compared.",
                "A reference past the end of an object, made by arithmetic on its address.",
                "Rework the expression so that it starts from the object that it means; report it if the source looks harmless."
            )
        case .correlationAmbiguous:
            (
                .error, "more than one counterpart in the original",
                "A local symbol of the patched object could be any of several in the original. To take the wrong one "
                    + "would mix up two variables or two functions.",
                "Two static locals of the same name and size in one function, one of which the patch moves.",
                "Give the symbols different names, or leave their order as it was."
            )
        case .assemblyChanged:
            (
                .error, "an assembly file changed",
                "Code written in assembly has entry points and fall-throughs that no symbol size describes. It can't be "
                    + "replaced function by function.",
                "A changed instruction in an exception entry path.",
                "Change the C code that the assembly calls, where there is some. Otherwise this fix needs a reboot."
            )
        case .objectVanished:
            (
                .error, "an object is no longer built",
                "The patch removes a source file from the build while something in the hypervisor may still use it. Code "
                    + "that runs can't be taken away by a payload.",
                "A patch that deletes a driver together with its line in the Makefile.",
                "Keep the file, and change the functions so that they do what is wanted, for example return an error."
            )
        case .instrumentedBuild:
            (
                .error, "the configuration instruments the code",
                "Coverage, sanitizers and link-time optimisation make objects whose differences say nothing about the source, "
                    + "or no ordinary objects at all.",
                "A configuration with CONFIG_COVERAGE=y or CONFIG_UBSAN=y.",
                "Use the configuration of the hypervisor that runs in production. If that one is instrumented, it can't be "
                    + "live-patched."
            )
        case .hookNotSupported:
            (
                .error, "a hook that this payload format does not have",
                "The patch registers a hook that the hypervisor concerned does not know, or registers a hook twice where the "
                    + "format has room for one.",
                "LIVEPATCH_PREAPPLY_HOOK in a payload for Xen 4.12.",
                "Use load and unload hooks there, and join two hooks into one function that calls both."
            )
        case .functionTooShort:
            (
                .error, "a function is too short for the jump to its replacement",
                "The hypervisor redirects a function by writing a jump over its first bytes. The old function has fewer bytes "
                    + "than the jump, so the next function would be damaged.",
                "A function that only returns a constant, compiled to four bytes.",
                "Change its callers instead, so that they call a new function of another name."
            )
        case .symbolNotInHypervisor:
            (
                .error, "a function or variable that the hypervisor does not have",
                "The payload refers to a symbol that is neither in the payload nor in xen-syms, and the loader would "
                    + "refuse it.",
                "A new call of a function that this configuration compiles out.",
                "Check that xen-syms belongs to this source and configuration; else include the definition in the patch."
            )
        case .symbolAmbiguous:
            (
                .error, "several symbols of that name in the hypervisor",
                "xen-syms has more than one local symbol of this name that the hypervisor can't tell apart, so the payload "
                    + "might get the wrong one.",
                "Two files of the same name in different folders with a static function of the same name, in a build without "
                    + "unique symbol names.",
                "Let the patch give the function a new name and change its callers, or build the hypervisor with "
                    + "CONFIG_ENFORCE_UNIQUE_SYMBOLS the next time."
            )
        case .dataNotInHypervisor:
            (
                .error, "existing data that xen-syms does not have",
                "A function of the payload uses a variable that the original object defines, but the linked hypervisor "
                    + "has no symbol for it. A copy in the payload would be a second variable with a life of its own.",
                "A local variable whose name the hypervisor's own symbol table leaves out.",
                "Use the xen-syms that was linked from this source and not a stripped one."
            )
        case .relocationNotLoadable:
            (
                .error, "a relocation that the hypervisor's loader does not take",
                "The loader knows a short list of relocation types. Code of the payload needs another one, and the "
                    + "hypervisor would refuse the file.",
                "Code compiled for another code model, with 32-bit absolute addresses.",
                "Build with the hypervisor's own flags; report it if that is what was done."
            )
        case .specialEntryHarmful:
            (
                .error, "something that works in the hypervisor's own code only",
                "The changed function does something that this hypervisor handles in its own code, and stops the machine for in a payload's. "
                    + "On arm32 that is WARN() and run_in_exception_handler(); BUG() and ASSERT() stop the machine in any case.",
                "A changed function on arm32 that has, or gets, a WARN_ON().",
                "Let the patch print a message instead, or move the WARN() into a function that it does not change."
            )
        case .bugFrameWithoutFile:
            (
                .note, "reports of the payload do not name their file",
                "On ARM the hypervisor takes the file's name of a WARN, a BUG or an assertion from its own image only, and panics when it "
                    + "lies in a payload. The payload refers to the name in the hypervisor; this hypervisor has no text that ends like it.",
                "A WARN in a file that had none, in a release build.",
                "Nothing: the report has the line, and the backtrace names the function."
            )
        case .functionNotPlaceable:
            (
                .error, "a function that no place of a payload is right for",
                "Some processors compute wrong addresses when certain instructions lie at certain places of a page (Cortex-A53, erratum "
                    + "843419). The function is so long, and has so many of them, that one would lie there wherever it is put.",
                "A function of many pages with a table lookup in every line.",
                "Split the function: a part of its own that the rest calls."
            )
        case .copyTravelsAlong:
            (
                .note, "an unchanged function travels along as a copy",
                "The payload needs an unchanged function that can't be called in the running hypervisor, because its "
                    + "symbol is missing or not unique there. It goes into the payload as a copy.",
                "A changed function that calls a small static helper, whose name occurs in several files.",
                "Nothing. The copy does what the original does; it makes the payload larger."
            )
        case .writableDataInPayload:
            (
                .note, "the payload has writable data",
                "New variables live in the payload. Once it was reverted, the hypervisor will not apply the same upload "
                    + "again, because the variables keep what they were left with.",
                "A new static counter in a changed function.",
                "To apply it again after a revert, unload the payload and load it anew. Variables without need for memory are "
                    + "better const."
            )
        case .originalDiffers:
            (
                .error, "the source does not reproduce the running hypervisor",
                "The functions to be replaced were compiled from the unpatched source and compared with the bytes in xen-syms, "
                    + "and they differ. Then another source, configuration or compiler made the hypervisor, and a payload "
                    + "from this one may break it.",
                "xen-syms comes from the distribution's compiler, and this machine has the next major version.",
                "Use the same source, .config (option -c) and compiler (CC=gcc-12, for example) as for the hypervisor."
            )
        case .configurationDiffers:
            (
                .warning, "the hypervisor was configured otherwise",
                "Since Xen 4.14 a hypervisor can hold a copy of its configuration, and this one's is not what the objects were compiled "
                    + "with. The functions to be replaced were compared with the hypervisor and may be equal all the same; "
                    + "new ones can't be compared, and may take its structures for others than they are.",
                "The tree's own .config was edited after the hypervisor was built.",
                "Give the hypervisor's configuration with -c. Without -c, and without a .config in the tree, the copy is used."
            )
        case .originalNotCompared:
            (
                .warning, "a function could not be compared with the running hypervisor",
                "xen-syms has the symbol, but not the bytes of this function in a form that can be compared. That the "
                    + "source reproduces it is taken on trust.",
                "A function without a size in the symbol table.",
                "Make sure by other means that xen-syms was built from this source, with this configuration and compiler."
            )
        case .expectationLeftOut:
            (
                .note, "the hypervisor will not check a function before it is replaced",
                "With --expect the payload holds the first bytes of each old function, and the hypervisor refuses to apply it "
                    + "where others stand. Bytes that may rightly be others by then are not recorded: code that is patched at "
                    + "boot, marks for indirect calls, the trampoline of a payload below. For this function none were left.",
                "A function that begins with ENDBR64, in a hypervisor that was built with CONFIG_XEN_IBT.",
                "Nothing needs to be done: the comparison with xen-syms has been made, and the build-id is checked all the same."
            )
        case .nopsNotPossible:
            (
                .error, "a function's beginning can't become NOPs",
                "--nop writes NOPs over the first bytes of a function instead of replacing it. That is possible for 1 to 31 "
                    + "bytes that end where an instruction ends, in a function of the hypervisor that no payload replaces.",
                "--nop xen_minor_version=3 where the first instruction has 5 bytes.",
                "Take a count that the message offers, or change the function in the source."
            )
        case .payloadNotPatchable:
            (
                .error, "a function of another payload can't be replaced on this processor",
                "The patch changes a function that came with a payload which is applied. On ARM the hypervisor writes jumps through a second mapping "
                    + "of its own image, and payloads are not in it: applying would write to an address where nothing is.",
                "The first payload brought helper(), and the second patch fixes helper().",
                "Make one payload of all patches, with --cumulative: it takes the place of those that are applied."
            )
        case .stateLost:
            (
                .warning, "variables of the replaced payloads are lost",
                "A cumulative payload takes the place of those that are applied: they are reverted first. Variables that they "
                    + "brought start anew in the cumulative payload, with the values that the source gives them.",
                "The first payload brought a counter, which the second one prints.",
                "Check that the fix works when they begin anew; or build on top of the applied payloads, without --cumulative."
            )
        case .loaderRefuses:
            (
                .error, "the hypervisor's loader would refuse this payload",
                "The finished payload was put through the checks of the loader of this Xen version, and failed one. It was "
                    + "not written.",
                "A payload larger than the 2 MiB that the loader takes.",
                "Split the patch if it is the size. Otherwise it is a fault of this program: report it with report.json."
            )
        case .actionHook:
            (
                .warning, "a hook does the work in the hypervisor's place",
                "With an apply hook the hypervisor writes no jump of this payload itself, and with a revert hook it takes none back: the hook is to "
                    + "do it all. Afterwards it looks whether every function is marked as applied, or as reverted, and stops the machine when "
                    + "one is not. Whether the hook does what it must is beyond what is checked here.",
                "LIVEPATCH_APPLY_HOOK in a patch that changes functions, where LIVEPATCH_LOAD_HOOK was meant.",
                "Use load and unload hooks, or those before and after applying and reverting. If it has to be an action hook, drive the payload "
                    + "in a hypervisor that may die: xsplice-build test-drive."
            )
        case .runsWhilePatching:
            (
                .warning, "a replaced function runs while payloads are applied",
                "To apply a payload, the hypervisor brings all its processors together in the idle loop and lets one of them write. The code "
                    + "that does this is on their stacks then: the old version ends what it began, the new one is there from the next time on, and "
                    + "after a revert processors may be in it for a moment longer.",
                "A fix for check_for_livepatch_work() or apply_payload().",
                "Try the payload out with its revert, and wait some seconds between revert and unload."
            )
        case .neverReturns:
            (
                .warning, "a replaced function never returns",
                "Every processor is in this function already and never leaves it, and a trampoline at its beginning is met by nobody. Only "
                    + "processors that are switched on later run the new code.",
                "A fix for idle_loop().",
                "Put the fix into a function that the endless one calls."
            )
        case .onWaitingStacks:
            (
                .warning, "a replaced function waits on stacks of virtual processors",
                "On ARM each virtual processor has a stack in the hypervisor. One that waits for its turn is in the middle of the functions that "
                    + "switch between them, and comes back to that very code. When that code is the payload's, the payload may be reverted, "
                    + "but its memory must stay.",
                "A fix for context_switch() or schedule().",
                "After a revert, do not unload the payload while domains run that ran while it was applied."
            )
        case .debugInfoMissing:
            (
                .warning, "an object has no debug information",
                "Static locals and types are told apart by debug information. Without it names have to do, and what can't be "
                    + "decided by name is refused.",
                "A makefile that drops -g for one folder.",
                "Let the object be compiled with -g: it does not change the code."
            )
        }
    }
}

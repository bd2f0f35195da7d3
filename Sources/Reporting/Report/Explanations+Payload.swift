/// What the linker finds while it makes the payload for a hypervisor.
extension DiagnosticExplanation {
    static let functionTooShort = DiagnosticExplanation(
        "a function is too short for the jump to its replacement",
        [
            .error("A function to be replaced has fewer bytes in the hypervisor than the jump to its replacement."),
            .error("A function to be replaced has no size in the hypervisor's symbol table: it is assembly without .size."),
        ],
        meaning: "The hypervisor redirects a function by writing a jump over its first bytes. Here the jump would damage the next function.",
        example: "A function that only returns a constant, compiled to four bytes.",
        advice: "Change its callers instead, so that they call a new function of another name.")

    static let functionNotInHypervisor = DiagnosticExplanation(
        "a changed function that the hypervisor does not have",
        [.error("Neither xen-syms nor an applied payload has a symbol for a changed function.")],
        meaning: "Without its address the function can't be replaced. The likely reason is that xen-syms belongs to another source tree or "
            + "configuration.",
        example: "xen-syms comes from a build with other options, in which the function is inlined everywhere.",
        advice: "Give the xen-syms that was linked from this source tree, with this configuration and compiler.")

    static let symbolNotInHypervisor = DiagnosticExplanation(
        "the payload needs something that the hypervisor does not have",
        [.error("The payload refers to a symbol that neither the patch nor the hypervisor has.")],
        meaning: "The hypervisor's loader would refuse the payload.",
        example: "A new call of a function that this configuration compiles out.",
        advice: "Check that xen-syms belongs to this source and configuration. If another payload has the symbol, build on top of that payload "
            + "(--on). If nothing has it, include its definition in the patch.")

    static let symbolAmbiguous = DiagnosticExplanation(
        "a static function that can't be found for certain",
        [.error("A static function changed, and it can't be told which local symbols of xen-syms belong to its file.")],
        meaning: "xen-syms lists local symbols under the name of their file. Several files of that name fit, or none does: the payload might replace "
            + "the wrong function.",
        example: "Two files of the same name in different folders with a static function of the same name, in a build without unique symbol names.",
        advice: "Let the patch give the function a new name and change its callers, or build the hypervisor with "
            + "CONFIG_ENFORCE_UNIQUE_SYMBOLS the next time.")

    static let globalNameTaken = DiagnosticExplanation(
        "a new variable has a name that the hypervisor has already",
        [.error("A global variable or constant is new in its file, and a file that the patch does not touch has a global of that name.")],
        meaning: "The other file was not compiled, so it is not known whether the two are the same. As a second variable of that name, the new one "
            + "would not have the value of the first.",
        example: "A patch adds unsigned int limit; to a file, and another file has a global limit.",
        advice: "Give the new variable another name.")

    static let dataNotInHypervisor = DiagnosticExplanation(
        "existing data that xen-syms does not have",
        [.error("The payload uses a variable of the original object, and neither xen-syms nor an applied payload has a symbol for it.")],
        meaning: "A copy in the payload would be a second variable, without the value of the first.",
        example: "A local variable whose name the hypervisor's own symbol table leaves out.",
        advice: "Use the xen-syms that was linked from this source, and not a stripped one.")

    static let relocationNotLoadable = DiagnosticExplanation(
        "a relocation that can't be used in a payload",
        [
            .error(
                "The payload needs a relocation that the hypervisor's loader does not perform or gets wrong, that does not reach far enough, "
                    + "or that this program does not know.")
        ],
        meaning: "The loader knows a short list of relocation types. With another one it would refuse the payload, or write a wrong address.",
        example: "Code compiled for another code model, with 32-bit absolute addresses.",
        advice: "Build with the hypervisor's own flags. Report it if that is what you did.")

    static let alignmentNotKept = DiagnosticExplanation(
        "something needs more alignment than the hypervisor's loader keeps",
        [.error("The payload would have a variable, constant or function with an alignment of more than 4096 bytes.")],
        meaning: "The loader places a payload at pages of 4 KiB and keeps no larger alignment. The code would rely on address bits that are not zero.",
        example: "static char buffer[64] __aligned(8192);",
        advice: "Allocate the memory at run time (alloc_xenheap_pages), or use an array that is larger and align the pointer into it.")

    static let functionNotPlaceable = DiagnosticExplanation(
        "a function that fits no place of a payload",
        [.error("Wherever a function is put, some of its instructions lie at a place of a page where they must not be.")],
        meaning: "Some processors compute wrong addresses when certain instructions lie at certain places of a page (Cortex-A53, erratum 843419). "
            + "The function is so long, and has so many of them, that no place is right for all.",
        example: "A function of many pages with a table lookup in every line.",
        advice: "Split the function: move a part of it into a function that the rest calls.")

    static let bugFrameWithoutFile = DiagnosticExplanation(
        "reports of the payload do not name their file",
        [.note("A function of the payload has a WARN, BUG or ASSERT, and the hypervisor does not have the name of its file.")],
        meaning: "On ARM the hypervisor takes the file's name in such a report from its own image only, and panics when the name lies in a payload. "
            + "So the payload refers to a text in the hypervisor, and none of those ends like this name.",
        example: "A WARN in a file that had none, in a release build.",
        advice: "Nothing: the report has the line, and the backtrace names the function.")

    static let specialEntryHarmful = DiagnosticExplanation(
        "something that works in the hypervisor's own code only",
        [.error("A function of the payload does something that the hypervisor handles in its own code only, such as a WARN on arm32.")],
        meaning: "In a payload the hypervisor stops the machine there. On arm32 that is so for WARN() and run_in_exception_handler(). BUG() and "
            + "ASSERT() stop the machine in any case.",
        example: "A changed function on arm32 that has, or gets, a WARN_ON().",
        advice: "Let the patch print a message instead, or move the WARN() into a function that it does not change.")

    static let copyIncluded = DiagnosticExplanation(
        "the payload includes a copy of an unchanged function",
        [.note("The payload needs an unchanged function for which the running hypervisor has no symbol.")],
        meaning: "The function can't be called in the running hypervisor, because its symbol is missing or not unique there. The copy does what the "
            + "original does.",
        example: "A changed function that calls a small static helper, whose name occurs in several files.",
        advice: "Nothing. The copy makes the payload larger.")

    static let writableDataInPayload = DiagnosticExplanation(
        "the payload has variables",
        [.note("The patch adds variables, and they lie in the payload.")],
        meaning: "After a revert the hypervisor does not apply the same upload again, because the variables keep the values that they had.",
        example: "A new static counter in a changed function.",
        advice: "To apply the payload again after a revert, unload it and upload it again. Make const what nothing writes to.")

    static let originalDiffers = DiagnosticExplanation(
        "the source does not reproduce the running hypervisor",
        [
            .error("A function to be replaced, compiled from the unpatched source, differs from the code that runs."),
            .error("A function of the same object, which is not replaced, differs from the code that runs: the new code may use structs of another layout."),
            .error("A variable or constant of the same object has another size or another initial value than in the hypervisor."),
            .warning("A function, variable or constant differs from the hypervisor's, and --trust-source is given."),
        ],
        meaning: "Another source, configuration or compiler made the hypervisor or the applied payload, and a payload from this one may break it. The "
            + "message names the likely cause.",
        example: "xen-syms comes from the distribution's compiler, and this machine has the next major version.",
        advice: "Use the same source, .config (option -c) and compiler (CC=gcc-12, for example) as for the hypervisor. Give all patches of the "
            + "applied payloads with --applied-patch.")

    static let configurationDiffers = DiagnosticExplanation(
        "the hypervisor has another configuration",
        [.warning("The hypervisor holds a copy of its configuration, and the objects were compiled with another one.")],
        meaning: "Functions to be replaced were compared with the hypervisor, and may be equal in spite of that. New functions can't be "
            + "compared, and may rely on structures that the hypervisor does not have. Hypervisors hold a copy since Xen 4.14.",
        example: "The tree's own .config was edited after the hypervisor was built.",
        advice: "Give the hypervisor's configuration with -c. Without -c, and without a .config in the tree, the copy is used.")

    static let originalNotCompared = DiagnosticExplanation(
        "a replaced function was not compared with its source",
        [.warning("A global function of the patch replaces the hypervisor's of that name, which comes from a file that the patch does not touch.")],
        meaning: "That file was not compiled, so nothing shows that its source reproduces the running function.",
        example: "A patch adds a definition of a function whose weak default is in another file.",
        advice: "Check that the new function is meant to replace that one, and that xen-syms was built from this source, with this configuration "
            + "and compiler.")

    static let expectationLeftOut = DiagnosticExplanation(
        "the hypervisor will not check a function before it is replaced",
        [.note("--expect is given, and a function has no first bytes that the hypervisor could check.")],
        meaning: "With --expect the payload holds the first bytes of each old function, and the hypervisor refuses to apply it where it finds others. "
            + "Left out are bytes that may rightly be others by then: code that is patched at boot, marks for indirect calls, the jump of a "
            + "payload below. For this function none are left.",
        example: "A function that begins with ENDBR64, in a hypervisor that was built with CONFIG_XEN_IBT.",
        advice: "Nothing: the function was compared with xen-syms, and the hypervisor still checks the build-id.")

    static let nopsNotPossible = DiagnosticExplanation(
        "the beginning of a function can't become NOPs",
        [.error("--nop asks for bytes that can't become NOPs.")],
        meaning: "--nop writes NOPs over the first bytes of a function instead of replacing it. That is possible for 1 to 31 bytes that end where an "
            + "instruction ends, in a function of the hypervisor that no payload replaces.",
        example: "--nop xen_minor_version=3 where the first instruction has 5 bytes.",
        advice: "Take a number that the message offers, or change the function in the source.")

    static let payloadNotPatchable = DiagnosticExplanation(
        "a function of another payload can't be replaced on this processor",
        [.error("The patch changes a function that belongs to an applied payload, and the hypervisor can write to its own image only.")],
        meaning: "On ARM the hypervisor writes jumps through a second mapping of its own image, and payloads are not in it: it would write to an "
            + "address where nothing is.",
        example: "The first payload brought helper(), and the second patch fixes helper().",
        advice: "Make one payload of all patches, with --cumulative: it replaces those that are applied.")

    static let appliedFixEnds = DiagnosticExplanation(
        "what an applied payload fixed may end with the new one",
        [
            .warning("A payload that the cumulative one replaces was made from a patch that is not among the given ones."),
            .warning("A payload that the cumulative one replaces does not say from which patches it was made."),
        ],
        meaning: "A cumulative payload takes the place of all that are applied. It has only what the patches of --applied-patch and -p change. Each "
            + "payload of this program's livepatch v2 format has the SHA-256 of its patches.",
        example: "--cumulative --on first.livepatch -p second.patch, without --applied-patch first.patch.",
        advice: "Give the patches of all applied payloads, in order, with --applied-patch. If one of them was reworked, or the new patches have it in them, "
            + "make sure of that, and go on.")

    static let appliedPatchDiffers = DiagnosticExplanation(
        "an applied payload was made from another patch",
        [.warning("A payload given with --on was made from a patch that is not among those of --applied-patch.")],
        meaning:
            "The new code is compiled on top of the tree with the patches of --applied-patch, and must fit what runs. The functions and variables that both "
            + "show are compared. What none of them shows, such as the order of members that only new code uses, is not. Each payload of this program's livepatch v2 "
            + "format has the SHA-256 of its patches.",
        example: "--on first.livepatch --applied-patch first-v2.patch, where the payload was made from first-v1.patch.",
        advice: "Give the very files that the applied payloads were made from. If a file only has another mail header, there is nothing to do.")

    static let stateLost = DiagnosticExplanation(
        "variables of the replaced payloads are lost",
        [.warning("A payload that the cumulative one replaces has variables of its own.")],
        meaning: "A cumulative payload replaces those that are applied: they are reverted first. Their variables start again in the cumulative "
            + "payload, with the values that the source gives them.",
        example: "The first payload brought a counter, which the second one prints.",
        advice: "Check that the fix works when they start again. Or build on top of the applied payloads, without --cumulative.")
}

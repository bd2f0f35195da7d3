/// What is found while the patch is applied and its files are compiled.
extension DiagnosticExplanation {
    static let outsideHypervisor = DiagnosticExplanation(
        "the patch also changes files outside the hypervisor",
        [
            .warning("The patch changes a file outside xen/ that the hypervisor's build reads, such as Config.mk."),
            .note("The patch changes files outside xen/, such as tools, documentation or tests."),
        ],
        meaning: "Only the folder xen/ is compiled into the hypervisor. Changes to other files are left out: the payload is built as if they "
            + "were not in the patch.",
        example: "A fix for the hypervisor that also corrects a man page under docs/.",
        advice: "Nothing, if those parts are installed in another way. A payload alone is not enough if the fix also needs a new tool, or a "
            + "hypervisor that is built differently.")

    static let hunkOffset = DiagnosticExplanation(
        "a hunk applied at another line than it says",
        [.note("The context of a hunk was found unchanged, but some lines further up or down than the hunk says.")],
        meaning: "The hunk was applied there. A context that is merely similar (fuzz) is never accepted.",
        example: "A patch that was made for the tip of a branch, and is applied to an older release of it.",
        advice: "Check that this is the intended place, above all where the same code occurs twice in a file.")

    static let fileNotBuilt = DiagnosticExplanation(
        "a changed file is in no object of this hypervisor",
        [
            .warning("No object of this hypervisor is made from a changed file, because the configuration leaves it out."),
            .note(
                "No object is made from a changed file, for a reason that is known: it is documentation, a test, or for another "
                    + "architecture, or the build reads it and nothing that objects are made from changes."),
        ],
        meaning: "The change to that file has no effect on the payload.",
        example: "A fix for a driver that CONFIG_ turns off.",
        advice: "Check that the configuration (option -c) is that of the running hypervisor. If it is, nothing is missing.")

    static let buildInputNotUnderstood = DiagnosticExplanation(
        "a file changed that only the last link of the hypervisor reads",
        [.error("The patch changes something that goes into the hypervisor's last link and into no object, such as a linker script.")],
        meaning: "The running hypervisor is linked already, and a payload can't change how.",
        example: "A patch that adds a section to xen.lds.S.",
        advice: "Leave that part out of the live patch, if the fix works without it.")

    static let configurationChanged = DiagnosticExplanation(
        "the patch changes the configuration",
        [.warning("With the Kconfig files of the patched tree, the same configuration has options with other values.")],
        meaning: "The patched objects were compiled with the new values, and everything that differs because of them is in the comparison.",
        example: "A patch that changes the default of an option, or adds one.",
        advice: "Check that the named options are meant to change in a live patch. If they are not, leave the Kconfig part out.")

    static let lineNumbersShifted = DiagnosticExplanation(
        "unchanged code gets other line numbers",
        [.note("The patched source compiles only with the line numbers that the patch gives it.")],
        meaning: "Line directives in the patched source keep the line numbers of code that the patch does not touch, because BUG, WARN and ASSERT "
            + "compile them in. With these directives two lines may have the same number, and names that macros make from line numbers may collide. "
            + "Then the source is compiled without directives: functions that contain their line number count as changed.",
        example: "A new line DEFINE_EVENT(open) above DEFINE_EVENT(read), where the macro makes a name from __LINE__.",
        advice: "Nothing: the payload is right. To make it smaller, add the new lines at the end of the file.")

    static let versionChanged = DiagnosticExplanation(
        "the patch changes the version that the hypervisor reports",
        [
            .warning(
                "The patch changes a version, but that text stays, because the running hypervisor has another one than this tree makes without "
                    + "the patch."),
            .note("The patch changes a version in xen/Makefile or xen/xen-version, or the template of xen/compile.h, and the payload has the new text."),
        ],
        meaning: "The build writes version, date and person into xen/include/xen/compile.h, and a few functions return them, such as "
            + "xen_extra_version. Only what the patch changes in that header is changed in the payload; date, person and machine stay those of the "
            + "running hypervisor. Copies that were made at boot stay as they are, such as the banner in the console log.",
        example: "A stable release's patch, with XEN_EXTRAVERSION ?= .6 in xen/Makefile.",
        advice: "Decide whether the host shall report another version: tools may conclude from it which fixes are in. If it shall not, take "
            + "the change to xen/Makefile out of the patch. A distribution that adds a text of its own has to change the version itself.")

    static let instrumentedBuild = DiagnosticExplanation(
        "the code is instrumented, or the objects have none",
        [
            .error("The configuration turns on coverage, a sanitizer or link-time optimisation."),
            .error("An object has no machine code: it is for link-time optimisation (slim LTO, LLVM bitcode), or has only debug information."),
            .error("An object calls a runtime of the compiler: coverage (gcov, KCOV), a sanitizer, or profiling (-pg)."),
        ],
        meaning: "The objects of such a build differ in more than the source says, or are no ordinary objects at all: comparing them would find "
            + "no difference, or wrong ones.",
        example: "A configuration with CONFIG_COVERAGE=y or CONFIG_UBSAN=y; CC='gcc -flto' in the environment.",
        advice: "Use the configuration and the compiler flags of the hypervisor that runs in production. If that one is instrumented, it can't "
            + "be live-patched.")

    static let objectVanished = DiagnosticExplanation(
        "an object is no longer built",
        [.note("The patched tree no longer builds an object, and no new object has its functions and variables.")],
        meaning: "The object's code and data stay in the running hypervisor. Whatever still refers to them goes on using them.",
        example: "A patch that deletes a driver together with its line in the Makefile.",
        advice: "Nothing, if nothing uses the old code any more. If it must not run, keep the file, and change its functions so that they "
            + "return an error, for example.")

    static let objectRenamed = DiagnosticExplanation(
        "an object has another name",
        [.note("An object is no longer built, and a new one has most of its functions and variables.")],
        meaning: "The two were compared with each other. Variables keep their values, and only functions that changed are replaced.",
        example: "A patch that renames a source file.",
        advice: "Nothing, if the patch renames the file. If the new file is something else, give its functions and variables other names.")

    static let debugInfoMissing = DiagnosticExplanation(
        "an object has no debug information",
        [.warning("An object in which something changed has no debug information.")],
        meaning: "Debug information tells static locals and types apart. Without it only their names can, and what names can't decide is "
            + "refused.",
        example: "A makefile that drops -g for one folder.",
        advice: "Let the object be compiled with -g: it does not change the code.")
}

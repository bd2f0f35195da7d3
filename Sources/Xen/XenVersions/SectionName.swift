/// The names of sections, written down in one place. Those of payloads are in `PayloadABI`.
///
/// Source: the linker scripts of Xen 4.7 to 4.22 (`xen/arch/*/xen.lds.S`) and the headers that put things into sections.
package enum SectionName {
    // MARK: What compilers and linkers call them

    package static let text = ".text"
    package static let readOnly = ".rodata"
    package static let writable = ".data"
    package static let zero = ".bss"
    package static let comment = ".comment"

    /// Whether a linked section of the hypervisor is freed at the end of booting.
    package static func isFreedAfterBoot(_ name: String) -> Bool { name.hasPrefix(".init") }

    /// Whether a payload's section holds variables.
    package static func isWritableData(_ name: String) -> Bool { [writable, zero].contains { isOrBegins(name, $0) } }

    /// Whether `name` is `stem`, or `stem` followed by a dot and more.
    package static func isOrBegins(_ name: String, _ stem: String) -> Bool { name == stem || name.hasPrefix(stem + ".") }

    // MARK: Special tables

    /// - Parameter kind: 0 to 3, for BUGFRAME_run_fn, BUGFRAME_warn, BUGFRAME_bug and BUGFRAME_assert.
    package static func bugFrames(_ kind: Int) -> String { "\(bugFramesStem)\(kind)" }
    package static func isBugFrames(_ name: String) -> Bool { name.hasPrefix(bugFramesStem) }
    private static let bugFramesStem = ".bug_frames."

    package static let exceptionTable = ".ex_table"
    /// For exceptions that are handled before interrupts are on again. A payload can't have entries there.
    package static let earlyExceptionTable = ".ex_table.pre"
    package static let fixups = ".fixup"
    package static let alternatives = ".altinstructions"
    package static let alternativeReplacements = ".altinstr_replacement"
    package static let alternativeCalls = ".alt_call_sites"

    // MARK: What Xen's own objects have

    /// Arrays that the linker collects from all objects and that the hypervisor uses after boot.
    package static func isCollectedArray(_ name: String) -> Bool { collected.contains { isOrBegins(name, $0) } }

    private static let collected = [
        ".data.schedulers", ".data.param", ".data.paramhypfs", ".data.vpci", ".data.rel.ro.vpci", ".rodata.vpci",
        ".dev.info", ".adev.info", ".teemediator.info", ".arch.info",
    ]

    /// Code and data that are freed at the end of booting, or not part of the running hypervisor's own code.
    package static func isBoot(_ name: String) -> Bool {
        name.hasPrefix(".init") || name.hasPrefix(".exit") || isOrBegins(name, ".text.startup") || boot.contains { isOrBegins(name, $0) }
    }

    private static let boot = [".trampoline_rel", ".trampoline_seg", ".reloc", ".ctors", ".altinstr_aux", ".got", ".got.plt"]

    /// Whether the section is an array of things to do or to read at boot.
    package static func isBootArray(_ name: String) -> Bool { name == ".init.setup" || name.hasPrefix(".initcall") }

    /// Variables that exist once for each processor.
    package static func isPerCPU(_ name: String) -> Bool { isOrBegins(name, ".bss.percpu") || isOrBegins(name, ".data.percpu") }

    /// Constants. Position-independent code has "relocation read-only" sections for constants with pointers: flagged writable, never written.
    package static func isReadOnly(_ name: String) -> Bool { isOrBegins(name, readOnly) || isOrBegins(name, ".data.rel.ro") }

    /// Sections that no hypervisor has in memory: notes, unwinding tables, build-time checks.
    package static func isDiscarded(_ name: String) -> Bool {
        isOrBegins(name, ".discard") || isNote(name) || name == ".eh_frame" || name == comment
    }

    package static func isNote(_ name: String) -> Bool { isOrBegins(name, ".note") }

    /// Sections for any data that the source puts nowhere else, and those of Xen's own marks for variables. The linker makes no arrays of
    /// them. The name is without that of a variable (`.data` of `.data.foo`).
    package static func isOrdinaryData(_ name: String) -> Bool {
        isPlainData(name) || ordinary.contains(name) || ordinaryBeginnings.contains { name.hasPrefix($0) }
    }

    private static let ordinaryBeginnings = [".rodata.str", ".rodata.cst", ".bss.page_aligned", ".data.page_aligned"]
    private static let ordinary: Set = [
        readOnly, ".data.rel", ".data.rel.local", ".data.rel.ro", ".data.rel.ro.local", ".data.ro_after_init", ".bss.stack_aligned",
    ]

    /// Plain memory: a variable may be in any of these sections equally well.
    package static func isPlainData(_ name: String) -> Bool { [writable, zero, ".data.read_mostly", ".bss.read_mostly"].contains(name) }
}

import TestDrive

/// What the generated files share: a header and a source.
struct TortureSupport: Sendable {
    var machine: TargetMachine
    var isMini: Bool

    /// `xen/torture.h`. Unused things of a generated file are no faults.
    var header: String {
        """
        #ifndef TORTURE_H
        #define TORTURE_H
        #include <xen/cache.h>
        #include <xen/lib.h>
        #include <asm/alternative.h>
        \(exceptionHeader)
        #pragma GCC diagnostic ignored "-Wunused"
        #pragma GCC diagnostic ignored "-Wunused-const-variable"
        #pragma GCC diagnostic ignored "-Wunused-function"
        #pragma GCC diagnostic ignored "-Wunused-variable"
        #pragma GCC diagnostic ignored "-Wunused-but-set-variable"
        #pragma GCC diagnostic ignored "-Wattributes"
        #pragma GCC diagnostic ignored "-Warray-bounds"
        #pragma GCC diagnostic ignored "-Waggressive-loop-optimizations"
        #pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
        #pragma GCC diagnostic ignored "-Wpragmas"
        #pragma GCC diagnostic ignored "-Wredundant-decls"
        #ifndef always_inline
        #define always_inline inline __attribute__((__always_inline__))
        #endif
        \(isMini && machine != .x86_64 ? "#include <xen/init.h>" : "")
        /* A replacement of four bytes. */
        #define TORTURE_ALTERNATIVE(n) alternative(\(alternative))
        \(machine == .x86_64 ? "#define TORTURE_PROBE(x) asm volatile ( \"1:\\tmov %0, %0\\n2:\\n\" \(exceptionTable)(1b, 2b) : \"+r\" (x) )" : "")
        unsigned long torture_see(const void *what);
        extern void *torture_any;
        #endif

        """
    }

    private var exceptionHeader: String { machine != .x86_64 ? "" : isMini ? "#include <asm/extable.h>" : "#include <asm/asm_defns.h>" }
    private var exceptionTable: String { isMini ? "EX_TABLE" : "_ASM_EXTABLE" }

    private var alternative: String {
        let feature = isMini ? "FEATURE_ALWAYS" : machine == .x86_64 ? "X86_FEATURE_ALWAYS" : "ARM64_HAS_PAN"
        return machine == .x86_64
            ? "\"\", \"nopl \" #n \"(%%rax)\", \(feature)" : "\"nop\", \"\(machine == .arm64 ? "movz xzr, #\" #n \"" : "mov r0, r0")\", \(feature)"
    }

    /// `common/torture.c`: functions that the compiler knows nothing of.
    var source: String {
        """
        #include <xen/torture.h>

        void *torture_any;

        unsigned long torture_see(const void *what)
        {
            return *(const volatile unsigned char *)what;
        }

        """
    }
}

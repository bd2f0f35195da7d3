import DebugInfo
import Diagnostics
import SourcePatch
import Testing

@testable import ObjectDiff

/// Names of source files in debug info, and the same files in patches.
@Suite struct DeclarationLinesTests {
    private static func lines(directory: String, unit: String, source: String, touched: String...) -> DeclarationLines {
        let files = touched.map {
            AppliedPatch.File(
                path: "xen/" + $0, change: .write(content: [], executable: false), isNew: false, added: 1, removed: 0,
                history: .init(path: "xen/" + $0, before: [], lines: []))
        }
        let history = LineHistory(from: AppliedPatch(files: []), to: AppliedPatch(files: files))
        let debug = DebugInfo(units: [DebugInfo.CompilationUnit(name: unit, directory: directory, producer: nil, language: .c, dwarfVersion: 5)])
        return DeclarationLines(history, original: debug, originalSource: source, patched: debug, source: source)
    }

    @Test(
        "a file's name relative to xen/",
        arguments: [
            // From Xen 4.17 on, the compiler runs in xen/.
            ("/w/tree/xen", "common/kernel.c", "common/kernel.c", "common/kernel.c", "common/kernel.c"),
            ("/w/tree/xen", "common/kernel.c", "common/kernel.c", "include/xen/lib.h", "include/xen/lib.h"),
            ("/w/tree/xen", "arch/x86/efi/boot.c", "common/efi/boot.c", "arch/x86/efi/boot.c", "common/efi/boot.c"),
            ("/w/tree/xen", "common/compat/memory.c", "common/compat/memory.c", "common/compat/../memory.c", "common/memory.c"),
            // Before, it ran in the folder of the source, and headers had absolute names.
            ("/w/xen/tree/xen/common", "kernel.c", "common/kernel.c", "kernel.c", "common/kernel.c"),
            ("/w/xen/tree/xen/common", "kernel.c", "common/kernel.c", "private.h", "common/private.h"),
            ("/w/xen/tree/xen/common", "kernel.c", "common/kernel.c", "/w/xen/tree/xen/include/xen/lib.h", "include/xen/lib.h"),
            ("/w/xen/tree/xen/common", "kernel.c", "common/kernel.c", "/elsewhere/x.h", "/elsewhere/x.h"),
        ])
    func names(directory: String, unit: String, source: String, name: String, expected: String) {
        let lines = Self.lines(directory: directory, unit: unit, source: source, touched: "include/xen/lib.h")
        #expect(lines.patchedPlace(SourceLocation(file: name, line: 3)) == SourceLocation(file: expected, line: 3))
    }

    @Test("how well a line fits a declaration")
    func fits() {
        #expect(DeclarationLines.fit("    static u32 once = 1;", name: "once", column: 16) == .exact)
        #expect(DeclarationLines.fit("    static u32 once = 1;", name: "once", column: 15) == .not)
        #expect(DeclarationLines.fit("    ONCE(x);", name: "once", column: 5) == .possible)
        #expect(DeclarationLines.fit("    static u32 once = 1;", name: "once", column: nil) == .exact)
        #expect(DeclarationLines.fit("    }", name: "once", column: nil) == .not)
        #expect(DeclarationLines.fit(nil, name: "once", column: 5) == .possible)
    }
}

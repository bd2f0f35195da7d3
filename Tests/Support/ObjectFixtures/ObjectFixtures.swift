import ArchARM32
import ArchARM64
import ArchX86_64
import DebugInfo
import ELFModel
import ObjectDiff
import SourcePatch
import SystemPackage
import TargetArchitecture
import TestTools
import WorkFiles
import XenBuild
import XenSource
import XenVersions

/// Small C sources, compiled as Xen's sources are, for the differ and the linker.
package enum ObjectFixtures {
    /// The parts of Xen that a source needs: hidden symbols, attributes, and macros that make entries in Xen's tables.
    private static let prelude = """
        #pragma GCC visibility push(hidden)
        typedef unsigned int u32; typedef unsigned long u64;
        #define __init __attribute__((__section__(".init.text"), __cold__))
        #define __initdata __attribute__((__section__(".init.data")))
        #define __read_mostly __attribute__((__section__(".data.read_mostly")))
        #define noinline __attribute__((__noinline__, __noclone__))
        #define DEFINE_PER_CPU(type, name) \\
            __attribute__((__section__(".bss.percpu"))) type per_cpu__##name
        #define WARN() asm volatile ( "1: ud2\\n.pushsection .bug_frames.1, \\"a\\"\\n.p2align 2\\n2: .long (1b - 2b) + %c1\\n" \\
            ".long (%c0 - 2b) + %c2\\n.popsection" :: "i" (__FILE__), "i" ((__LINE__ >> 7) << 24), "i" ((__LINE__ & 127) << 24) )
        #define RUN(fn) asm volatile ( "1: ud2\\n.pushsection .bug_frames.0, \\"a\\"\\n.p2align 2\\n2: .long 1b - 2b\\n.long %c0 - 2b\\n.popsection" :: "i" (fn) )
        #define TRY(insn) asm volatile ( "1: " insn "\\n2:\\n.pushsection .fixup, \\"ax\\"\\n3: movl $-1, %%eax\\njmp 2b\\n.popsection\\n" \\
            ".pushsection .ex_table, \\"a\\"\\n.balign 4\\n.long 1b - ., 3b - .\\n.popsection" ::: "eax", "memory" )
        #define TRY_EARLY(insn) asm volatile ( "1: " insn "\\n2:\\n.pushsection .ex_table.pre, \\"a\\"\\n.balign 4\\n.long 1b - ., 2b - .\\n.popsection" )
        #define ALTERNATIVE(old, new) asm volatile ( "1: " old "\\n2:\\n.pushsection .altinstructions, \\"a\\"\\n" \\
            ".long 1b - ., 3f - .\\n.word 1\\n.byte 2b - 1b, 4f - 3f, 0, 0\\n.popsection\\n" \\
            ".pushsection .altinstr_replacement, \\"ax\\"\\n3: " new "\\n4:\\n.popsection" ::: "eax" )
        extern void printk(const char *, ...);
        extern void sink(const void *);
        #line 1

        """

    /// How Xen 4.17 is compiled for a processor, as far as it matters for objects, and the address that it is linked to.
    package struct Target: Sendable, CustomStringConvertible {
        package let architecture: any TargetArchitecture
        fileprivate let flags: [String]
        fileprivate let textAddress: String
        /// Empty for this machine's own tools.
        fileprivate let toolchainPrefix: String
        package var description: String { architecture.name }

        package static let x86_64 = Target(
            architecture: ArchX86_64(),
            flags: [
                "-m64", "-fpic", "-mno-red-zone", "-mno-sse", "-mindirect-branch=thunk-extern", "-fno-jump-tables",
            ], textAddress: "0xffff82d040200000", toolchainPrefix: "")
        package static let arm64 = Target(
            architecture: ArchARM64(), flags: ["-mcpu=generic", "-mgeneral-regs-only", "-mno-outline-atomics"], textAddress: "0x200000",
            toolchainPrefix: ArchARM64().toolchainPrefix)
        package static let arm32 = Target(
            architecture: ArchARM32(), flags: ["-msoft-float", "-mcpu=cortex-a15", "-marm"], textAddress: "0x200000",
            toolchainPrefix: ArchARM32().toolchainPrefix)
    }

    /// The flags that all processors have: of debug builds, with function and data sections.
    private static let flags = [
        "-std=gnu99", "-O2", "-fomit-frame-pointer", "-nostdinc", "-fno-builtin", "-fno-common", "-fno-pie",
        "-ffunction-sections", "-fdata-sections", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-strict-aliasing", "-g",
    ]

    /// Compiles `source` as a file with that name, with more flags if given. Returns the object's path.
    ///
    /// - Parameter isNamed: whether references name local variables where they could mean another one as well, as in a build.
    package static func compile(
        _ source: String, name: String = "test.c", flags more: [String] = [], for target: Target = .x86_64, isNamed: Bool = true, in folder: FilePath
    ) async throws -> FilePath {
        _ = try write(prelude + source, to: name, in: folder)
        let base = String(name.prefix(while: { $0 != "." }))
        var object = "\(base).o"
        let compiler = "\(target.toolchainPrefix)gcc", all = flags + target.flags + more
        try await run(compiler, all + ["-c", name, "-o", object], in: folder)
        let names = isNamed ? LocalNaming(architecture: target.architecture).names(in: try ELFFile.read(folder.appending(object))) : []
        if !names.isEmpty {
            let text = "\(base).named.s"
            try await run(compiler, all + ["-S", name, "-o", text], in: folder)
            _ = try write(try WorkFiles.readText(folder.appending(text)) + NamedLocals.assembly(for: names), to: text, in: folder)
            // The hypervisor is linked from objects without names.
            object = "\(base)\(namedSuffix)"
            try await run(compiler, all + ["-c", text, "-o", object], in: folder)
        }
        return folder.appending(object)
    }

    /// The end of the file name of an object with names in its references. The same object without them lies beside it.
    private static let namedSuffix = ".named.o"

    package static func read(_ path: FilePath) throws -> CompiledObject {
        CompiledObject(file: try ELFFile.read(path), debug: try DebugInfo.read(path), path: path)
    }

    /// Compares two versions of one source.
    package static func compare(_ original: String, _ patched: String, name: String = "test.c") async throws -> ChangeSet {
        try await withTemporaryFolder { folder in
            let (a, b) = (folder.appending("a"), folder.appending("b"))
            try await run("mkdir", [a.string, b.string])
            let left = try await compile(original, name: name, in: a)
            let right = try await compile(patched, name: name, in: b)
            return try compare(left, right, name: name)
        }
    }

    package static func compare(
        _ original: FilePath, _ patched: FilePath, name: String, for target: Target = .x86_64, history: LineHistory? = nil
    ) throws -> ChangeSet {
        let set = try compareObjects(
            CompiledPair(
                ObjectID(String(name.dropLast()) + "o"), source: name, original: try read(original), patched: try read(patched), history: history),
            by: rules(for: target))
        try set.diagnostics.requireCatalogued()
        return set
    }

    package static func rules(for target: Target = .x86_64) -> ComparisonRules {
        ComparisonRules(architecture: target.architecture, xen: .ofFixtures, abi: .livepatchV2)
    }

    /// Links original objects into a file like a hypervisor: at Xen's address, with a build-id, with symbols.
    package static func link(_ objects: [FilePath], for target: Target = .x86_64, in folder: FilePath) async throws -> XenImage {
        _ = try write(
            "void printk(const char *f, ...) {}\nvoid sink(const void *p) {}\nvoid __x86_indirect_thunk_rax(void) {}\nchar pad[64];\n__attribute__((used)) static char local;\n",
            to: "rest.c", in: folder)
        try await run("\(target.toolchainPrefix)gcc", flags + target.flags + ["-c", "rest.c", "-o", "rest.o"], in: folder)
        let image = folder.appending("xen-syms")
        try await run(
            "\(target.toolchainPrefix)ld",
            ["-Ttext=\(target.textAddress)", "--build-id=sha1", "-e", "printk", "-o", image.string, folder.appending("rest.o").string]
                + objects.map { path in
                    let name = path.string
                    return name.hasSuffix(namedSuffix) ? name.dropLast(namedSuffix.count) + ".o" : name
                })
        return try XenImage.read(image)
    }
}

extension ChangeSet {
    /// The names of the items with that status, sorted, without items that are just content.
    package func names(_ wanted: Status) -> [String] {
        records.filter { $0.status == wanted && $0.item.isNamed && !$0.item.isJustContent }.map(\.item.name).sorted()
    }

    package var errors: [String] { diagnostics.filter { $0.severity == .error }.map(\.id.rawValue) }
}

extension XenVersion {
    /// The version of the hypervisor that the fixtures' objects belong to.
    package static let ofFixtures = XenVersion(major: 4, minor: 17)
}

import Diagnostics
import ELFModel
import ObjectDiff
import SystemPackage
import TargetArchitecture
import XenVersions

/// An object whose code can't be compared, though it is a sound file: it has none, or the compiler added calls of its own.
package struct UnusableObject: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus { .cannotBeLivePatched }
    package var diagnosticID: DiagnosticID? { .instrumentedBuild }

    init(_ name: String, _ why: String, help: String) {
        message = "\(name) \(why)"
        self.help = help
    }
}

/// Refuses objects without machine code, and instrumented ones. Otherwise "no difference" would be said of files that were not compared.
///
/// Objects of `-ffat-lto-objects` and `-fembed-bitcode` have machine code beside the compiler's own form of the source. They are fine.
enum MachineCode {
    /// - Parameter name: the object's name in messages.
    /// - Throws: `UnusableObject`.
    static func require(in file: ELFFile, of name: String) throws(UnusableObject) {
        guard file.header.type == ELF.FileType.relocatable else { return }
        if isSlimLTO(file) { throw withoutCode(name, "was compiled for link-time optimisation (slim LTO)") }
        let sections = file.sections.filter { $0.isAllocated && $0.size > 0 && !SectionName.isDiscarded($0.name) }
        if sections.isEmpty, file.sections.contains(where: { $0.name.hasSuffix(".dwo") }) {
            throw withoutCode(name, "is the debug information of an object that was split (-gsplit-dwarf)", help: wholeObject)
        }
        // `objcopy --only-keep-debug` keeps the sections' headers, and makes them zero-filled.
        if sections.contains(where: { $0.isExecutable && $0.isZeroFilled }) {
            throw withoutCode(name, "has only the debug information of an object", help: wholeObject)
        }
        if let kind = instrumentation(of: file) {
            throw UnusableObject(
                name, "is instrumented: it was compiled for \(kind)", help: "compile it with the flags of the hypervisor that runs in production")
        }
    }

    /// Refuses LLVM's bitcode, which is no ELF file.
    ///
    /// - Throws: `UnusableObject`. A file that can't be read is for others to complain about.
    static func refuseBitcode(_ path: FilePath, of name: String) throws(UnusableObject) {
        // `.nonBlocking` keeps the call from waiting at a pipe without a writer.
        guard let descriptor = try? FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec]) else { return }
        defer { try? descriptor.close() }
        if let start = try? descriptor.beginning() { try refuseBitcode(start, of: name) }
    }

    /// - Parameter bytes: the file, or its first four bytes at least. The magic numbers are those of LLVM's bitcode file format: `BC` C0DE,
    ///   and 0B17C0DE with a wrapper around.
    static func refuseBitcode(_ bytes: [UInt8], of name: String) throws(UnusableObject) {
        guard bytes.starts(with: [0x42, 0x43, 0xC0, 0xDE]) || bytes.starts(with: [0xDE, 0xC0, 0x17, 0x0B]) else { return }
        throw withoutCode(name, "is LLVM bitcode, made for link-time optimisation")
    }

    private static let wholeObject = "give the object with the code, from which this file was split off"

    private static func withoutCode(
        _ name: String, _ why: String, help: String = "compile without that flag (-flto, -emit-llvm), as the hypervisor in production was"
    ) -> UnusableObject {
        UnusableObject(name, "has no machine code: it \(why)", help: help)
    }

    /// GCC says in the section `.gnu.lto_.lto.ID` whether there is no code beside its own form of the source (GCC 10 and later: two 16-bit
    /// numbers with the version, then the byte `slim_object`), and with the symbol `__gnu_lto_slim`.
    private static func isSlimLTO(_ file: ELFFile) -> Bool {
        if let section = file.sections.first(where: { $0.name.hasPrefix(".gnu.lto_.lto.") }), section.data.count > 4 { return section.data[4] != 0 }
        return file.symbols.contains { $0.name == "__gnu_lto_slim" || $0.name == "___gnu_lto_slim" }
    }

    /// What the compiler's own calls in an object are for; nil if there are none.
    private static func instrumentation(of file: ELFFile) -> String? {
        if file.sections.contains(where: { $0.name.hasPrefix("__llvm_prf_") }) { return "coverage (LLVM)" }
        for symbol in file.symbols where symbol.place == .undefined {
            if let kind = runtimes.first(where: { symbol.name.hasPrefix($0.prefix) })?.kind { return kind }
            if profilers.contains(symbol.name) { return "profiling (-pg)" }
        }
        return nil
    }

    /// The functions that compilers call by themselves (GCC's libgcov, libsanitizer and gprof, LLVM's compiler-rt).
    private static let runtimes: [(prefix: String, kind: String)] = [
        ("__gcov_", "coverage (gcov)"), ("__llvm_profile_", "coverage (LLVM)"), ("__llvm_gcov_", "coverage (gcov)"),
        ("__ubsan_handle_", "the sanitizer of undefined behaviour (UBSAN)"), ("__sanitizer_cov_", "coverage of a fuzzer (KCOV)"),
        ("__asan_", "the address sanitizer (ASAN, KASAN)"), ("__hwasan_", "the address sanitizer (HWASAN)"), ("__tsan_", "the thread sanitizer (TSAN, KCSAN)"),
        ("__msan_", "the memory sanitizer (MSAN, KMSAN)"), ("__cyg_profile_func_", "tracing (-finstrument-functions)"), ("__xray_", "tracing (XRay)"),
    ]
    private static let profilers: Set = ["mcount", "_mcount", "__mcount", "__gnu_mcount_nc", "__fentry__"]
}

extension FileDescriptor {
    fileprivate func beginning() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4)
        let count = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return Array(bytes.prefix(count))
    }
}

extension CompiledObject {
    /// Reads an object that the build made.
    ///
    /// - Parameter path: nil if this side does not build the object; the result is then empty.
    /// - Throws: `UnusableObject`, `InputError`.
    static func readCode(_ path: FilePath?, of name: String, for architecture: any TargetArchitecture) throws -> CompiledObject {
        if let path { try MachineCode.refuseBitcode(path, of: name) }
        let object = try CompiledObject.read(path, for: architecture)
        try MachineCode.require(in: object.file, of: name)
        return object
    }
}

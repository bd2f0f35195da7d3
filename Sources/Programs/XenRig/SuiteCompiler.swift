import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// A GCC of another release of Debian, unpacked in the cache and run from there.
///
/// An older Xen does not compile, or does not boot, when a much newer compiler builds it. And its payloads must come from the
/// compiler that built it. GCC finds its own parts relative to itself, wherever it is; the assembler and the linker are the machine's.
package struct SuiteCompiler: Sendable, Equatable {
    /// GCC's major version.
    package var version: Int
    /// The value for `CC`.
    package var program: FilePath

    package init(version: Int, program: FilePath) {
        self.version = version
        self.program = program
    }

    /// GCC `version` from the suite: from the cache, or downloaded (about 30 MB).
    ///
    /// Throws `StepError` when the suite lacks it, and when it does not run here. It uses the machine's libraries, which come
    /// with the machine's own GCC from Debian.
    package static func ofDebian(_ archive: DebianArchive, version: Int) async throws -> SuiteCompiler {
        let name = "gcc-\(version)"
        let folder = try await archive.cache.folder("\(name)-\(archive.label)") { folder in
            let lists = try await archive.lists()
            archive.cache.tell("fetching \(name) of Debian \(archive.suite)")
            try await lists.unpack([name, "cpp-\(version)", "libgcc-\(version)-dev"], into: folder)
            try await attempt(folder.appending("usr/bin/\(name)"), in: folder)
        }
        return SuiteCompiler(version: version, program: folder.appending("usr/bin/\(name)"))
    }

    /// Compiles a small source: `--version` alone would not start the actual compiler.
    private static func attempt(_ program: FilePath, in folder: FilePath) async throws {
        let source = folder.appending("attempt.c")
        try WorkFiles.writeAtomically(Array("int attempt(int a) { return a; }\n".utf8), to: source)
        do {
            try await Tool(name: program.string).output(["-O2", "-c", source.string, "-o", folder.appending("attempt.o").string])
        } catch let error as StepError {
            throw StepError("\(program) does not work on this machine: \(error.message)", help: "it needs the libraries of Debian's own gcc")
        }
    }
}

import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// A compiler other than the machine's own GCC: a GCC of another release of Debian, unpacked in the cache and run from there, or the Clang of
/// this release.
///
/// An older Xen does not compile, or does not boot, when a much newer compiler builds it. And its payloads must come from the
/// compiler that built it. GCC finds its own parts relative to itself, wherever it is; the linker is the machine's, and so is an older
/// compiler's assembler.
package struct SuiteCompiler: Sendable, Equatable {
    /// The compiler's major version.
    package var version: Int
    /// The value for `CC`.
    package var program: FilePath

    /// What compiles the tools that the build itself runs. A compiler without its suite's C library makes none.
    static let host = "gcc"

    package init(version: Int, program: FilePath) {
        self.version = version
        self.program = program
    }

    /// The Clang that is installed on this machine under Debian's name for that version.
    package static func clang(_ version: Int) -> SuiteCompiler { SuiteCompiler(version: version, program: FilePath("clang-\(version)")) }

    /// GCC `version` from the suite: from the cache, or downloaded (about 30 MB).
    ///
    /// It uses the machine's libraries if it runs with them, as an older one does. A newer one gets those of its suite, with their own
    /// C library. Throws `StepError` when the suite lacks it, and when it does not run here.
    package static func ofDebian(_ archive: DebianArchive, version: Int) async throws -> SuiteCompiler {
        let name = "gcc-\(version)"
        let folder = try await archive.cache.folder("\(name)-\(archive.label)") { folder in
            let lists = try await archive.lists()
            archive.cache.tell("fetching \(name) of Debian \(archive.suite)")
            // From GCC 14 on, the programs are in packages named after the machine that they compile for.
            let triplet = "x86-64-linux-gnu"
            let isSplit = try await lists.dependencies(of: name).contains("\(name)-\(triplet)")
            let compiler = isSplit ? "cpp-\(version)-\(triplet)" : "cpp-\(version)"
            try await lists.unpack([name, compiler, "libgcc-\(version)-dev"] + (isSplit ? ["\(name)-\(triplet)"] : []), into: folder)
            do {
                try await attempt(folder.appending("usr/bin/\(name)"), in: folder)
            } catch is StepError {
                try await useOwnLibraries(folder, of: compiler, lists, version: version)
                try await attempt(folder.appending("usr/bin/\(name)"), in: folder)
            }
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

    // MARK: Libraries of its own

    /// Fetches the suite's assembler as well, and the libraries that both need, and names their folder in the programs. GCC writes directives
    /// that an older assembler does not know, such as `.base64`.
    private static func useOwnLibraries(_ folder: FilePath, of compiler: String, _ lists: DebianArchive.Lists, version: Int) async throws {
        let assembler = "binutils-x86-64-linux-gnu"
        let direct = try await (lists.dependencies(of: compiler) + lists.dependencies(of: assembler)).filter(isLibrary)
        var all = Set(direct)
        for library in direct { all.formUnion(try await lists.dependencies(of: library).filter(isLibrary)) }
        try await lists.unpack([assembler] + all.sorted(), into: folder)
        try await Tool(name: "ln").output([
            "-s", folder.appending("usr/bin/x86_64-linux-gnu-as").string, parts(in: folder, version: version).appending("as").string,
        ])
        let libraries = folder.appending("usr/lib/x86_64-linux-gnu")
        let patch = Tool(name: "patchelf")
        for program in programs(in: folder, version: version) {
            let loader = libraries.appending("ld-linux-x86-64.so.2")
            try await patch.output(["--set-interpreter", loader.string, "--force-rpath", "--set-rpath", libraries.string, program.string])
        }
    }

    private static func isLibrary(_ package: String) -> Bool { package.hasPrefix("lib") || package.hasPrefix("zlib") }

    /// The driver, and what it starts.
    private static func programs(in folder: FilePath, version: Int) -> [FilePath] {
        ["x86_64-linux-gnu-gcc-\(version)", "x86_64-linux-gnu-as"].map { folder.appending("usr/bin").appending($0) }
            + ["cc1", "collect2", "lto1", "lto-wrapper"].map { parts(in: folder, version: version).appending($0) }
    }

    /// Where the driver looks for its parts first.
    private static func parts(in folder: FilePath, version: Int) -> FilePath { folder.appending("usr/libexec/gcc/x86_64-linux-gnu/\(version)") }
}

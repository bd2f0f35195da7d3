import ELFModel
import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import WorkFiles

extension ObjectFixtures {
    /// Compiles a source so that its relocations name its local variables (`NamedLocals`): to assembly text, to which the names are added.
    static func compileNamed(_ source: String, name: String, for target: Target, in folder: FilePath) async throws -> ELFFile {
        let plain = try ELFFile.read(try await compile(source, name: name, for: target, in: folder), debugSections: false)
        let locals = plain.symbols.filter { $0.isObject && $0.isLocal && $0.sectionIndex != nil }.map(\.name)
        let text = try await compile(source, name: name, flags: ["-S"], for: target, in: folder)
        _ = try write(try WorkFiles.readText(text) + NamedLocals.assembly(for: locals), to: "named.s", in: folder)
        let prefix = target.architecture.name == "x86_64" ? "" : target.architecture.toolchainPrefix
        let flags = target.architecture.name == "arm32" ? ["-mcpu=cortex-a15", "-marm"] : []
        try await run("\(prefix)gcc", flags + ["-c", "named.s", "-o", "named.o"], in: folder)
        let named = try ELFFile.read(folder.appending("named.o"), debugSections: false)
        try #require(named.namedLocals.isSuperset(of: locals))
        return named
    }
}

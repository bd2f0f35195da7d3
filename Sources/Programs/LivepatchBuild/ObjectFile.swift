import DebugInfo
import ELFModel
import ObjectDiff
import SystemPackage
import WorkFiles

/// An object file, read but for its debug info: those bytes are many, and `DebugInfo` takes what it wants out of the file.
package struct ObjectFile: Sendable {
    package var path: FilePath
    package var file: ELFFile

    /// - Throws: `ELFError`.
    package init(_ path: FilePath) throws {
        self.path = path
        file = try ELFFile.read(path, debugSections: false)
    }

    /// nil for a file that is only called like an object (the EFI loader's build-id), and for one that a linker put together from several
    /// sources.
    ///
    /// - Throws: `ELFError`, `WorkFileError`.
    package init?(ofOneSource path: FilePath) throws {
        let bytes = try WorkFiles.read(path)
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
        file = try ELFFile(bytes: bytes, name: path.string, debugSections: false)
        self.path = path
        guard file.header.type == ELF.FileType.relocatable, file.symbols.count(where: \.isFile) <= 1 else { return nil }
    }

    /// With its debug info.
    ///
    /// - Throws: `DebugInfoError`.
    func compiled() throws(DebugInfoError) -> CompiledObject {
        CompiledObject(file: file, debug: try DebugInfo.read(path), path: path)
    }
}

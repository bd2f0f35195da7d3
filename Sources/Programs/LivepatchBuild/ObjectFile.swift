import DebugInfo
import Diagnostics
import ELFModel
import ObjectDiff
import SystemPackage
import WorkFiles

/// An object file, read without its debug information, which is large: `DebugInfo` reads the parts that it needs from the file.
package struct ObjectFile: Sendable {
    package var path: FilePath
    package var file: ELFFile

    /// - Throws: `InputError`, `UnusableObject`.
    package init(_ path: FilePath) throws {
        self.path = path
        try MachineCode.refuseBitcode(path, of: path.string)
        file = try ELFFile.read(path, debugSections: false)
        guard file.header.type == ELF.FileType.relocatable else {
            throw InputError(file: path, reason: "is not an object, but a linked file: give the objects that it was linked from")
        }
        try MachineCode.require(in: file, of: path.string)
    }

    /// Returns nil for a file that has an object's name but is none (the EFI loader's build-id), and for an object that a linker put together
    /// from several sources.
    ///
    /// - Throws: `InputError`, `UnusableObject`, `WorkFileError`.
    package init?(ofOneSource path: FilePath) throws {
        let bytes = try WorkFiles.read(path)
        try MachineCode.refuseBitcode(bytes, of: path.string)
        guard bytes.starts(with: ELF.magic) else { return nil }
        file = try ELFFile(bytes: bytes, name: path.string, debugSections: false)
        self.path = path
        guard file.header.type == ELF.FileType.relocatable, file.symbols.count(where: \.isFile) <= 1 else { return nil }
        try MachineCode.require(in: file, of: path.string)
    }

    /// The object with its debug information.
    ///
    /// - Throws: `InputError`.
    func compiled() throws(InputError) -> CompiledObject {
        CompiledObject(file: file, debug: try DebugInfo.read(path), path: path)
    }
}

import DebugInfo
import ELFModel
import ObjectDiff
import SystemPackage
import TargetArchitecture
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
}

extension ObjectToCompare {
    /// Reads an object's debug info; nil stands for an object that does not exist on this side, and is empty.
    init(_ object: ObjectFile?, architecture: any TargetArchitecture) throws {
        if let object {
            self.init(file: object.file, debug: try DebugInfo.read(object.path))
            return
        }
        let header = ELFHeader(
            elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable, machine: architecture.machine)
        let null = ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)
        self.init(file: ELFFile(header: header, sections: [null], symbols: [ELFSymbol(name: "")]), debug: DebugInfo())
    }
}

/// Where the two compilations of an object are; nil for one that does not exist.
package struct ObjectPaths: Sendable, Equatable {
    package var original: FilePath?
    package var patched: FilePath?

    package init(original: FilePath?, patched: FilePath?) { (self.original, self.patched) = (original, patched) }

    /// The types that one compilation knows; none of one that does not exist.
    func types(_ side: ObjectSide, withUses: Bool) throws -> TypeInfo {
        try Task.checkCancellation()
        return try path(side).map { try TypeInfo.read($0, withUses: withUses) } ?? TypeInfo()
    }

    func prototypes(_ side: ObjectSide) throws -> Prototypes { try path(side).map { try Prototypes.read($0) } ?? Prototypes() }

    private func path(_ side: ObjectSide) -> FilePath? { side == .original ? original : patched }
}

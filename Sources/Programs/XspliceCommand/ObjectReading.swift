import DebugInfo
import ELFModel
import ObjectDiff
import SystemPackage
import TargetArchitecture

extension ObjectToCompare {
    /// Reads an object with its debug info; nil stands for an object that does not exist on this side, and is empty.
    init(at path: FilePath?, architecture: any TargetArchitecture) throws {
        guard let path else {
            let header = ELFHeader(
                elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable,
                machine: architecture.machine)
            let null = ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)
            self.init(
                file: ELFFile(header: header, sections: [null], symbols: [ELFSymbol(name: "")]), debug: DebugInfo())
            return
        }
        // The bytes of debug sections are large, and DebugInfo has read them.
        self.init(file: try ELFFile.read(path, debugSections: false), debug: try DebugInfo.read(path))
    }
}

/// Where the two compilations of an object are; nil for one that does not exist.
struct ObjectPaths: Sendable {
    var original: FilePath?
    var patched: FilePath?

    /// Refuses what only machine code and types tell of this one object.
    func checkDebugInfo(of set: inout ChangeSet, architecture: any TargetArchitecture) throws {
        try checkAddressesOfConstants(&set, architecture: architecture) { side in
            try path(side).map { try Prototypes.read($0) } ?? Prototypes()
        }
        try checkTypesOfVariables(&set) { try types($0, withUses: true) }
    }

    /// The types that one compilation knows; none of one that does not exist.
    func types(_ side: ObjectSide, withUses: Bool) throws -> TypeInfo {
        try Task.checkCancellation()
        return try path(side).map { try TypeInfo.read($0, withUses: withUses) } ?? TypeInfo()
    }

    private func path(_ side: ObjectSide) -> FilePath? { side == .original ? original : patched }
}

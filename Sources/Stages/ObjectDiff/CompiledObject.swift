import DebugInfo
import Diagnostics
import ELFModel
import SystemPackage
import TargetArchitecture

/// Which of an object's two compilations, as a value.
package enum ObjectSide: Sendable, Equatable {
    case original, patched
}

/// One compilation of an object, with its debug information. What only some objects are asked for is read when it is asked for.
package struct CompiledObject: Sendable {
    package let file: ELFFile
    package let debug: DebugInfo
    /// Where types and prototypes are read from; nil for an object that has none.
    private let path: FilePath?
    /// False for one that this side does not build.
    package let exists: Bool

    package init(file: ELFFile, debug: DebugInfo, path: FilePath? = nil, exists: Bool = true) {
        self.file = file
        self.debug = debug
        self.path = path
        self.exists = exists
    }

    /// Reads an object and what its debug information says of functions and variables.
    ///
    /// - Parameter path: nil for an object that this side does not build: it is empty.
    /// - Throws: `ELFError`, `DebugInfoError`.
    package static func read(_ path: FilePath?, for architecture: any TargetArchitecture) throws -> CompiledObject {
        guard let path else { return absent(for: architecture) }
        // The bytes of debug sections are large, and DebugInfo has read them.
        return CompiledObject(file: try ELFFile.read(path, debugSections: false), debug: try DebugInfo.read(path), path: path)
    }

    /// An object that one side does not build.
    package static func absent(for architecture: any TargetArchitecture) -> CompiledObject {
        let header = ELFHeader(
            elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable, machine: architecture.machine)
        let null = ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)
        return CompiledObject(
            file: ELFFile(header: header, sections: [null], symbols: [ELFSymbol(name: "")]), debug: DebugInfo(), exists: false)
    }

    /// The types that it knows.
    ///
    /// - Parameter withUses: also which functions and variables use them.
    package func types(withUses: Bool) throws(DebugInfoError) -> TypeInfo {
        guard let path else { return TypeInfo() }
        return try TypeInfo.read(path, withUses: withUses)
    }

    /// The lines of the source that some places of its code came from.
    func lines(of places: Set<SourceLines.Place>) throws(DebugInfoError) -> [SourceLines.Place: SourceLocation] {
        guard let path else { return [:] }
        return try SourceLines.read(path, for: places)
    }

    /// The functions that it declares and defines.
    func prototypes() throws(DebugInfoError) -> Prototypes {
        guard let path else { return Prototypes() }
        return try Prototypes.read(path)
    }
}

/// One object as compiled from both sources.
package struct CompiledPair: Sendable {
    package let object: ObjectID
    /// Its main source file, relative to `xen/`.
    package let source: String
    /// The original's main source file, where the patch renamed it.
    package let originalSource: String?
    package let original: CompiledObject
    package let patched: CompiledObject

    package init(_ object: ObjectID, source: String, originalSource: String? = nil, original: CompiledObject, patched: CompiledObject) {
        self.object = object
        self.source = source
        self.originalSource = originalSource
        self.original = original
        self.patched = patched
    }
}

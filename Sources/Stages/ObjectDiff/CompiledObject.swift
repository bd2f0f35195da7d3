import DebugInfo
import Diagnostics
import ELFModel
import SourcePatch
import SystemPackage
import TargetArchitecture

/// Selects one of an object's two compilations.
package enum ObjectSide: Sendable, Equatable {
    case original, patched
}

/// One compilation of an object, with its debug information. Parts that are rarely needed are read on demand.
package struct CompiledObject: Sendable {
    package let file: ELFFile
    package let debug: DebugInfo
    /// The file from which types and prototypes are read; nil if the object does not exist.
    private let path: FilePath?
    /// False if this side does not build the object.
    package let exists: Bool

    package init(file: ELFFile, debug: DebugInfo, path: FilePath? = nil, exists: Bool = true) {
        self.file = file.withLocalsRestored()
        self.debug = debug
        self.path = path
        self.exists = exists
    }

    /// Reads an object and what its debug information says about functions and variables.
    ///
    /// - Parameter path: nil if this side does not build the object; the result is then empty.
    /// - Throws: `InputError` when the file can't be read or is malformed.
    package static func read(_ path: FilePath?, for architecture: any TargetArchitecture) throws -> CompiledObject {
        guard let path else { return absent(for: architecture) }
        // Debug sections are large, and DebugInfo reads them itself.
        return CompiledObject(file: try ELFFile.read(path, debugSections: false), debug: try DebugInfo.read(path), path: path)
    }

    /// Stands for an object that one side does not build.
    package static func absent(for architecture: any TargetArchitecture) -> CompiledObject {
        let header = ELFHeader(
            elfClass: architecture.elfClass, byteOrder: architecture.byteOrder, type: ELF.FileType.relocatable, machine: architecture.machine)
        let null = ELFSection(name: "", type: ELF.SectionType.null, alignment: 0)
        return CompiledObject(
            file: ELFFile(header: header, sections: [null], symbols: [ELFSymbol(name: "")]), debug: DebugInfo(), exists: false)
    }

    /// The types in the object's debug information.
    ///
    /// - Parameter withUses: whether to read the functions and variables that use them as well.
    package func types(withUses: Bool) throws(InputError) -> TypeInfo {
        guard let path else { return TypeInfo() }
        return try TypeInfo.read(path, withUses: withUses)
    }

    /// Finds the source lines of some places in its code.
    func lines(of places: Set<SourceLines.Place>) throws(InputError) -> [SourceLines.Place: SourceLocation] {
        guard let path else { return [:] }
        return try SourceLines.read(path, for: places)
    }

    /// The declarations of variables with these names, also of those without storage.
    func declarations(named names: Set<String>) throws(InputError) -> [VariableDeclarations.Declaration] {
        guard let path else { return [] }
        return try VariableDeclarations.read(path, named: names)
    }

    /// The functions that it declares and defines.
    func prototypes() throws(InputError) -> Prototypes {
        guard let path else { return Prototypes() }
        return try Prototypes.read(path)
    }
}

/// One object as compiled from both sources.
package struct CompiledPair: Sendable {
    package let object: ObjectID
    /// Its main source file, relative to `xen/`.
    package let source: String
    /// The original's main source file, if the patch renamed it.
    package let originalSource: String?
    package let original: CompiledObject
    package let patched: CompiledObject
    /// Which line of the source became which; nil if nobody knows.
    package let history: LineHistory?

    package init(
        _ object: ObjectID, source: String, originalSource: String? = nil, original: CompiledObject, patched: CompiledObject, history: LineHistory? = nil
    ) {
        self.history = history
        self.object = object
        self.source = source
        self.originalSource = originalSource
        self.original = original
        self.patched = patched
    }

    /// What became of the lines of declarations; nil if nobody knows.
    var lines: DeclarationLines? {
        history.map { DeclarationLines($0, original: original.debug, originalSource: originalSource ?? source, patched: patched.debug, source: source) }
    }
}

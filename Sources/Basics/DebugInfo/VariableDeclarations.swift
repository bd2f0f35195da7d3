import CLibdw
import Diagnostics
import SystemPackage

/// The declarations of variables in an object's debug information, also of variables that the compiler gave no storage.
package enum VariableDeclarations {
    package struct Declaration: Sendable, Equatable {
        /// The name in the source.
        package var name: String
        package var place: SourceLocation?
        /// The column of the name, or of the macro that declares it, counted from 1. nil if the compiler does not say.
        package var column: Int?
        /// As in `DebugInfo.Variable`: empty at file level.
        package var scope: [DebugInfo.ScopeElement]
        /// Where the variable lies before the program runs; nil if it has no such place.
        package var storage: SourceLines.Place?
        /// The value that it always has, if the compiler says so.
        package var constant: Int64?
        /// Whether it lies on the stack or in a register at least for some time.
        package var isAutomatic: Bool

        /// The name of the function that it is local to; nil at file level.
        package var enclosingFunction: String? {
            for case .function(let name) in scope.reversed() { return name }
            return nil
        }
    }

    /// Reads the declarations of variables with given names. Each declaration of the source comes once, however often its function was
    /// inlined. Declarations of what another file defines are left out.
    ///
    /// - Returns: the declarations in the order of the debug information.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath, named names: Set<String>) throws(InputError) -> [Declaration] {
        guard !names.isEmpty else { return [] }
        return try DwarfFile.read(path) { dwarf, addresses throws(DIE.Damaged) in
            var reader = Reader(names: names, addresses: addresses)
            var units = Units(dwarf)
            while let unit = try units.next() { try reader.read(unit: DIE(unit.entry)) }
            return reader.found
        } ?? []
    }
}

private struct Reader {
    let names: Set<String>
    let addresses: AddressMap
    private(set) var found: [VariableDeclarations.Declaration] = []
    /// Indices into `found`, by the offsets of the entries.
    private var indices: [UInt64: Int] = [:]
    private var sourceNames = SourceNames()

    /// Deeper than any compiler nests; keeps a damaged file from using up the stack.
    private static let maximumDepth = 256

    init(names: Set<String>, addresses: AddressMap) {
        self.names = names
        self.addresses = addresses
    }

    mutating func read(unit: DIE) throws(DIE.Damaged) {
        sourceNames = SourceNames(directory: unit.string(DW_AT_comp_dir))
        try readScope(unit, scope: [], depth: 0)
    }

    private mutating func readScope(_ die: DIE, scope: [DebugInfo.ScopeElement], depth: Int) throws(DIE.Damaged) {
        guard depth < Self.maximumDepth else { throw DIE.Damaged(reason: "blocks nested too deeply") }
        var blocks = 0
        var children = die.children
        while let child = try children.next() {
            switch child.kind {
            case .function where !child.isDeclaration:
                if let name = child.name { try readScope(child, scope: scope + [.function(name)], depth: depth + 1) }
            case .inlinedCopy:
                try readScope(child, scope: [.function(child.name ?? "")], depth: depth + 1)
            case .block:
                try readScope(child, scope: scope + [.block(blocks)], depth: depth + 1)
                blocks += 1
            case .variable:
                note(child, scope: scope)
            case .function, .parameter, .moreParameters, .other:
                break
            }
        }
    }

    private mutating func note(_ die: DIE, scope: [DebugInfo.ScopeElement]) {
        guard let name = die.name, names.contains(name), !die.isDeclaration else { return }
        let storage = die.staticAddress.flatMap { addresses.place(of: $0) }.map { SourceLines.Place(section: $0.section, offset: Int(clamping: $0.offset)) }
        let origin = die.abstract
        if let index = indices[origin.offset] {
            // A copy adds where the variable lies, and the entry that it repeats adds where it is declared.
            if origin.offset == die.offset { found[index].scope = scope }
            if found[index].storage == nil { found[index].storage = storage }
            if storage == nil, die.has(DW_AT_location) { found[index].isAutomatic = true }
            return
        }
        // An external one without a place is another file's, or another name of one that is listed.
        guard storage != nil || !die.isExternal else { return }
        indices[origin.offset] = found.count
        found.append(
            VariableDeclarations.Declaration(
                name: name, place: sourceNames.declaration(of: die), column: die.number(DW_AT_decl_column).map { Int(clamping: $0) }, scope: scope,
                storage: storage, constant: die.number(DW_AT_const_value).map { Int64(bitPattern: $0) },
                isAutomatic: storage == nil && die.has(DW_AT_location)))
    }
}

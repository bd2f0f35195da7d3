import CLibdw
import Diagnostics
import SystemPackage

extension DebugInfo {
    /// Reads the debug information of an object file or of a linked file, DWARF 2 to 5.
    ///
    /// - Returns: a value without units when the file has no debug information.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath) throws(InputError) -> DebugInfo {
        try DwarfFile.read(path) { dwarf, addresses throws(DIE.Damaged) in
            var reader = DebugInfoReader(addresses: addresses)
            try reader.readUnits(of: dwarf)
            return reader.finished()
        } ?? DebugInfo()
    }
}

extension DebugInfo.CompilationUnit {
    /// The compilation units of a file without their contents. This is fast even for a whole hypervisor.
    ///
    /// - Returns: an empty array when the file has no debug information.
    /// - Throws: as `DebugInfo.read`.
    package static func all(in path: FilePath) throws(InputError) -> [DebugInfo.CompilationUnit] {
        try DwarfFile.read(path) { dwarf, _ throws(DIE.Damaged) in
            var units = Units(dwarf), found: [DebugInfo.CompilationUnit] = []
            while let unit = try units.next() { found.append(.init(unit)) }
            return found
        } ?? []
    }

    fileprivate init(_ unit: Units.Unit) {
        let die = DIE(unit.entry), directory = die.string(DW_AT_comp_dir) ?? unit.directory
        self.init(
            name: SourceNames(directory: directory).shortened(die.name ?? ""), directory: directory,
            producer: die.string(DW_AT_producer),
            language: die.number(DW_AT_language).map { DebugInfo.SourceLanguage(dwarf: $0) }, dwarfVersion: unit.version)
    }
}

/// Walks the trees of all units once and collects functions and variables.
private struct DebugInfoReader {
    private let addresses: AddressMap
    private var units: [DebugInfo.CompilationUnit] = []
    private var functions: [PendingFunction] = []
    private var variables: [PendingVariable] = []
    /// The abstract functions that have a copy with code of its own, by their entries.
    private var abstractWithCode: Set<UInt64> = []
    /// The scopes of variables in abstract functions, by the variables' entries.
    private var abstractScopes: [UInt64: [DebugInfo.ScopeElement]] = [:]
    private var sourceNames = SourceNames()

    private struct PendingFunction {
        var function: DebugInfo.Function
        /// The function's own entry.
        var identity: UInt64
    }

    /// A variable whose scope is known only when all abstract functions have been read.
    private struct PendingVariable {
        var variable: DebugInfo.Variable
        /// The entry in the abstract function, or the variable's own entry.
        var abstractIdentity: UInt64
    }

    /// Deeper than any compiler nests; keeps a damaged file from using up the stack.
    private static let maximumDepth = 256

    init(addresses: AddressMap) { self.addresses = addresses }

    mutating func readUnits(of dwarf: OpaquePointer) throws(DIE.Damaged) {
        var units = Units(dwarf)
        while let unit = try units.next() { try read(unit) }
    }

    private mutating func read(_ found: Units.Unit) throws(DIE.Damaged) {
        let unit = DebugInfo.CompilationUnit(found)
        sourceNames = SourceNames(directory: unit.directory)
        units.append(unit)
        try readScope(DIE(found.entry), scope: [], isAbstract: false, depth: 0)
    }

    /// Reads what a unit, a function or a block declares.
    private mutating func readScope(
        _ die: DIE, scope: [DebugInfo.ScopeElement], isAbstract: Bool, depth: Int
    ) throws(DIE.Damaged) {
        guard depth < Self.maximumDepth else { throw DIE.Damaged(reason: "blocks nested too deeply") }
        var blocks = 0
        var children = die.children
        while let child = try children.next() {
            switch child.kind {
            case .function:
                try readFunction(child, outer: scope, depth: depth + 1)
            case .variable:
                readVariable(child, scope: scope, isAbstract: isAbstract)
            case .block:
                try readScope(child, scope: scope + [.block(blocks)], isAbstract: isAbstract, depth: depth + 1)
                blocks += 1
            case .inlinedCopy:
                try readScope(child, scope: [.function(child.name ?? "")], isAbstract: false, depth: depth + 1)
            case .parameter, .moreParameters, .other:
                break
            }
        }
    }

    private mutating func readFunction(
        _ die: DIE, outer: [DebugInfo.ScopeElement], depth: Int
    ) throws(DIE.Damaged) {
        guard !die.isDeclaration, let name = die.name else { return }
        let identity = die.identity
        let abstract = die.abstract.identity
        let ranges = die.codeRanges.compactMap { range -> DebugInfo.CodeRange? in
            addresses.place(of: range.lowerBound).map {
                DebugInfo.CodeRange(section: $0.section, offset: $0.offset, size: range.upperBound - range.lowerBound)
            }
        }
        if !ranges.isEmpty && abstract != identity { abstractWithCode.insert(abstract) }
        functions.append(
            PendingFunction(
                function: DebugInfo.Function(
                    unit: units.count - 1, name: name, linkageName: die.linkageName, isExternal: die.isExternal,
                    declaration: sourceNames.declaration(of: die), inlining: die.inlining, ranges: ranges),
                identity: identity))
        try readScope(die, scope: outer + [.function(name)], isAbstract: ranges.isEmpty, depth: depth)
    }

    private mutating func readVariable(_ die: DIE, scope: [DebugInfo.ScopeElement], isAbstract: Bool) {
        if isAbstract { abstractScopes[die.identity] = scope }
        guard let address = die.staticAddress, let place = addresses.place(of: address), let name = die.name else { return }
        variables.append(
            PendingVariable(
                variable: DebugInfo.Variable(
                    unit: units.count - 1, name: name, linkageName: die.linkageName, isExternal: die.isExternal,
                    declaration: sourceNames.declaration(of: die), scope: scope, section: place.section, offset: place.offset,
                    size: die.typeSize),
                abstractIdentity: die.abstract.identity))
    }

    /// Everything that was collected: abstract functions only if no copy of them has code, and each variable once.
    consuming func finished() -> DebugInfo {
        let kept = functions.filter { !$0.function.ranges.isEmpty || !abstractWithCode.contains($0.identity) }
        var seen: Set<VariableKey> = []
        var once: [DebugInfo.Variable] = []
        for pending in variables {
            var variable = pending.variable
            if let scope = abstractScopes[pending.abstractIdentity] { variable.scope = scope }
            let key = VariableKey(section: variable.section, offset: variable.offset, name: variable.name)
            if seen.insert(key).inserted { once.append(variable) }
        }
        return DebugInfo(units: units, functions: kept.map(\.function), variables: once)
    }

    private struct VariableKey: Hashable {
        var section: Int
        var offset: UInt64
        var name: String
    }
}

extension DebugInfo.SourceLanguage {
    fileprivate init(dwarf number: UInt64) {
        switch Int(truncatingIfNeeded: number) {
        case DW_LANG_C, DW_LANG_C89, DW_LANG_C99,
            DW_LANG_C11:
            self = .c
        case DW_LANG_Mips_Assembler: self = .assembler
        default: self = .other(Int(truncatingIfNeeded: number))
        }
    }
}

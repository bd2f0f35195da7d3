import CLibdw
import Diagnostics

/// Walks the trees of all units once and notes what concerns types, by the offsets of their entries. What a name means is
/// known only when the whole unit has been read.
struct TypeWalker {
    struct Definition {
        var entry: TypeEntry
        var scope: [String]
        var declaration: SourceLocation?
    }

    struct Variable {
        var die: DIE
        var type: UInt64
        var declaration: SourceLocation?
        var enclosingFunction: String?
    }

    /// A function, with code or without, and the types of what it declares.
    struct Function {
        var die: DIE
        var hasCode: Bool
        var origin: UInt64?
        var types: [UInt64] = []
        /// The functions that were inlined into it.
        var inlined: [UInt64] = []
        var declaration: SourceLocation?
    }

    private(set) var definitions: [UInt64: Definition] = [:]
    /// The offsets of `definitions`, in the order of the debug information.
    private(set) var order: [UInt64] = []
    /// Names that typedefs give to an entry directly.
    private(set) var typedefs: [UInt64: [String]] = [:]
    private(set) var variables: [Variable] = []
    private(set) var functions: [UInt64: Function] = [:]
    private(set) var functionOrder: [UInt64] = []

    private let dwarf: OpaquePointer
    private let withUses: Bool
    private var sourceNames = SourceNames()

    /// Deeper than any compiler nests; keeps a damaged file from using up the stack.
    private static let maximumDepth = 256

    init(_ dwarf: OpaquePointer, withUses: Bool) {
        self.dwarf = dwarf
        self.withUses = withUses
    }

    mutating func walk() throws(DIE.Damaged) {
        var units = Units(dwarf)
        while let unit = try units.next() {
            sourceNames = SourceNames(directory: DIE(unit.entry).string(DW_AT_comp_dir))
            try walk(unit.entry, scope: [], function: nil, depth: 0)
        }
    }

    private mutating func walk(
        _ parent: Dwarf_Die, scope: [String], function: UInt64?, depth: Int
    ) throws(DIE.Damaged) {
        guard depth < Self.maximumDepth else { throw DIE.Damaged(reason: "blocks nested too deeply") }
        var children = TypeEntryChildren(of: parent)
        while let (die, tag) = try children.next() {
            switch tag {
            case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_class_type, DW_TAG_enumeration_type:
                note(definition: TypeEntry(die), scope: scope)
            case DW_TAG_typedef:
                let entry = TypeEntry(die)
                if let type = entry.type, let name = entry.name { typedefs[type, default: []].append(String(cString: name)) }
            case DW_TAG_subprogram:
                try walk(function: TypeEntry(die), scope: scope, depth: depth)
            case DW_TAG_lexical_block:
                try walk(die, scope: scope, function: function, depth: depth + 1)
            case DW_TAG_inlined_subroutine where withUses:
                try walk(inlined: TypeEntry(die), scope: scope, function: function, depth: depth)
            case DW_TAG_formal_parameter where withUses:
                note(use: TypeEntry(die), in: function)
            case DW_TAG_variable:
                note(variable: TypeEntry(die), scope: scope, in: function)
            default:
                break
            }
        }
    }

    private mutating func note(definition entry: TypeEntry, scope: [String]) {
        let offset = entry.offset
        guard !entry.isDeclaration, definitions[offset] == nil else { return }
        add(entry, at: offset, scope: scope)
    }

    private mutating func add(_ entry: TypeEntry, at offset: UInt64, scope: [String]) {
        definitions[offset] = Definition(
            entry: entry, scope: scope, declaration: entry.isDeclaration ? nil : sourceNames.declaration(of: DIE(entry.raw)))
        order.append(offset)
    }

    private mutating func walk(function entry: TypeEntry, scope: [String], depth: Int) throws(DIE.Damaged) {
        let die = DIE(entry.raw)
        guard !entry.isDeclaration, let name = die.name else { return }
        let offset = entry.offset
        if withUses {
            var function = Function(die: die, hasCode: entry.hasCode, origin: entry.origin)
            if entry.hasCode { function.declaration = sourceNames.declaration(of: die) }
            // A function's own type is that of its result.
            if let result = entry.type { function.types.append(result) }
            if functions.updateValue(function, forKey: offset) == nil { functionOrder.append(offset) }
        }
        try walk(entry.raw, scope: scope + [name], function: offset, depth: depth + 1)
    }

    /// The entry of an inlined function itself says what it declares. Its copy here only adds which functions were inlined in turn.
    private mutating func walk(
        inlined entry: TypeEntry, scope: [String], function: UInt64?, depth: Int
    ) throws(DIE.Damaged) {
        guard let function else { return }
        if let origin = entry.origin { functions[function]?.inlined.append(origin) }
        try walk(entry.raw, scope: scope, function: function, depth: depth + 1)
    }

    private mutating func note(use entry: TypeEntry, in function: UInt64?) {
        // An entry without a type repeats another entry. That one's function has the type, and is asked for it later.
        guard let function, let type = entry.type else { return }
        functions[function]?.types.append(type)
    }

    private mutating func note(variable entry: TypeEntry, scope: [String], in function: UInt64?) {
        if withUses { note(use: entry, in: function) }
        // A file's own variables, and static locals.
        guard function == nil || entry.isStatic else { return }
        let die = DIE(entry.raw)
        guard let type = entry.type ?? die.reference(DW_AT_type)?.offset ?? originType(of: entry) else { return }
        variables.append(
            Variable(
                die: die, type: type, declaration: withUses ? sourceNames.declaration(of: die) : nil,
                enclosingFunction: scope.last))
    }

    private func originType(of entry: TypeEntry) -> UInt64? {
        var current = entry
        // Two steps are usual. The limit keeps a damaged file from causing an endless loop.
        for _ in 0..<16 {
            guard let origin = current.origin, let next = self.entry(at: origin) else { return nil }
            if let type = next.type { return type }
            current = next
        }
        return nil
    }

    /// Any entry of the file by its offset; nil if there is none.
    func entry(at offset: UInt64) -> TypeEntry? {
        var die = Dwarf_Die()
        return dwarf_offdie(dwarf, offset, &die) == nil ? nil : TypeEntry(die)
    }

    /// Adds a type that is referred to but that the walk did not meet: it is only declared, or is in an unusual place.
    mutating func adopt(_ entry: TypeEntry, at offset: UInt64) {
        if definitions[offset] == nil { add(entry, at: offset, scope: []) }
    }
}

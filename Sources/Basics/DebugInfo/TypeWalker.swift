import CLibdw
import Diagnostics
import ELFModel

/// Walks the trees of all units once and notes what concerns types, by the identities of their entries. What a name means is
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

    /// A variable of a function that is not static.
    struct Local {
        var name: String
        var type: UInt64
        var function: String?
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
    /// The keys of `definitions`, in the order of the debug information.
    private(set) var order: [UInt64] = []
    /// Names that typedefs give to an entry directly.
    private(set) var typedefs: [UInt64: [String]] = [:]
    private(set) var variables: [Variable] = []
    /// A variable on the stack for each type that such variables have: the first in the order of the debug information.
    private(set) var locals: [Local] = []
    private var typesOfLocals: Set<UInt64> = []
    private(set) var functions: [UInt64: Function] = [:]
    private(set) var functionOrder: [UInt64] = []

    /// Names of types that are declared somewhere at file level, maybe without being defined.
    private(set) var declared: Set<String> = []
    /// What the file does not say about types, as far as the units themselves show it.
    private(set) var gaps: Set<TypeInfo.Gap> = []

    /// The file's own handle, then those of the files that it is split into.
    private var files: [OpaquePointer]
    private let withUses: Bool
    /// What the walk has met in the unit at hand.
    private var unit = UnitContent()
    private var sourceNames = SourceNames()

    /// Deeper than any compiler nests; keeps a damaged file from using up the stack.
    private static let maximumDepth = 256

    init(_ dwarf: OpaquePointer, withUses: Bool) {
        files = [dwarf]
        self.withUses = withUses
    }

    mutating func walk() throws(DIE.Damaged) {
        var next = 0
        while next < files.count {
            try walk(files[next], isSplit: next > 0)
            next += 1
        }
    }

    private mutating func walk(_ file: OpaquePointer, isSplit: Bool) throws(DIE.Damaged) {
        var units = Units(file)
        var directory: String?
        while let found = try units.nextOfAnyKind() {
            if case .split(let missing) = found.kind {
                gaps.insert(.splitFile(missing))
                continue
            }
            // The skeleton has led to the other units of a split file.
            if isSplit && found.kind != .type { continue }
            if let split = found.splitFile, !files.contains(split) { files.append(split) }
            // Type units need not name their folder. They come after the unit that refers to them.
            directory = DIE(found.entry).string(DW_AT_comp_dir) ?? found.directory ?? directory
            sourceNames = SourceNames(directory: directory)
            unit = UnitContent()
            try walk(found.entry, scope: [], function: nil, depth: 0)
            if found.kind == .compile { judge(found) }
        }
    }

    /// What a unit has, as far as it matters for whether it describes types at all.
    private struct UnitContent {
        var hasCode = false
        /// Something that no compiler writes without describing types (`-g1`, `-gline-tables-only`).
        var describesTypes = false

        mutating func note(_ entry: TypeEntry) {
            if entry.hasCode { hasCode = true }
            // A function without parameters and result has no type, but it has a prototype.
            if entry.type != nil || entry.isTypeMissing || entry.isPrototyped { describesTypes = true }
        }
    }

    private mutating func judge(_ found: Units.Unit) {
        let die = DIE(found.entry)
        // An assembler knows no types, and none matter to its code.
        guard die.number(DW_AT_language).map({ Int(truncatingIfNeeded: $0) }) != DW_LANG_Mips_Assembler else { return }
        if (unit.hasCode || TypeEntry(found.entry).hasCode) && !unit.describesTypes { gaps.insert(.types) }
        // With these options GCC turns most definitions into declarations.
        if let producer = die.string(DW_AT_producer), producer.contains("-femit-struct-debug-") { gaps.insert(.someDefinitions) }
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
                unit.note(entry)
                if let type = entry.type, let name = entry.name { typedefs[type, default: []].append(SymbolName.distinctText(name)) }
            case DW_TAG_subprogram:
                try walk(function: TypeEntry(die), scope: scope, depth: depth)
            case DW_TAG_lexical_block:
                try walk(die, scope: scope, function: function, depth: depth + 1)
            case DW_TAG_inlined_subroutine where withUses:
                try walk(inlined: TypeEntry(die), scope: scope, function: function, depth: depth)
            case DW_TAG_formal_parameter where withUses:
                note(use: TypeEntry(die), in: function)
            case DW_TAG_base_type:
                unit.describesTypes = true
            case DW_TAG_variable:
                note(variable: TypeEntry(die), scope: scope, in: function)
            case DW_TAG_formal_parameter, DW_TAG_pointer_type, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_array_type:
                if TypeEntry.hasTypeElsewhere(die) { gaps.insert(.typesElsewhere) }
            default:
                break
            }
        }
    }

    private mutating func note(definition entry: TypeEntry, scope: [String]) {
        unit.describesTypes = true
        if entry.isTypeMissing { gaps.insert(.typesElsewhere) }
        if entry.isDeclaration {
            // A type unit has the definition.
            guard entry.signature == nil, scope.isEmpty, let name = entry.name else { return }
            declared.insert(SymbolName.distinctText(name))
        }
        let identity = entry.identity
        guard !entry.isDeclaration, definitions[identity] == nil else { return }
        add(entry, at: identity, scope: scope)
    }

    private mutating func add(_ entry: TypeEntry, at identity: UInt64, scope: [String]) {
        definitions[identity] = Definition(
            entry: entry, scope: scope, declaration: entry.isDeclaration ? nil : sourceNames.declaration(of: DIE(entry.raw)))
        order.append(identity)
    }

    private mutating func walk(function entry: TypeEntry, scope: [String], depth: Int) throws(DIE.Damaged) {
        let die = DIE(entry.raw)
        unit.note(entry)
        if entry.isTypeMissing { gaps.insert(.typesElsewhere) }
        guard !entry.isDeclaration, let name = die.name else { return }
        let identity = entry.identity
        if withUses {
            var function = Function(die: die, hasCode: entry.hasCode, origin: entry.origin)
            if entry.hasCode { function.declaration = sourceNames.declaration(of: die) }
            // A function's own type is that of its result.
            if let result = entry.type { function.types.append(result) }
            if functions.updateValue(function, forKey: identity) == nil { functionOrder.append(identity) }
        }
        try walk(entry.raw, scope: scope + [name], function: identity, depth: depth + 1)
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
        if entry.isTypeMissing { gaps.insert(.typesElsewhere) }
        // An entry without a type repeats another entry. That one's function has the type, and is asked for it later.
        guard let function, let type = entry.type else { return }
        functions[function]?.types.append(type)
    }

    private mutating func note(variable entry: TypeEntry, scope: [String], in function: UInt64?) {
        if withUses { note(use: entry, in: function) }
        unit.note(entry)
        if entry.isTypeMissing { gaps.insert(.typesElsewhere) }
        // A file's own variables, and static locals.
        guard scope.isEmpty || entry.isStatic else {
            if let type = entry.type, let name = entry.name, typesOfLocals.insert(type).inserted {
                locals.append(Local(name: SymbolName.distinctText(name), type: type, function: scope.last))
            }
            return
        }
        let die = DIE(entry.raw)
        guard let type = entry.type ?? die.reference(DW_AT_type)?.identity ?? originType(of: entry) else { return }
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

    /// Any entry that another one referred to, by its identity; nil if there is none. For a declaration of a type that a type unit describes, it
    /// is that type's entry.
    func entry(at identity: UInt64) -> TypeEntry? {
        let entry = plainEntry(at: identity)
        guard let entry, let signature = entry.signature else { return entry }
        return plainEntry(at: signature)
    }

    private func plainEntry(at identity: UInt64) -> TypeEntry? {
        guard let address = UnsafeMutableRawPointer(bitPattern: UInt(identity)) else { return nil }
        var die = Dwarf_Die()
        for file in files where dwarf_die_addr_die(file, address, &die) != nil { return TypeEntry(die) }
        return nil
    }

    mutating func note(_ gap: TypeInfo.Gap) { gaps.insert(gap) }

    /// Adds a type that is referred to but that the walk did not meet: it is only declared, or is in an unusual place.
    mutating func adopt(_ entry: TypeEntry, at identity: UInt64) {
        if definitions[identity] == nil { add(entry, at: identity, scope: []) }
    }
}

import CLibdw
import Diagnostics
import ELFModel
import SystemPackage

extension TypeInfo {
    /// Reads the types of an object file from its debug information, DWARF 2 to 5, little-endian.
    ///
    /// This takes longer than `DebugInfo.read`: use it only when types matter.
    ///
    /// - Parameter withUses: whether to read also which functions and variables use the types.
    /// - Returns: a value without types, and with `Gap.everything`, when the file has no debug information.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath, withUses: Bool) throws(InputError) -> TypeInfo {
        try DwarfFile.read(path) { dwarf, addresses throws(DIE.Damaged) in
            var walker = TypeWalker(dwarf, withUses: withUses)
            try walker.walk()
            var reader = TypeInfoReader(walker: walker, addresses: addresses)
            return try reader.read(withUses: withUses)
        } ?? TypeInfo(gaps: [.everything])
    }
}

/// Builds the types from what the walk noted.
private struct TypeInfoReader {
    private var shapes: TypeShapes
    private var layouts = TypeLayouts()
    private let addresses: AddressMap
    private var names: [UInt64: TypeInfo.Key] = [:]
    /// Nameless types inside another type: their members count as that type's members.
    private var flattened: Set<UInt64> = []
    /// Types that another type gave a name, maybe after the main loop had passed them.
    private var namedLate: [UInt64] = []
    private var members: [UInt64: [PendingMember]] = [:]
    private var memberCount = 0

    private struct PendingMember {
        var member: TypeInfo.Member
        var shape: TypeShapes.Shape
    }

    /// More members than all types of any object have together.
    private static let maximumMembers = 2_000_000
    private static let maximumNesting = 32

    init(walker: TypeWalker, addresses: AddressMap) {
        shapes = TypeShapes(walker)
        self.addresses = addresses
    }

    mutating func read(withUses: Bool) throws(DIE.Damaged) -> TypeInfo {
        // This may find types that the walk has not met, such as those that are only declared.
        let variables = shapes.walker.variables.map { ($0, shapes.shape(of: $0.type)) }
        let uses = withUses ? functionUses() : []
        nameByTagOrTypedef()
        for (variable, shape) in variables { name(shape, after: variable.die.name, in: variable.enclosingFunction) }
        for local in shapes.walker.locals { name(shapes.shape(of: local.type), after: local.name, in: local.function) }
        var next = 0
        while next < shapes.walker.order.count {
            let offset = shapes.walker.order[next]
            if names[offset] == nil { names[offset] = ownName(of: offset) }
            if names[offset] != nil { try readMembers(of: offset) }
            next += 1
            while let passed = namedLate.popLast() { try readMembers(of: passed) }
        }
        // Types that nothing has named, such as that of an expression.
        for offset in shapes.walker.order where names[offset] == nil && !flattened.contains(offset) {
            names[offset] = keyWithoutName(of: offset)
            try readMembers(of: offset)
        }

        let listed = shapes.walker.order.filter { names[$0] != nil }
        let indices = Dictionary(listed.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func index(_ offset: UInt64?) -> Int? { offset.flatMap { indices[$0] } }
        var result = TypeInfo()
        for offset in listed { result.definitions.append(try definition(at: offset, index: index)) }
        for (variable, shape) in withUses ? variables : [] {
            result.variables.append(
                TypeInfo.VariableUse(
                    name: variable.die.name ?? "", declaration: variable.declaration, enclosingFunction: variable.enclosingFunction,
                    place: place(of: variable.die), type: shapes.spelling(of: variable.type, isCanonical: false),
                    canonicalType: shapes.spelling(of: variable.type, isCanonical: true), holds: index(shape.held),
                    pointsTo: index(shape.pointed), layout: try layout(of: variable.type)))
        }
        result.functions = uses.map { use in
            TypeInfo.FunctionUse(
                name: use.name, entry: use.entry, declaration: use.declaration,
                holds: Set(use.shapes.compactMap { index($0.held) }).sorted(),
                pointsTo: Set(use.shapes.compactMap { index($0.pointed) }).sorted())
        }
        result.gaps = shapes.walker.gaps
        // No compiler can make code for a value of a type whose definition it has not seen.
        let values = result.definitions.flatMap { $0.members.compactMap(\.holds) } + result.functions.flatMap(\.holds)
        if values.contains(where: { !result.definitions[$0].isComplete }) { result.gaps.insert(.someDefinitions) }
        result.declaredOnly = shapes.walker.declared.subtracting(result.definitions.filter { $0.isComplete && $0.key.naming == .tag }.map(\.key.name))
        return result
    }

    private func place(of variable: DIE) -> SourceLines.Place? {
        variable.staticAddress.flatMap { addresses.place(of: $0) }.map { SourceLines.Place(section: $0.section, offset: Int(clamping: $0.offset)) }
    }

    private mutating func layout(of type: UInt64) throws(DIE.Damaged) -> TypeInfo.Layout? {
        try layouts.layout(of: type, &shapes).map { TypeInfo.Layout(footprint: $0.footprint, targets: $0.targets) }
    }

    // MARK: Names

    private mutating func nameByTagOrTypedef() {
        for offset in shapes.walker.order { names[offset] = ownName(of: offset) }
    }

    private func ownName(of offset: UInt64) -> TypeInfo.Key? {
        guard let definition = shapes.walker.definitions[offset] else { return nil }
        if let name = definition.entry.name {
            return TypeInfo.Key(naming: .tag, name: SymbolName.distinctText(name), scope: definition.scope)
        }
        return shapes.walker.typedefs[offset]?.first.map {
            TypeInfo.Key(naming: .typedef, name: $0, scope: definition.scope)
        }
    }

    private mutating func name(_ shape: TypeShapes.Shape, after variable: String?, in function: String?) {
        guard let offset = shape.held ?? shape.pointed, let variable else { return }
        give(offset, TypeInfo.Key(naming: .variable, name: variable, scope: function.map { [$0] } ?? []))
    }

    /// Names a type that has no name of its own.
    private mutating func give(_ offset: UInt64, _ name: TypeInfo.Key) {
        guard names[offset] == nil, !flattened.contains(offset) else { return }
        // A type that was found only now may have a name of its own.
        names[offset] = ownName(of: offset) ?? name
        namedLate.append(offset)
    }

    /// The first value of an enum serves as its name.
    private func keyWithoutName(of offset: UInt64) -> TypeInfo.Key {
        guard let found = shapes.walker.definitions[offset] else { return TypeInfo.Key(naming: .none, name: "") }
        let isEnum = found.entry.tag == DW_TAG_enumeration_type
        return TypeInfo.Key(
            naming: .none, name: isEnum ? Self.enumerators(of: found.entry).first?.name ?? "" : "", scope: found.scope)
    }

    // MARK: Definitions

    private mutating func readMembers(of offset: UInt64) throws(DIE.Damaged) {
        guard members[offset] == nil, let definition = shapes.walker.definitions[offset], let name = names[offset] else { return }
        members[offset] = []
        var found: [PendingMember] = []
        try collect(from: definition.entry, prefix: "", base: 0, nesting: 0, into: &found)
        members[offset] = found
        for pending in found {
            if let held = pending.shape.held { give(held, keyWithoutName(of: held)) }
            guard let pointed = pending.shape.pointed, names[pointed] == nil else { continue }
            let path = name.name.isEmpty ? pending.member.name : "\(name.name).\(pending.member.name)"
            give(pointed, TypeInfo.Key(naming: .member, name: path, scope: name.scope))
        }
    }

    private mutating func collect(
        from aggregate: TypeEntry, prefix: String, base: UInt64, nesting: Int, into found: inout [PendingMember]
    ) throws(DIE.Damaged) {
        guard nesting < Self.maximumNesting else { throw DIE.Damaged(reason: "types nested too deeply") }
        for entry in try layouts.members(of: aggregate) {
            if entry.isTypeMissing { shapes.note(.typesElsewhere) }
            guard let type = entry.type else { continue }
            memberCount += 1
            guard memberCount < Self.maximumMembers else { throw DIE.Damaged(reason: "types with too many members") }
            let shape = shapes.shape(of: type)
            let place = base &+ entry.bitPlace(size: shape.size)
            let own = entry.name.map { prefix + SymbolName.distinctText($0) }
            let nested = shape.held.flatMap { held in isNameless(held) ? held : nil }
            if let nested {
                flattened.insert(nested)
                if shape.isArray { found.append(try pending(entry, own ?? prefix, type, shape, at: place, isNested: true)) }
                let path = own.map { $0 + (shape.isArray ? "[]." : ".") } ?? prefix
                if let inner = shapes.walker.definitions[nested]?.entry {
                    try collect(from: inner, prefix: path, base: place, nesting: nesting + 1, into: &found)
                }
            } else {
                found.append(try pending(entry, own ?? prefix, type, shape, at: place, isNested: false))
            }
        }
    }

    /// Whether a type is a `struct` or `union` that no other declaration can name.
    private func isNameless(_ offset: UInt64) -> Bool {
        guard let entry = shapes.walker.definitions[offset]?.entry, entry.name == nil, !entry.isDeclaration else { return false }
        return entry.tag != DW_TAG_enumeration_type && shapes.walker.typedefs[offset] == nil
    }

    private mutating func pending(
        _ entry: TypeEntry, _ name: String, _ type: UInt64, _ shape: TypeShapes.Shape, at place: UInt64, isNested: Bool
    ) throws(DIE.Damaged) -> PendingMember {
        let layout = try layouts.layout(of: type, &shapes).map { TypeLayouts.ofMember(entry, $0) }
        return PendingMember(
            member: TypeInfo.Member(
                name: name, bitOffset: place, bitSize: entry.bitSize ?? shape.size.map(TypeLayouts.bits),
                isBitField: entry.bitSize != nil, type: shapes.spelling(of: type, isCanonical: false),
                canonicalType: shapes.spelling(of: type, isCanonical: true),
                layout: layout.map { TypeInfo.Layout(footprint: $0.footprint, targets: $0.targets) }),
            shape: isNested ? TypeShapes.Shape() : shape)
    }

    private mutating func definition(at offset: UInt64, index: (UInt64?) -> Int?) throws(DIE.Damaged) -> TypeInfo.Definition {
        guard let found = shapes.walker.definitions[offset], let key = names[offset] else {
            return TypeInfo.Definition(key: TypeInfo.Key(naming: .none, name: ""), kind: .structure, isComplete: false)
        }
        let kind: TypeInfo.Kind =
            switch found.entry.tag {
            case DW_TAG_union_type: .union
            case DW_TAG_enumeration_type: .enumeration
            default: .structure
            }
        return TypeInfo.Definition(
            key: key, kind: kind, aliases: shapes.walker.typedefs[offset] ?? [], isComplete: !found.entry.isDeclaration,
            size: found.entry.byteSize, declaration: found.declaration,
            members: (members[offset] ?? []).map { pending in
                var member = pending.member
                member.holds = index(pending.shape.held)
                member.pointsTo = index(pending.shape.pointed)
                return member
            },
            enumerators: kind == .enumeration ? Self.enumerators(of: found.entry) : [], layout: try layout(of: offset))
    }

    private static func enumerators(of type: TypeEntry) -> [TypeInfo.Enumerator] {
        var result: [TypeInfo.Enumerator] = []
        var children = TypeEntryChildren(of: type.raw)
        while let (die, tag) = try? children.next() {
            guard tag == DW_TAG_enumerator else { continue }
            let entry = TypeEntry(die)
            if let name = entry.name, let value = entry.constant {
                result.append(TypeInfo.Enumerator(name: SymbolName.distinctText(name), value: value))
            }
        }
        return result
    }

    // MARK: Uses

    private struct Use {
        var name: String
        var entry: DebugInfo.CodeRange
        var declaration: SourceLocation?
        var shapes: [TypeShapes.Shape]
    }

    private mutating func functionUses() -> [Use] {
        var result: [Use] = []
        for offset in shapes.walker.functionOrder {
            guard let function = shapes.walker.functions[offset], function.hasCode, let name = function.die.name,
                let start = function.die.codeRanges.first, let place = addresses.place(of: start.lowerBound)
            else { continue }
            let entry = DebugInfo.CodeRange(
                section: place.section, offset: place.offset, size: start.upperBound - start.lowerBound)
            let types = typesUsed(by: offset)
            result.append(
                Use(name: name, entry: entry, declaration: function.declaration, shapes: types.map { shapes.shape(of: $0) }))
        }
        return result
    }

    /// The types used by the function itself, by the entry that it repeats, and by the functions that were inlined into them.
    private func typesUsed(by offset: UInt64) -> Set<UInt64> {
        var types: Set<UInt64> = []
        var seen: Set<UInt64> = [offset]
        var waiting = [offset]
        while let next = waiting.popLast() {
            guard let function = shapes.walker.functions[next] else { continue }
            types.formUnion(function.types)
            for other in function.inlined + (function.origin.map { [$0] } ?? []) where seen.insert(other).inserted {
                waiting.append(other)
            }
        }
        return types
    }
}

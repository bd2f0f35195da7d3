import DebugInfo

/// What is different between two definitions of one type.
struct LayoutDifference: Equatable {
    /// How serious the difference is, the worst last.
    enum Severity: Int, Comparable {
        /// At most the names of types.
        case none
        /// Declared otherwise, but every scalar lies at the same bits with the same representation.
        case kept
        /// Everything that existed stays where it was.
        case compatible
        case retyped
        /// Something moved, changed its size, or is gone.
        case broken

        static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }
    }

    private(set) var severity = Severity.none
    private(set) var members: [LayoutChange.Member] = []
    private(set) var enumerators: [LayoutChange.Enumerator] = []
    private(set) var unchanged = 0
    /// Whether both declare the same members with the same types in the same order. Then only the types of members, or the compiler, can
    /// have moved them.
    private(set) var hasSameDeclaration = false

    /// - Parameters:
    ///   - old, new: all types of the two objects.
    ///   - a, b: the definitions, as indices.
    init(_ a: Int, of old: TypeInfo, _ b: Int, of new: TypeInfo) {
        let (x, y) = (old.definitions[a], new.definitions[b])
        // The fast path: nearly all types are equal.
        if x.kind == y.kind, x.size == y.size, x.enumerators == y.enumerators, x.members.elementsEqual(y.members, by: Self.isAlike) { return }
        if x.kind == .enumeration || y.kind == .enumeration {
            if x.kind != y.kind || x.size != y.size { raise(.broken) }
            compareEnumerators(x, of: old, y, of: new)
        } else {
            hasSameDeclaration = x.kind == y.kind && x.members.elementsEqual(y.members, by: Self.isDeclaredAlike)
            compareMembers(x.members, of: old, y.members, of: new)
            if x.size != y.size || x.kind != y.kind && !Self.hasSameFootprint(x.layout, y.layout) { raise(.broken) }
            if x.size == y.size { forgive(x, y) }
        }
    }

    private static func hasSameFootprint(_ x: TypeInfo.Layout?, _ y: TypeInfo.Layout?) -> Bool { x != nil && x?.footprint == y?.footprint }

    /// Members that are gone or have another size are no change of the layout if the scalars that they were are where they were.
    private mutating func forgive(_ x: TypeInfo.Definition, _ y: TypeInfo.Definition) {
        guard Self.hasSameFootprint(x.layout, y.layout) else { return }
        // A name that is elsewhere now is a move, even to a place that looks the same: two members that change places.
        guard !members.contains(where: { $0.change == .moved }) else { return }
        // New members alone share the bits of others in a union: code that stays does not know them.
        guard severity == .broken || x.kind != y.kind else { return }
        severity = x.layout?.targets == y.layout?.targets && Self.arrays(x) == Self.arrays(y) ? .kept : .retyped
    }

    /// For each place at which a member has elements with parts of their own: how many elements there are.
    private static func arrays(_ type: TypeInfo.Definition) -> [UInt64: [Substring]] {
        let all = type.members.map { ($0.bitOffset, ArrayGrid($0.canonicalType).counts) }
        return Dictionary(all.filter { !$0.1.isEmpty }) { first, _ in first }
    }

    private mutating func raise(_ other: Severity) { severity = max(severity, other) }

    private static func isAlike(_ x: TypeInfo.Member, _ y: TypeInfo.Member) -> Bool {
        x.bitOffset == y.bitOffset && x.bitSize == y.bitSize && isDeclaredAlike(x, y)
    }

    private static func isDeclaredAlike(_ x: TypeInfo.Member, _ y: TypeInfo.Member) -> Bool {
        x.name == y.name && x.canonicalType == y.canonicalType && x.isBitField == y.isBitField
            && (!x.isBitField || x.bitSize == y.bitSize)
    }

    // MARK: Members

    private mutating func compareMembers(
        _ x: [TypeInfo.Member], of old: TypeInfo, _ y: [TypeInfo.Member], of new: TypeInfo
    ) {
        let before = Dictionary(x.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(y.map(\.name))
        var gone = x.filter { !after.contains($0.name) }
        for member in y {
            if let twin = before[member.name] {
                guard let (change, severity) = Self.change(twin, of: old, member, of: new) else {
                    unchanged += 1
                    continue
                }
                add(change, severity, old: twin, new: member)
            } else if let index = gone.firstIndex(where: { Self.isRenamed($0, member) }) {
                add(.renamed, .kept, old: gone.remove(at: index), new: member)
            } else {
                // If the new member takes the place of another, that one has moved, shrunk or gone, or both are in a union.
                add(.new, .compatible, old: nil, new: member)
            }
        }
        for member in gone { add(.removed, .broken, old: member, new: nil) }
    }

    private mutating func add(_ change: LayoutChange.Member.Change, _ severity: Severity, old: TypeInfo.Member?, new: TypeInfo.Member?) {
        func place(_ member: TypeInfo.Member) -> LayoutChange.Place {
            LayoutChange.Place(
                bitOffset: member.bitOffset, bitSize: member.bitSize, isBitField: member.isBitField, type: member.type)
        }
        raise(severity)
        members.append(
            LayoutChange.Member(
                name: (new ?? old)?.name ?? "", oldName: change == .renamed ? old?.name : nil, change: change,
                old: old.map(place), new: new.map(place)))
    }

    /// What happened to a member that both sides have, and how serious that is; nil if nothing did.
    private static func change(
        _ x: TypeInfo.Member, of old: TypeInfo, _ y: TypeInfo.Member, of new: TypeInfo
    ) -> (LayoutChange.Member.Change, Severity)? {
        if x.bitOffset != y.bitOffset { return (.moved, .broken) }
        // char t[0] has no bits, and char t[] has no bound.
        let hasSameSize = (x.bitSize ?? 0) == (y.bitSize ?? 0) && x.isBitField == y.isBitField
        if !hasSameSize, !hasSameFootprint(x.layout, y.layout) { return (.resized, .broken) }
        var alike = AlikeTypes(old, new)
        switch alike.compare(TypeUse(x), TypeUse(y)) {
        case .same, .renamed: return x.bitSize == y.bitSize && x.isBitField == y.isBitField ? nil : (.resized, .kept)
        case .kept: return (.retyped, .kept)
        case .different:
            // An array without a bound has no size of its own. With larger elements, each but the first one lies elsewhere.
            let isUnbounded = (x.bitSize ?? 0) == 0 && (y.bitSize ?? 0) == 0
            return isUnbounded && !haveElementsOfOneSize(x, y) ? (.resized, .broken) : (.retyped, .retyped)
        }
    }

    /// Whether the elements of two arrays have the same size, as far as the names of C's own types tell.
    private static func haveElementsOfOneSize(_ x: TypeInfo.Member, _ y: TypeInfo.Member) -> Bool {
        func kind(_ member: TypeInfo.Member) -> String? {
            guard member.canonicalType.last == "]", let end = member.canonicalType.firstIndex(of: "[") else { return nil }
            let words = Set(member.canonicalType[..<end].split(separator: " "))
            if words.contains(where: { $0.hasSuffix("*") }) { return "pointer" }
            if words.contains("char") || words.contains("_Bool") { return "byte" }
            if words.contains("short") { return "short" }
            if words.contains("long") { return member.canonicalType.contains("long long") ? "long long" : "long" }
            return words.isSubset(of: ["int", "signed", "unsigned"]) ? "int" : nil
        }
        return kind(x).map { $0 == kind(y) } ?? false
    }

    private static func isRenamed(_ x: TypeInfo.Member, _ y: TypeInfo.Member) -> Bool {
        x.bitOffset == y.bitOffset && x.bitSize == y.bitSize && x.isBitField == y.isBitField
            && x.canonicalType == y.canonicalType
    }

    // MARK: Enumerators

    /// An enumerator that only one of the two has may be in another enum on the other side. What the hypervisor keeps is the value, so an
    /// enumerator that has the same value there is not gone, and one that has another value is not new.
    private mutating func compareEnumerators(_ x: TypeInfo.Definition, of old: TypeInfo, _ y: TypeInfo.Definition, of new: TypeInfo) {
        let before = Dictionary(x.enumerators.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        let after = Set(y.enumerators.map(\.name))
        let (had, has) = (EnumeratorValues(old), EnumeratorValues(new))
        func now(_ enumerator: TypeInfo.Enumerator) -> Int64? { has.value(of: enumerator, in: x.key.scope, other: had) }
        let left = x.enumerators.filter { !after.contains($0.name) }
        var gone = left.filter { now($0) == nil }
        for enumerator in y.enumerators {
            let elsewhere = before[enumerator.name] == nil ? had.value(of: enumerator, in: y.key.scope, other: has) : nil
            if let was = before[enumerator.name] ?? elsewhere, was != enumerator.value {
                raise(.broken)
                enumerators.append(.init(name: enumerator.name, old: was, new: enumerator.value))
            } else if before[enumerator.name] != nil {
                unchanged += 1
            } else if elsewhere == nil, let index = gone.firstIndex(where: { $0.value == enumerator.value }) {
                // The same value under another name.
                gone.remove(at: index)
                unchanged += 1
            } else {
                raise(.compatible)
                enumerators.append(.init(name: enumerator.name, old: nil, new: enumerator.value))
            }
        }
        for enumerator in left {
            if let value = now(enumerator), value != enumerator.value {
                raise(.broken)
                enumerators.append(.init(name: enumerator.name, old: enumerator.value, new: value))
            }
        }
        for enumerator in gone {
            raise(.broken)
            enumerators.append(.init(name: enumerator.name, old: enumerator.value, new: nil))
        }
    }
}

import DebugInfo

/// What is different between two definitions of one type.
struct LayoutDifference: Equatable {
    /// How serious the difference is, the worst last.
    enum Severity: Int, Comparable {
        /// Names only.
        case none
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
        self.init(a, of: old, b, of: new, depth: 0)
    }

    private init(_ a: Int, of old: TypeInfo, _ b: Int, of new: TypeInfo, depth: Int) {
        let (x, y) = (old.definitions[a], new.definitions[b])
        // The fast path: nearly all types are equal.
        if x.kind == y.kind, x.size == y.size, x.enumerators == y.enumerators, x.members.elementsEqual(y.members, by: Self.isAlike) { return }
        if x.kind != y.kind || x.size != y.size { raise(.broken) }
        if x.kind == .enumeration, y.kind == .enumeration {
            compareEnumerators(x.enumerators, y.enumerators)
        } else {
            hasSameDeclaration = x.kind == y.kind && x.members.elementsEqual(y.members, by: Self.isDeclaredAlike)
            compareMembers(x.members, of: old, y.members, of: new, depth: depth)
        }
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
        _ x: [TypeInfo.Member], of old: TypeInfo, _ y: [TypeInfo.Member], of new: TypeInfo, depth: Int
    ) {
        let before = Dictionary(x.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(y.map(\.name))
        var gone = x.filter { !after.contains($0.name) }
        for member in y {
            if let twin = before[member.name] {
                guard let change = change(twin, of: old, member, of: new, depth: depth) else {
                    unchanged += 1
                    continue
                }
                add(change, old: twin, new: member)
            } else if let index = gone.firstIndex(where: { Self.isRenamed($0, member) }) {
                add(.renamed, old: gone.remove(at: index), new: member)
            } else {
                // If the new member takes the place of another, that one has moved, shrunk or gone, or both are in a union.
                add(.new, old: nil, new: member)
            }
        }
        for member in gone { add(.removed, old: member, new: nil) }
    }

    private mutating func add(_ change: LayoutChange.Member.Change, old: TypeInfo.Member?, new: TypeInfo.Member?) {
        func place(_ member: TypeInfo.Member) -> LayoutChange.Place {
            LayoutChange.Place(
                bitOffset: member.bitOffset, bitSize: member.bitSize, isBitField: member.isBitField, type: member.type)
        }
        switch change {
        case .renamed: break
        case .new: raise(.compatible)
        case .retyped: raise(.retyped)
        case .moved, .resized, .removed: raise(.broken)
        }
        members.append(
            LayoutChange.Member(
                name: (new ?? old)?.name ?? "", oldName: change == .renamed ? old?.name : nil, change: change,
                old: old.map(place), new: new.map(place)))
    }

    private func change(
        _ x: TypeInfo.Member, of old: TypeInfo, _ y: TypeInfo.Member, of new: TypeInfo, depth: Int
    ) -> LayoutChange.Member.Change? {
        if x.bitOffset != y.bitOffset { return .moved }
        if x.bitSize != y.bitSize || x.isBitField != y.isBitField { return .resized }
        if x.canonicalType == y.canonicalType { return nil }
        return isRenamedType(x, of: old, y, of: new, depth: depth) ? nil : .retyped
    }

    private static func isRenamed(_ x: TypeInfo.Member, _ y: TypeInfo.Member) -> Bool {
        x.bitOffset == y.bitOffset && x.bitSize == y.bitSize && x.isBitField == y.isBitField
            && x.canonicalType == y.canonicalType
    }

    /// Whether the types of two members are the same type under another name: the types differ in nothing but their names, and the
    /// spellings differ only in those names.
    private func isRenamedType(
        _ x: TypeInfo.Member, of old: TypeInfo, _ y: TypeInfo.Member, of new: TypeInfo, depth: Int
    ) -> Bool {
        // Types may refer to each other in a cycle. If in doubt, they differ.
        guard depth < 8 else { return false }
        let pairs = [(x.holds, y.holds), (x.pointsTo, y.pointsTo)]
        for case (let a?, let b?) in pairs {
            let (was, now) = (old.definitions[a], new.definitions[b])
            guard was.isComplete, now.isComplete, was.kind == now.kind,
                x.canonicalType.replacing(was.spelling, with: now.spelling, maxReplacements: 1) == y.canonicalType
            else { return false }
            return LayoutDifference(a, of: old, b, of: new, depth: depth + 1).severity == .none
        }
        return false
    }

    // MARK: Enumerators

    private mutating func compareEnumerators(_ x: [TypeInfo.Enumerator], _ y: [TypeInfo.Enumerator]) {
        let before = Dictionary(x.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        let after = Set(y.map(\.name))
        var gone = x.filter { !after.contains($0.name) }
        for enumerator in y {
            if let old = before[enumerator.name] {
                if old == enumerator.value {
                    unchanged += 1
                    continue
                }
                raise(.broken)
                enumerators.append(.init(name: enumerator.name, old: old, new: enumerator.value))
            } else if let index = gone.firstIndex(where: { $0.value == enumerator.value }) {
                // The same value under another name.
                gone.remove(at: index)
                unchanged += 1
            } else {
                raise(.compatible)
                enumerators.append(.init(name: enumerator.name, old: nil, new: enumerator.value))
            }
        }
        for enumerator in gone {
            raise(.broken)
            enumerators.append(.init(name: enumerator.name, old: enumerator.value, new: nil))
        }
    }
}

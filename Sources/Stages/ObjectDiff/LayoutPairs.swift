import DebugInfo
import Diagnostics

/// The types of one object before and after the patch, each with its counterpart.
struct LayoutPairs {
    /// A type whose definition differs.
    struct Found {
        /// Indices of the two definitions.
        var original: Int
        var patched: Int
        var difference: LayoutDifference
    }

    let original: TypeInfo
    let patched: TypeInfo
    private(set) var found: [Found] = []
    /// Indices of definitions without a counterpart in this object.
    private(set) var onlyOriginal: [Int] = []
    private(set) var onlyPatched: [Int] = []

    init(original: TypeInfo, patched: TypeInfo) {
        self.original = original
        self.patched = patched
        pairByName()
        pairByAlias()
        pairEnums()
        addUnnamed()
        pairByMembers()
    }

    private mutating func compare(_ a: Int, _ b: Int) {
        let difference = LayoutDifference(a, of: original, b, of: patched)
        if difference.severity != .none { found.append(Found(original: a, patched: b, difference: difference)) }
    }

    private mutating func pairByName() {
        func groups(_ types: TypeInfo) -> [TypeInfo.Key: [Int]] {
            let named = types.definitions.indices.filter {
                types.definitions[$0].isComplete && types.definitions[$0].key.naming != .none
            }
            return Dictionary(grouping: named, by: { types.definitions[$0].key })
        }
        var before = groups(original)
        let after = groups(patched)
        for first in patched.definitions.indices {
            // Handle each name where it first appears.
            let key = patched.definitions[first].key
            guard var y = after[key], y.first == first else { continue }
            guard var x = before.removeValue(forKey: key) else {
                onlyPatched += y
                continue
            }
            // Several blocks of one function may each define a type of that name. Their members tell which is which.
            if x.count > 1 || y.count > 1 { compareExchanged(removeEqual(&x, &y)) }
            if let a = x.first, let b = y.first, x.count == 1, y.count == 1 {
                compare(a, b)
            } else {
                onlyOriginal += x
                onlyPatched += y
            }
        }
        onlyOriginal = (onlyOriginal + before.values.joined()).sorted()
    }

    /// `typedef struct { … } foo_t` and `typedef struct foo { … } foo_t` are one type.
    private mutating func pairByAlias() {
        for b in onlyPatched {
            let new = patched.definitions[b]
            let match = onlyOriginal.filter { a in
                let old = original.definitions[a]
                return !Set(old.aliases).isDisjoint(with: new.aliases) && old.key.scope == new.key.scope
            }
            guard match.count == 1, let a = match.first else { continue }
            onlyOriginal.removeAll { $0 == a }
            onlyPatched.removeAll { $0 == b }
            compare(a, b)
        }
    }

    /// Types that a function defines itself, under another name, and those without a name. Other types may still be in other objects.
    private mutating func pairByMembers() {
        for b in onlyPatched where !patched.definitions[b].key.scope.isEmpty || patched.definitions[b].key.naming == .none {
            let new = patched.definitions[b], members = MemberNames(new)
            let alike = onlyOriginal.compactMap { a -> (shared: Int, index: Int)? in
                guard original.definitions[a].key.scope == new.key.scope else { return nil }
                return MemberNames(original.definitions[a]).shared(with: members, inOneFunction: true).map { ($0, a) }
            }
            guard let best = alike.max(by: { $0.shared < $1.shared }) else { continue }
            onlyOriginal.removeAll { $0 == best.index }
            onlyPatched.removeAll { $0 == b }
            compare(best.index, b)
        }
    }

    /// The differences between types of other names that have members in common, for those that turn out to be gone and new in all objects.
    func renamed() -> [(original: Int, patched: Int, difference: LayoutDifference)] {
        func members(_ indices: [Int], _ types: TypeInfo) -> [(index: Int, members: MemberNames)] {
            indices.map { ($0, MemberNames(types.definitions[$0])) }
        }
        let before = members(onlyOriginal, original)
        guard !before.isEmpty else { return [] }
        return members(onlyPatched, patched).flatMap { new in
            before.filter { $0.members.shared(with: new.members) != nil }
                .map { ($0.index, new.index, LayoutDifference($0.index, of: original, new.index, of: patched)) }
        }
    }

    /// The names of the members of a struct or a union, or of the enumerators of an enum.
    struct MemberNames {
        private let isEnum: Bool
        private let names: Set<String>
        private let size: UInt64?

        init(_ type: TypeInfo.Definition) {
            isEnum = type.kind == .enumeration
            names = Set(isEnum ? type.enumerators.map(\.name) : type.members.map(\.name))
            size = type.size
        }

        /// How many names both have; nil if that says nothing: for an enum none, for others less than half of those of the smaller one.
        ///
        /// - Parameter inOneFunction: whether one function has both. For others, one name of two is chance (`flags`, `next`), unless the size is
        ///   the same too.
        func shared(with other: MemberNames, inOneFunction: Bool = false) -> Int? {
            let count = names.intersection(other.names).count, smaller = min(names.count, other.names.count)
            guard isEnum == other.isEnum, count > 0 else { return nil }
            let isChance = !inOneFunction && count == 1 && smaller > 1 && size != other.size
            return isEnum || count * 2 >= smaller && !isChance ? count : nil
        }
    }

    /// What enums without names of one function have in common if only their blocks tell them apart.
    private struct EnumPlace: Hashable {
        private let scope: [String]
        private let enumerators: Set<String>

        init(_ type: TypeInfo.Definition) {
            scope = type.key.scope
            enumerators = Set(type.enumerators.map(\.name))
        }
    }

    /// The enumerators of a scope all have different names, so two enums that share an enumerator are the same enum, whatever their names.
    ///
    /// Enums that merge or split need no pair each: `LayoutDifference` finds an enumerator also where it is in another enum of the scope.
    private mutating func pairEnums() {
        func take(_ only: inout [Int], _ types: TypeInfo) -> [Int] {
            let all = Set(only)
            let enums = types.definitions.indices.filter {
                let definition = types.definitions[$0]
                return definition.isComplete && definition.kind == .enumeration && (definition.key.naming == .none || all.contains($0))
            }
            only.removeAll { types.definitions[$0].kind == .enumeration }
            return enums
        }
        var (before, after) = (take(&onlyOriginal, original), take(&onlyPatched, patched))
        // Blocks of one function may each have an enum of the same names.
        let equal = removeEqual(&before, &after) {
            haveOneScope($0, $1) && original.definitions[$0].enumerators == patched.definitions[$1].enumerators
        }
        let ofOnePlace = Dictionary(grouping: equal, by: { EnumPlace(original.definitions[$0.original]) }).values
        for pairs in ofOnePlace.sorted(by: { $0[0].original < $1[0].original }) { compareExchanged(pairs) }
        for a in before {
            guard let b = after.first(where: { haveOneScope(a, $0) && share(a, $0) }) else { continue }
            before.removeAll { $0 == a }
            after.removeAll { $0 == b }
            compare(a, b)
        }

        guard !before.isEmpty || !after.isEmpty else { return }
        let (had, has) = (EnumeratorValues(original), EnumeratorValues(patched))
        let merged = before.filter { has.containsSome(of: original.definitions[$0]) }
        let all = patched.definitions.indices.filter { patched.definitions[$0].kind == .enumeration }
        for a in merged {
            // The enum that has the rest of it reports what became of that.
            guard let b = all.first(where: { haveOneScope(a, $0) && share(a, $0) }) else { continue }
            let difference = LayoutDifference(a, of: original, b, of: patched)
            if difference.enumerators.contains(where: { $0.new == nil }) { found.append(Found(original: a, patched: b, difference: difference)) }
        }
        pairEnumsOfOtherScopes(
            before.filter { !merged.contains($0) }, after.filter { !had.containsSome(of: patched.definitions[$0]) })
    }

    private func haveOneScope(_ a: Int, _ b: Int) -> Bool { original.definitions[a].key.scope == patched.definitions[b].key.scope }

    private func share(_ a: Int, _ b: Int) -> Bool { MemberNames(original.definitions[a]).shared(with: MemberNames(patched.definitions[b])) != nil }

    /// The file may have what a function had, or the reverse.
    private mutating func pairEnumsOfOtherScopes(_ before: [Int], _ after: [Int]) {
        var moved: [(original: Int, patched: Int)] = []
        for a in before {
            for b in after where share(a, b) {
                // Several functions may have had the same enum.
                let isKnown = moved.contains { $0.patched == b && original.definitions[$0.original].enumerators == original.definitions[a].enumerators }
                moved.append((a, b))
                if !isKnown { compare(a, b) }
            }
        }
        onlyOriginal += before.filter { a in !moved.contains { $0.original == a } }
        onlyPatched += after.filter { b in !moved.contains { $0.patched == b } }
    }

    /// Structs and unions that have no name at all and are no part of another type: that of a cast, for example.
    private mutating func addUnnamed() {
        func unnamed(_ types: TypeInfo) -> [Int] {
            let held = Set(types.definitions.flatMap(\.members).compactMap(\.holds))
            return types.definitions.indices.filter {
                let definition = types.definitions[$0]
                return definition.isComplete && definition.key.naming == .none && definition.kind != .enumeration && !held.contains($0)
            }
        }
        var (before, after) = (unnamed(original), unnamed(patched))
        removeEqual(&before, &after) { original.definitions[$0].key.scope == patched.definitions[$1].key.scope }
        onlyOriginal += before
        onlyPatched += after
    }

    /// - Returns: the pairs that it removed.
    @discardableResult
    private func removeEqual(
        _ before: inout [Int], _ after: inout [Int], where mayBeSame: (Int, Int) -> Bool = { _, _ in true }
    ) -> [(original: Int, patched: Int)] {
        var removed: [(original: Int, patched: Int)] = []
        for a in before {
            guard let b = after.first(where: { mayBeSame(a, $0) && LayoutDifference(a, of: original, $0, of: patched).severity == .none }) else { continue }
            before.removeAll { $0 == a }
            after.removeAll { $0 == b }
            removed.append((a, b))
        }
        return removed
    }

    /// Types that only their place tells apart, all of them there again, but in another order: the blocks that define them may have exchanged
    /// them. A variable of such a block then has a value of the other type.
    private mutating func compareExchanged(_ pairs: [(original: Int, patched: Int)]) {
        let before = pairs.map(\.original).sorted(), after = pairs.map(\.patched).sorted()
        for (a, b) in zip(before, after) { compare(a, b) }
    }

    // MARK: Causes

    /// The types that changed by themselves, each with the types that changed because they contain it.
    func causes() -> [(found: Found, alsoChanged: [Int])] {
        let broken = Dictionary(
            found.filter { $0.difference.severity == .broken }.map { ($0.patched, $0) }, uniquingKeysWith: { first, _ in first })
        func brokenMembers(_ index: Int) -> [Int] { patched.definitions[index].members.compactMap(\.holds).filter { broken[$0] != nil } }
        func isConsequence(_ item: Found) -> Bool {
            item.difference.severity == .broken && item.difference.hasSameDeclaration && !brokenMembers(item.patched).isEmpty
        }
        // Upwards from each cause: from a type to the consequences that contain it.
        var above: [Int: [Int]] = [:]
        for item in found where isConsequence(item) {
            for held in brokenMembers(item.patched) { above[held, default: []].append(item.patched) }
        }
        var followers: [Int: Set<Int>] = [:]
        for item in found where !isConsequence(item) && above[item.patched] != nil {
            var waiting = [item.patched]
            var seen: Set<Int> = []
            while let next = waiting.popLast() {
                for container in above[next] ?? [] where seen.insert(container).inserted { waiting.append(container) }
            }
            followers[item.patched] = seen
        }
        return found.filter { !isConsequence($0) }.map { ($0, (followers[$0.patched] ?? []).sorted()) }
    }
}

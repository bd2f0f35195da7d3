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
        pairByMembers()
        pairEnumsWithoutName()
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
            if x.count > 1 || y.count > 1 {
                // Several blocks of one function may each define a type of that name. Pair equal definitions first.
                for a in x {
                    guard let b = y.first(where: { LayoutDifference(a, of: original, $0, of: patched).severity == .none }) else { continue }
                    x.removeAll { $0 == a }
                    y.removeAll { $0 == b }
                }
            }
            // If several are left, nobody can say which is which.
            if let a = x.first, let b = y.first, x.count == 1, y.count == 1 { compare(a, b) }
        }
        onlyOriginal = before.values.joined().sorted()
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

    /// Types that a function defines itself, under another name. Types at file level may still be in other objects.
    private mutating func pairByMembers() {
        for b in onlyPatched where !patched.definitions[b].key.scope.isEmpty {
            let new = patched.definitions[b]
            guard let members = MemberNames(new) else { continue }
            let alike = onlyOriginal.compactMap { a -> (shared: Int, index: Int)? in
                guard original.definitions[a].key.scope == new.key.scope else { return nil }
                return MemberNames(original.definitions[a])?.shared(with: members).map { ($0, a) }
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
            indices.compactMap { index in MemberNames(types.definitions[index]).map { (index, $0) } }
        }
        let before = members(onlyOriginal, original)
        guard !before.isEmpty else { return [] }
        return members(onlyPatched, patched).flatMap { new in
            before.filter { $0.members.shared(with: new.members) != nil }
                .map { ($0.index, new.index, LayoutDifference($0.index, of: original, new.index, of: patched)) }
        }
    }

    /// The names of the members of a struct or a union.
    struct MemberNames {
        private let names: Set<String>

        init?(_ type: TypeInfo.Definition) {
            guard type.kind != .enumeration else { return nil }
            names = Set(type.members.map(\.name))
        }

        /// How many names both have; nil if that is less than half of those of the smaller one.
        func shared(with other: MemberNames) -> Int? {
            let count = names.intersection(other.names).count
            return count > 0 && count * 2 >= min(names.count, other.names.count) ? count : nil
        }
    }

    /// The enumerators of a scope all have different names, so two unnamed enums that share an enumerator are the same enum.
    private mutating func pairEnumsWithoutName() {
        func enums(_ types: TypeInfo) -> [Int] {
            types.definitions.indices.filter {
                let definition = types.definitions[$0]
                return definition.isComplete && definition.key.naming == .none && definition.kind == .enumeration
            }
        }
        var having: [TypeInfo.Key: Int] = [:]
        func key(_ enumerator: TypeInfo.Enumerator, _ definition: TypeInfo.Definition) -> TypeInfo.Key {
            TypeInfo.Key(naming: .none, name: enumerator.name, scope: definition.key.scope)
        }
        for b in enums(patched) {
            for enumerator in patched.definitions[b].enumerators { having[key(enumerator, patched.definitions[b])] = b }
        }
        var taken: Set<Int> = []
        for a in enums(original) {
            let old = original.definitions[a]
            guard let b = old.enumerators.lazy.compactMap({ having[key($0, old)] }).first, taken.insert(b).inserted else { continue }
            compare(a, b)
        }
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

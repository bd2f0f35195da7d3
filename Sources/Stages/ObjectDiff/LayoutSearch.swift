import DebugInfo
import Diagnostics

/// A type that changed by itself, and the first object in which it was found.
struct LayoutCandidate {
    var object: ObjectID
    /// Its names before and after the patch. The file may differ, or a typedef may replace a tag.
    var names: Set<LayoutUsage.TypeName>
    var severity: LayoutDifference.Severity
    var change: LayoutChange

    /// Sorts by place, then by name.
    var order: (String, Int, String) {
        (change.location?.file ?? "", change.location?.line ?? 0, change.type)
    }
}

/// Gathers the types that changed, over all objects. Most are found in many objects.
struct LayoutSearch {
    private(set) var found: [LayoutCandidate] = []
    private var indices: [LayoutUsage.TypeName: Int] = [:]
    /// A type that objects have on one side only.
    private struct Kept {
        /// The first of the objects, and all of them.
        var object: ObjectID
        var objects: Set<ObjectID>
        /// This type, without the other types of its object.
        var types: TypeInfo
    }

    private var onlyOriginal: [LayoutUsage.TypeName: Kept] = [:]
    private var onlyPatched: [LayoutUsage.TypeName: Kept] = [:]

    /// How types of different names differ, if one object has both: by the name before, then the name after the patch.
    private var renamed: [LayoutUsage.TypeName: [LayoutUsage.TypeName: LayoutDifference]] = [:]

    mutating func add(_ pairs: LayoutPairs, object: ObjectID) {
        for (found, alsoChanged) in pairs.causes() {
            add(
                found.difference, pairs.original.definitions[found.original], pairs.patched.definitions[found.patched],
                alsoChanged: alsoChanged.map { pairs.patched.definitions[$0].spelling }, object: object)
        }
        for (old, new, difference) in pairs.renamed() {
            renamed[LayoutUsage.TypeName(pairs.original.definitions[old]), default: [:]][LayoutUsage.TypeName(pairs.patched.definitions[new])] = difference
        }
        for index in pairs.onlyOriginal { keep(pairs.original.definitions[index], object, in: &onlyOriginal) }
        for index in pairs.onlyPatched { keep(pairs.patched.definitions[index], object, in: &onlyPatched) }
    }

    private mutating func add(
        _ difference: LayoutDifference, _ old: TypeInfo.Definition, _ new: TypeInfo.Definition, alsoChanged: [String],
        object: ObjectID
    ) {
        let name = LayoutUsage.TypeName(old)
        if let known = indices[name] {
            let all = Set(found[known].change.alsoChanged).union(alsoChanged)
            found[known].change.alsoChanged = all.sorted()
            // Another object may compile the same source with other macros.
            guard difference.severity > found[known].severity else { return }
        }
        let outcome: LayoutChange.Outcome =
            switch difference.severity {
            case .broken: .refused
            case .retyped: .retyped
            case .none, .kept: .kept
            case .compatible: .compatible
            }
        let candidate = LayoutCandidate(
            object: object, names: [name, LayoutUsage.TypeName(new)], severity: difference.severity,
            change: LayoutChange(
                type: new.spelling, oldType: Self.isRenamed(old, new) ? old.spelling : nil, location: new.declaration ?? old.declaration, outcome: outcome,
                oldSize: old.size,
                newSize: new.size, members: difference.members, enumerators: difference.enumerators,
                unchanged: difference.unchanged,
                alsoChanged: Set(alsoChanged).union(indices[name].map { found[$0].change.alsoChanged } ?? []).sorted()))
        if let known = indices[name] {
            found[known] = candidate
        } else {
            indices[name] = found.count
            found.append(candidate)
        }
    }

    // MARK: Types that an object has on one side only

    private func keep(_ definition: TypeInfo.Definition, _ object: ObjectID, in store: inout [LayoutUsage.TypeName: Kept]) {
        let name = LayoutUsage.TypeName(definition)
        guard store[name] == nil else {
            store[name]?.objects.insert(object)
            return
        }
        var alone = definition
        for index in alone.members.indices {
            alone.members[index].holds = nil
            alone.members[index].pointsTo = nil
        }
        store[name] = Kept(object: object, objects: [object], types: TypeInfo(definitions: [alone]))
    }

    /// Pairs a type that one object has only before the patch with a type that another has only after it: a function may have moved.
    mutating func pairAcrossObjects() {
        for (name, patched) in onlyPatched.sorted(by: { ($0.value.object, $0.key.order) < ($1.value.object, $1.key.order) }) {
            if let original = onlyOriginal[name] { pair(name, original, patched) }
        }
    }

    /// Pairs a type that is gone from all objects with a new one that looks like it under another name or in another file: what the running
    /// hypervisor has of the old one may be used as the new one.
    mutating func pairRenamed() {
        let gone = onlyOriginal.filter { onlyPatched[$0.key] == nil && indices[$0.key] == nil }.sorted { $0.key.order < $1.key.order }
        for (name, patched) in onlyPatched.sorted(by: { $0.key.order < $1.key.order }) where onlyOriginal[name] == nil && indices[name] == nil {
            let alike = gone.compactMap { old in Self.likeness(old, (name, patched)).map { (likeness: $0, old: old) } }
            // Each enum may have become a part of the new one.
            let isEnum = patched.types.definitions.first?.kind == .enumeration
            for (_, old) in isEnum ? alike : alike.max(by: { $0.likeness < $1.likeness }).map({ [$0] }) ?? [] { pair(old.key, old.value, patched) }
        }
        for (_, old) in gone { for enumerator in old.types.definitions.flatMap(\.enumerators) { noteOldValue(of: enumerator) } }
    }

    /// An enumerator that an enum got from one that is gone, in another object, is not new.
    private mutating func noteOldValue(of enumerator: TypeInfo.Enumerator) {
        for index in found.indices {
            for row in found[index].change.enumerators.indices {
                let new = found[index].change.enumerators[row]
                guard new.name == enumerator.name, new.old == nil, new.new != enumerator.value else { continue }
                found[index].change.enumerators[row].old = enumerator.value
                (found[index].severity, found[index].change.outcome) = (.broken, .refused)
            }
        }
    }

    // MARK: Enumerators that only other objects have

    /// The headers with enums that lost an enumerator. Debug info has only the enums that an object uses, so the one that has it now may be in
    /// other objects only.
    var headersOfLostEnumerators: Set<String> {
        Set(found.filter(\.change.hasLostEnumerators).compactMap(\.change.location?.file).filter { !$0.hasSuffix(".c") })
    }

    /// Looks for them in the patched types of an object. No enumerator is twice in a header, so one of that name is the one that was lost.
    mutating func findLostEnumerators(in types: TypeInfo, headers: Set<String>) {
        for definition in types.definitions where definition.kind == .enumeration && definition.key.scope.isEmpty {
            guard let file = definition.declaration?.file, headers.contains(file) else { continue }
            let name = LayoutUsage.TypeName(definition)
            for index in found.indices where found[index].change.location?.file == file && !found[index].names.contains(name) {
                for enumerator in definition.enumerators { found[index].change.find(enumerator) }
            }
        }
        for index in found.indices where found[index].severity == .broken && found[index].change.hasOnlyNewEnumerators {
            (found[index].severity, found[index].change.outcome) = (.compatible, .compatible)
        }
        found.removeAll { $0.severity == .compatible && $0.change.members.isEmpty && $0.change.enumerators.isEmpty }
    }

    /// How much a new type looks like one that is gone; nil if they have nothing to do with each other.
    ///
    /// Members alone say little where nothing else ties the two together. Enumerators have names that few others have.
    private static func likeness(_ old: (key: LayoutUsage.TypeName, value: Kept), _ new: (key: LayoutUsage.TypeName, value: Kept)) -> Int? {
        guard let was = old.value.types.definitions.first, let now = new.value.types.definitions.first else { return nil }
        let shared = LayoutPairs.MemberNames(was).shared(with: LayoutPairs.MemberNames(now))
        let (a, b) = (old.key.key, new.key.key)
        let hasName = [.tag, .typedef].contains(b.naming)
        if a == b, hasName { return .max }
        let isNear = !old.value.objects.isDisjoint(with: new.value.objects) || old.key.file == new.key.file
        let isTied = now.kind == .enumeration || hasName && a.name == b.name || !b.scope.isEmpty && a.scope == b.scope
        return isNear || isTied ? shared : nil
    }

    private static func isRenamed(_ old: TypeInfo.Definition, _ new: TypeInfo.Definition) -> Bool {
        old.spelling != new.spelling && !old.aliases.contains(new.spelling) && !new.aliases.contains(old.spelling)
            && Set(old.aliases).isDisjoint(with: new.aliases)
    }

    /// Whether types of this side must be looked for in the objects in which nothing differs. Types that a `.c` file defines can't be
    /// there.
    func isMissing(_ side: ObjectSide) -> Bool { !missing(side).isEmpty }

    private func missing(_ side: ObjectSide) -> Set<LayoutUsage.TypeName> {
        let (have, lack) = side == .original ? (onlyPatched, onlyOriginal) : (onlyOriginal, onlyPatched)
        return Set(have.keys.filter { $0.key.scope.isEmpty && lack[$0] == nil && indices[$0] == nil && !($0.file ?? "").hasSuffix(".c") })
    }

    /// Looks for the missing types in an object in which nothing differs.
    mutating func look(in types: TypeInfo, of object: ObjectID, side: ObjectSide) {
        let wanted = missing(side)
        for definition in types.definitions where definition.isComplete && wanted.contains(LayoutUsage.TypeName(definition)) {
            if side == .original { keep(definition, object, in: &onlyOriginal) } else { keep(definition, object, in: &onlyPatched) }
        }
    }

    private mutating func pair(
        _ name: LayoutUsage.TypeName, _ original: Kept, _ patched: Kept
    ) {
        guard let old = original.types.definitions.first, let new = patched.types.definitions.first, indices[name] == nil else { return }
        let difference = renamed[name]?[LayoutUsage.TypeName(new)] ?? LayoutDifference(0, of: original.types, 0, of: patched.types)
        if difference.severity != .none { add(difference, old, new, alsoChanged: [], object: patched.object) }
    }
}

extension LayoutChange {
    /// Whether the enum stays with some of its enumerators.
    fileprivate var hasLostEnumerators: Bool { unchanged > 0 && enumerators.contains { $0.new == nil } }

    fileprivate var hasOnlyNewEnumerators: Bool { members.isEmpty && oldSize == newSize && unchanged > 0 && enumerators.allSatisfy { $0.old == nil } }

    /// Notes the value that a lost enumerator has in another enum.
    fileprivate mutating func find(_ enumerator: TypeInfo.Enumerator) {
        guard hasLostEnumerators, let row = enumerators.firstIndex(where: { $0.name == enumerator.name && $0.new == nil }) else { return }
        if enumerators[row].old == enumerator.value { enumerators.remove(at: row) } else { enumerators[row].new = enumerator.value }
    }
}

extension LayoutUsage.TypeName {
    /// A sort key that is the same in every run: name, then scope, then file.
    fileprivate var order: String { "\(key.name)\0\(key.scope)\0\(file ?? "")" }

    init(_ definition: TypeInfo.Definition) {
        self.init(key: definition.key, file: definition.isComplete ? definition.declaration?.file : nil)
    }
}

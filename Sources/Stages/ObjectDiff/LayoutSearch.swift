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

    /// Pairs a type that is gone from all objects with a new one that looks like it under another name: what the running hypervisor has of
    /// the old one may be used as the new one. Both are declared in one file or are in one object.
    mutating func pairRenamed() {
        let gone = onlyOriginal.filter { onlyPatched[$0.key] == nil && indices[$0.key] == nil }.sorted { $0.key.order < $1.key.order }
        for (name, patched) in onlyPatched.sorted(by: { $0.key.order < $1.key.order }) where onlyOriginal[name] == nil && indices[name] == nil {
            guard let members = patched.types.definitions.first.map(LayoutPairs.MemberNames.init) else { continue }
            let alike = gone.compactMap { old -> (shared: Int, old: (key: LayoutUsage.TypeName, value: Kept))? in
                guard !old.value.objects.isDisjoint(with: patched.objects) || old.key.file == name.file else { return nil }
                return old.value.types.definitions.first.map(LayoutPairs.MemberNames.init)?.shared(with: members).map { ($0, old) }
            }
            if let best = alike.max(by: { $0.shared < $1.shared }) { pair(best.old.key, best.old.value, patched) }
        }
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

extension LayoutUsage.TypeName {
    /// A sort key that is the same in every run: name, then scope, then file.
    fileprivate var order: String { "\(key.name)\0\(key.scope)\0\(file ?? "")" }

    init(_ definition: TypeInfo.Definition) {
        self.init(key: definition.key, file: definition.isComplete ? definition.declaration?.file : nil)
    }
}

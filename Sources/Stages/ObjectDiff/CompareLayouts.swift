import DebugInfo
import Diagnostics

/// Which of an object's two compilations.
package enum ObjectSide: Sendable, Equatable {
    case original, patched
}

/// Finds the types that the patch lays out otherwise, and judges what that does to the running hypervisor.
///
/// Types are read only of objects in which something differs; those of all others are read when a layout changed, to find
/// its users.
///
/// - Parameters:
///   - changes: one for each object. Those in which a type changed get the diagnostic.
///   - allowed: types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
///   - bootOnly: names of objects all of which runs at boot only.
///   - read: gives the types of one object; `withUses` asks for their users too. An object that does not exist has none.
/// - Returns: the types that changed by themselves, sorted by place.
/// - Throws: what `read` throws.
package func compareLayouts(
    _ changes: inout [ChangeSet], allowed: [String] = [], bootOnly: Set<String> = [],
    read: (_ object: Int, _ side: ObjectSide, _ withUses: Bool) throws -> TypeInfo
) rethrows -> [LayoutChange] {
    let concerned = changes.indices.filter { changes[$0].mayConcernLayouts }
    let others = changes.indices.filter { !changes[$0].mayConcernLayouts }

    var search = LayoutSearch()
    for index in concerned {
        let (original, patched) = (try read(index, .original, false), try read(index, .patched, false))
        search.add(LayoutPairs(original: original, patched: patched), object: index)
    }
    for side in [ObjectSide.original, .patched] {
        for index in others where search.isMissing(side) { search.look(in: try read(index, side, false), of: index, side: side) }
    }
    search.pairAcrossObjects()

    var usage = LayoutUsage()
    if search.found.contains(where: { $0.severity == .broken }) {
        for index in changes.indices {
            let fates = FunctionFates(changes[index], isBootOnly: bootOnly.contains(changes[index].objectName))
            usage.add(try read(index, .patched, true), object: index) { fates.patched(at: $0) }
            // Where nothing differs, both sides have the same functions.
            if changes[index].mayConcernLayouts {
                usage.add(try read(index, .original, true), object: index) { fates.original(at: $0) }
            }
        }
    }

    var results: [LayoutChange] = []
    for candidate in search.found.sorted(by: { $0.order < $1.order }) {
        let change = judge(candidate, usage: usage, allowed: allowed)
        results.append(change)
        changes[candidate.object].diagnostics.append(LayoutWording.diagnostic(change))
    }
    if let first = changes.indices.first {
        let unused = allowed.filter { name in !results.contains { isMeant($0.type, by: name) } }
        changes[first].diagnostics += unused.map { LayoutWording.notChanged($0, results: results) }
    }
    return results
}

private func judge(_ candidate: LayoutCandidate, usage: LayoutUsage, allowed: [String]) -> LayoutChange {
    var change = candidate.change
    guard candidate.severity == .broken else { return change }
    change.users = usage.users(of: candidate.names)
    if usage.isStackOnly(candidate.names) {
        change.outcome = .stackOnly
    } else if allowed.contains(where: { isMeant(change.type, by: $0) }) {
        change.outcome = .allowed
    }
    return change
}

/// `struct foo` is meant by itself and by `foo`.
private func isMeant(_ type: String, by name: String) -> Bool {
    let words = name.split(separator: " ").joined(separator: " ")
    return type == words || type.split(separator: " ").last.map(String.init) == words
}

extension ChangeSet {
    /// Where nothing differs, no code knows a new layout.
    fileprivate var mayConcernLayouts: Bool {
        !removed.isEmpty || status.contains { $0 != .same } || diagnostics.contains { $0.severity == .error }
    }
}

/// What becomes of the functions of one object.
private struct FunctionFates {
    private let set: ChangeSet
    private let isBootOnly: Bool
    private let patched: [Place: Int]
    private let original: [Place: Int]

    private struct Place: Hashable {
        var section: Int
        var offset: Int

        init(section: Int, offset: Int) {
            self.section = section
            self.offset = offset
        }

        init(_ entry: DebugInfo.CodeRange) {
            self.init(section: entry.section, offset: Int(clamping: entry.offset))
        }
    }

    init(_ set: ChangeSet, isBootOnly: Bool) {
        self.set = set
        self.isBootOnly = isBootOnly
        func functions(_ graph: ObjectGraph) -> [Place: Int] {
            Dictionary(
                graph.items.indices.filter { graph.items[$0].kind == .function }
                    .map { (Place(section: graph.items[$0].section, offset: graph.items[$0].offset), $0) },
                uniquingKeysWith: { first, _ in first })
        }
        patched = functions(set.patched)
        original = functions(set.original)
    }

    func patched(at entry: DebugInfo.CodeRange) -> (LayoutUsage.Fate, item: Int?) {
        guard !isBootOnly else { return (.gone, nil) }
        guard let item = patched[Place(entry)] else { return (.stays, nil) }
        return (fate(item), item)
    }

    /// One that has a twin counts as that one; one that has none is not called any more once its callers are replaced.
    func original(at entry: DebugInfo.CodeRange) -> (LayoutUsage.Fate, item: Int?) {
        guard !isBootOnly else { return (.gone, nil) }
        guard let item = original[Place(entry)] else { return (.stays, nil) }
        guard set.original.items[item].role != .boot, let twin = set.twins.patched[item] else { return (.gone, nil) }
        return (fate(twin), twin)
    }

    private func fate(_ item: Int) -> LayoutUsage.Fate {
        guard set.patched.items.indices.contains(item), set.status.indices.contains(item) else { return .stays }
        if set.patched.items[item].role == .boot { return .gone }
        return set.status[item] == .same ? .stays : .inPayload
    }
}

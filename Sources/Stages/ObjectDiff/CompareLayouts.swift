import DebugInfo
import Diagnostics

/// What a patch does to the layout of types, over all objects.
package struct LayoutComparison: Sendable {
    /// The types that changed by themselves, sorted by where the source declares them.
    package let changes: [LayoutChange]
    /// By the object that the diagnostic is about, which is the first object in which the type was found.
    package let diagnostics: [ObjectID: [Diagnostic]]

    package init(changes: [LayoutChange] = [], diagnostics: [ObjectID: [Diagnostic]] = [:]) {
        self.changes = changes
        self.diagnostics = diagnostics
    }
}

/// Finds the types whose layout the patch changes, and judges what that does to the running hypervisor.
///
/// It reads the types of an object only if something in that object differs. If a layout changed, it also reads the types of all other
/// objects, to find the users of the changed type.
///
/// - Parameters:
///   - changes: one for each object.
///   - allowed: types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
///   - bootOnly: objects that run entirely at boot.
///   - isWhole: whether these are all objects of the hypervisor, so that a payload is made of them. Types that can't be compared are then an
///     error, and otherwise a warning.
///   - read: returns the types of one object; `withUses` asks for their users as well. An object that does not exist has no types.
/// - Throws: every error that `read` throws.
package func compareLayouts(
    _ changes: [ChangeSet], allowed: [String] = [], bootOnly: Set<ObjectID> = [], isWhole: Bool = true,
    read: (_ object: ObjectID, _ side: ObjectSide, _ withUses: Bool) throws -> TypeInfo
) rethrows -> LayoutComparison {
    let concerned = changes.filter(\.mayConcernLayouts), others = changes.filter { !$0.mayConcernLayouts }

    var search = LayoutSearch()
    var doubts: [ObjectID: [Diagnostic]] = [:]
    for set in concerned {
        let (original, patched) = (try read(set.object, .original, false), try read(set.object, .patched, false))
        if set.needsTypes, !bootOnly.contains(set.object) {
            doubts[set.object] = LayoutDoubts(original: original, patched: patched).diagnostics(of: set, isWhole: isWhole)
        }
        search.add(LayoutPairs(original: original, patched: patched), object: set.object)
    }
    for side in [ObjectSide.original, .patched] {
        for set in others where search.isMissing(side) { search.look(in: try read(set.object, side, false), of: set.object, side: side) }
    }
    search.pairAcrossObjects()
    search.pairRenamed()
    let headers = search.headersOfLostEnumerators
    for set in headers.isEmpty ? [] : changes { search.findLostEnumerators(in: try read(set.object, .patched, false), headers: headers) }
    let found = search.found.sorted { $0.order < $1.order }

    var usage = LayoutUsage()
    if found.contains(where: { $0.severity == .broken }) {
        for set in changes {
            let fates = FunctionFates(set, isBootOnly: bootOnly.contains(set.object))
            let patched = try read(set.object, .patched, true)
            let after = UntypedVariables(set.patched, patched)
            usage.add(patched, object: set.object, refersToUntyped: after.isUsed) { fates.patched(at: $0) }
            // If nothing differs, both sides have the same functions.
            if set.mayConcernLayouts {
                let original = try read(set.object, .original, true), before = UntypedVariables(set.original, original)
                usage.add(original, object: set.object, refersToUntyped: before.isUsed) { fates.original(at: $0) }
            }
            if !patched.gaps.isEmpty, set.hasCompiledCode, !bootOnly.contains(set.object) { usage.isIncomplete = true }
        }
    }

    let results = found.map { judge($0, usage: usage, allowed: allowed) }
    var diagnostics = doubts
    for (object, found) in try globalsOfOtherTypes(changes, read: read) { diagnostics[object, default: []] += found }
    for (candidate, change) in zip(found, results) { diagnostics[candidate.object, default: []].append(LayoutWording.diagnostic(change)) }
    if let first = changes.first {
        let unused = allowed.filter { name in !results.contains { isMeant($0.type, by: name) } }
        diagnostics[first.object, default: []] += unused.map { LayoutWording.notChanged($0, results: results) }
    }
    return LayoutComparison(changes: results, diagnostics: diagnostics)
}

private func judge(_ candidate: LayoutCandidate, usage: LayoutUsage, allowed: [String]) -> LayoutChange {
    var change = candidate.change
    guard candidate.severity == .broken else { return change }
    change.users = usage.users(of: candidate.names)
    // The values of an enum are also kept in variables of other types.
    if change.enumerators.isEmpty, usage.isStackOnly(candidate.names) {
        change.outcome = .stackOnly
    } else if allowed.contains(where: { isMeant(change.type, by: $0) }) {
        change.outcome = .allowed
    }
    return change
}

/// `struct foo` has two possible names: `struct foo` and `foo`.
private func isMeant(_ type: String, by name: String) -> Bool {
    let words = name.split(separator: " ").joined(separator: " ")
    return type == words || type.split(separator: " ").last.map(String.init) == words
}

extension ChangeSet {
    /// If nothing differs, no code uses a new layout.
    fileprivate var mayConcernLayouts: Bool {
        !removed.isEmpty || records.contains { $0.status != .same } || diagnostics.contains { $0.severity == .error }
    }

    /// Whether the payload could have code that uses a new layout. What an assembler made knows no types.
    fileprivate var needsTypes: Bool {
        hasCompiledCode && records.contains(where: \.isNewRuntimeCode)
    }

    fileprivate var hasCompiledCode: Bool {
        ![source, original.fileSymbol, patched.fileSymbol].contains { $0.hasSuffix(".S") || $0.hasSuffix(".s") }
            && records.contains { $0.item.kind == .function && $0.item.role == .code }
    }
}

/// Whether the functions of one object stay, are in the payload, or are gone.
private struct FunctionFates {
    private let set: ChangeSet
    private let isBootOnly: Bool
    private let patched: [Place: PatchedItem.ID]
    private let original: [Place: OriginalItem.ID]

    private struct Place: Hashable {
        var section: Int
        var offset: Int

        init(section: Int, offset: Int) {
            self.section = section
            self.offset = offset
        }

        init(_ entry: DebugInfo.CodeRange) { self.init(section: entry.section, offset: Int(clamping: entry.offset)) }
    }

    init(_ set: ChangeSet, isBootOnly: Bool) {
        self.set = set
        self.isBootOnly = isBootOnly
        patched = Self.functions(set.patched)
        original = Self.functions(set.original)
    }

    private static func functions<Side>(_ graph: ObjectGraph<Side>) -> [Place: Item<Side>.ID] {
        Dictionary(
            graph.items.filter { $0.kind == .function }.map { (Place(section: $0.section, offset: $0.offset), $0.id) },
            uniquingKeysWith: { first, _ in first })
    }

    func patched(at entry: DebugInfo.CodeRange) -> (LayoutUsage.Fate, item: PatchedItem.ID?) {
        guard !isBootOnly else { return (.gone, nil) }
        guard let id = patched[Place(entry)] else { return (.stays, nil) }
        return (fate(set[id]), id)
    }

    /// An original function with a twin has the fate of its twin. Without a twin it counts as gone, because nothing calls it once its
    /// callers are replaced.
    func original(at entry: DebugInfo.CodeRange) -> (LayoutUsage.Fate, item: PatchedItem.ID?) {
        guard !isBootOnly else { return (.gone, nil) }
        guard let id = original[Place(entry)] else { return (.stays, nil) }
        guard set.original[id].role != .boot, let successor = set.successor(of: id) else { return (.gone, nil) }
        return (fate(successor), successor.item.id)
    }

    private func fate(_ record: ChangeSet.Record) -> LayoutUsage.Fate {
        if record.item.role == .boot { return .gone }
        return record.status == .same ? .stays : .inPayload
    }
}

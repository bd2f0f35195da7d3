import DebugInfo
import Diagnostics

/// Says for each item of the patched object which item of the original is its twin.
///
/// For functions any one-to-one assignment is safe, because callers are compared under the same assignment: a bad one makes the payload
/// larger, but never wrong. For variables it is not safe: a payload that mistakes one variable for another works on the wrong state. So
/// variables are correlated by name if the language's rules make the name unique, and by the line of their declaration if they do not
/// (static locals), or if a macro makes the name. Weaker evidence is marked as such (`TwinEvidence.doubt`).
struct Correlation: Sendable, Equatable {
    private(set) var twins: [PatchedItem.ID: Twin] = [:]
    private var successors: [OriginalItem.ID: PatchedItem.ID] = [:]
    /// Patched variables that may be several of the original's, with those. They have no twin.
    private(set) var open: [PatchedItem.ID: Set<OriginalItem.ID>] = [:]
    /// Original variables without a twin that are known to have none: no new variable can be one of them.
    private(set) var ended: Set<OriginalItem.ID> = []
    /// Patched variables without a twin that are known to have none.
    private(set) var begun: Set<PatchedItem.ID> = []
    /// Patched variables without a twin that have the name of an original one, but neither its words nor its place.
    private(set) var unlike: Set<PatchedItem.ID> = []

    subscript(_ id: PatchedItem.ID) -> Twin? { twins[id] }
    func original(of id: PatchedItem.ID) -> OriginalItem.ID? { twins[id]?.original }
    func patched(of id: OriginalItem.ID) -> PatchedItem.ID? { successors[id] }

    mutating func pair(_ original: OriginalItem.ID, _ patched: PatchedItem.ID, by evidence: TwinEvidence) {
        twins[patched] = Twin(original: original, evidence: evidence)
        successors[original] = patched
    }

    mutating func leaveOpen(_ patched: PatchedItem.ID, among originals: Set<OriginalItem.ID>) { open[patched] = originals }
    mutating func end(_ original: OriginalItem.ID) { ended.insert(original) }
    mutating func begin(_ patched: PatchedItem.ID) { begun.insert(patched) }
    mutating func setApart(_ patched: PatchedItem.ID) { unlike.insert(patched) }

    func isFree(_ id: OriginalItem.ID) -> Bool { successors[id] == nil }
    func isFree(_ id: PatchedItem.ID) -> Bool { twins[id] == nil }
}

/// A symbol's name, split into the source's part and the compiler's part.
package struct CompilerName: Hashable, Sendable {
    /// `foo` of `foo.isra.0`, `count` of `count.3`.
    package var base: Substring
    /// `isra` of `foo.isra.0`, `constprop.cold` of `foo.constprop.0.cold`; empty for a plain number.
    package var clone: String
    /// Whether the compiler added anything.
    package var isDerived: Bool

    package init(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        base = parts.first ?? ""
        let suffixes = parts.dropFirst()
        isDerived = !suffixes.isEmpty
        clone = suffixes.filter { !$0.allSatisfy(\.isNumber) }.joined(separator: ".")
    }
}

/// - Parameter lines: which line of the source became which; nil if nobody knows.
/// - Throws: `InputError` when debug information can't be read.
func correlate(_ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, lines: DeclarationLines?) throws(InputError) -> Correlation {
    var result = Correlation()
    pairByName(a.graph, b.graph, &result)
    let unclear = lines.map { FileLevelStatics(a, b, $0).pair(&result) } ?? []
    pairVariables(a, b, except: unclear, &result)
    try pairStaticLocals(a, b, lines: lines, &result)
    pairVariants(a.graph, b.graph, &result)
    return result
}

/// Correlates functions by names that the source itself gives, and that it can give only once in a file. A function may have several names.
/// The first pass uses the name that the symbol table lists first. The second uses all names, because the order in the table may differ.
private func pairByName(_ a: ObjectGraph<OriginalSide>, _ b: ObjectGraph<PatchedSide>, _ result: inout Correlation) {
    for aliases in [false, true] {
        let originals = plainNames(a, aliases: aliases)
        for (name, patched) in plainNames(b, aliases: aliases).sorted(by: { $0.key < $1.key }) {
            guard patched.count == 1, let original = originals[name], original.count == 1 else { continue }
            let (x, y) = (original[0], patched[0])
            guard result.isFree(x.id), result.isFree(y.id), canBeTwins(x, y) else { continue }
            result.pair(x.id, y.id, by: x.name == name && y.name == name ? .name : .otherName(name))
        }
    }
}

/// Correlates variables by names that the source can give only once in a file. All names of a variable count: those of the symbol table
/// and the one in debug info, which differs from them after an assembler label (`asm("x")`). If they lead to several variables of the
/// other side, nothing says which one is meant, and the variable is left open.
///
/// - Parameter unclear: patched variables whose name does not say which variable they are.
private func pairVariables(
    _ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, except unclear: Set<PatchedItem.ID>, _ result: inout Correlation
) {
    let originals = variableNames(a, result.isFree), patched = variableNames(b) { result.isFree($0) && !unclear.contains($0) }
    var forward: [PatchedItem.ID: Set<OriginalItem.ID>] = [:], back: [OriginalItem.ID: Set<PatchedItem.ID>] = [:]
    for (name, items) in patched {
        for y in items {
            for x in originals[name] ?? [] where canBeTwins(x, y) {
                forward[y.id, default: []].insert(x.id)
                back[x.id, default: []].insert(y.id)
            }
        }
    }
    for (id, candidates) in forward {
        let y = b.graph[id], open = candidates.union(candidates.flatMap { back[$0] ?? [] }.flatMap { forward[$0] ?? [] })
        guard open.count == 1, let x = open.first.map({ a.graph[$0] }), back[x.id]?.count == 1 else {
            // One that only has content is as good as any copy.
            if y.role != .boot, !y.isJustContent || open.contains(where: { !a.graph[$0].isJustContent }) { result.leaveOpen(id, among: open) }
            continue
        }
        let shared = Set(x.names).intersection(y.names).sorted().first ?? a.variable(x.id)?.name
        result.pair(x.id, y.id, by: x.name == y.name ? .name : .otherName(shared ?? x.name))
    }
}

private func variableNames<Side>(_ graph: ExplainedGraph<Side>, _ counts: (Item<Side>.ID) -> Bool) -> [String: [Item<Side>]] {
    var names: [String: [Item<Side>]] = [:]
    for item in graph.graph.items where item.kind == .data && item.isNamed && counts(item.id) {
        var own = Set(item.names.filter { item.isGlobal || !CompilerName($0).isDerived })
        // An empty variable may lie at the place of the next one, whose name debug info gives for that place.
        if item.size > 0, let variable = graph.variable(item.id), variable.enclosingFunction == nil { own.insert(variable.name) }
        for name in own { names[name, default: []].append(item) }
    }
    return names
}

/// Boot code and data are gone once the hypervisor runs, so they are never the twin of anything that is used after boot.
private func canBeTwins(_ x: OriginalItem, _ y: PatchedItem) -> Bool { haveSameKind(x, y) && (x.role == .boot) == (y.role == .boot) }

/// Whether two items are of one kind.
package func haveSameKind(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
    switch (a.kind, b.kind) {
    case (.function, .function), (.data, .data), (.string, .string), (.constant, .constant), (.replacementCode, .replacementCode): true
    default: false
    }
}

private func plainNames<Side>(_ graph: ObjectGraph<Side>, aliases: Bool) -> [String: [Item<Side>]] {
    var names: [String: [Item<Side>]] = [:]
    for item in graph.items where item.isNamed && item.kind != .data {
        for name in aliases ? item.names : [item.name] where item.isGlobal || !CompilerName(name).isDerived { names[name, default: []].append(item) }
    }
    return names
}

// MARK: Variants of functions

/// Correlates `foo.isra.0`, `foo.constprop.1`, `foo.part.0` and `foo.cold` by function and kind of variant. Variants with unique and
/// equal bytes come first, because the compiler renumbers variants when it adds one. The others follow in order if both sides have
/// equally many left, or by their full names if not. What remains is new or gone, and its callers are changed.
private func pairVariants(_ a: ObjectGraph<OriginalSide>, _ b: ObjectGraph<PatchedSide>, _ result: inout Correlation) {
    let originals = variants(a)
    for (name, patched) in variants(b) {
        guard let twins = originals[name] else { continue }
        if twins.count > 1 || patched.count > 1 {
            let left = Dictionary(grouping: twins, by: { a.bytes(of: $0) })
            let right = Dictionary(grouping: patched, by: { b.bytes(of: $0) })
            for (bytes, items) in right where items.count == 1 {
                if let twin = left[bytes], twin.count == 1 { result.pair(twin[0].id, items[0].id, by: .sameCode) }
            }
        }
        let (restA, restB) = (twins.filter { result.isFree($0.id) }, patched.filter { result.isFree($0.id) })
        if restA.count == restB.count {
            for (x, y) in zip(restA, restB) { result.pair(x.id, y.id, by: .orderOfVariants) }
            continue
        }
        for y in restB {
            if let x = restA.first(where: { $0.name == y.name }) { result.pair(x.id, y.id, by: .nameOfVariant) }
        }
    }
}

private func variants<Side>(_ graph: ObjectGraph<Side>) -> [CompilerName: [Item<Side>]] {
    let derived = graph.items.filter { $0.kind == .function && $0.isNamed && !$0.isGlobal && CompilerName($0.name).isDerived }
    return Dictionary(grouping: derived, by: { CompilerName($0.name) }).mapValues { $0.sorted { $0.name < $1.name } }
}

import DebugInfo
import Diagnostics

/// Why a patched item was correlated with an item of the original.
package enum TwinEvidence: Sendable, Equatable {
    /// Both have the same name, and the source can use that name only once in a file.
    case name
    /// Both have several names, and share one that the source can use only once in a file.
    case otherName(String)
    /// Both are declared in the same line of the patched source.
    case declaration(SourceLocation)
    /// Both are declared in the same block of the same function, and the number of declarations with that name is the same.
    case block
    /// Both are the only one left with that name in the same function. Their lines differ.
    case onlyOneLeft
    /// Debug information says nothing about either, and their names are the same without the compiler's numbers.
    case nameWithoutNumber
    /// Variants of a function that the compiler made, with the same code.
    case sameCode
    /// Variants of a function, matched in the compiler's order; both sides have the same number of them.
    case orderOfVariants
    /// Variants of a function, with the same full name.
    case nameOfVariant

    /// Whether the evidence is a name alone, although debug information should have decided.
    package var isGuess: Bool { self == .nameWithoutNumber }
}

/// The original item that a patched item was correlated with.
package struct Twin: Sendable, Equatable {
    package let original: OriginalItem.ID
    package let evidence: TwinEvidence
}

/// Says for each item of the patched object which item of the original is its twin.
///
/// For functions any one-to-one assignment is safe, because callers are compared under the same assignment: a bad one makes the payload
/// larger, but never wrong. For variables it is not safe: a payload that mistakes one variable for another works on the wrong state. So
/// variables are correlated by name if the language's rules make the name unique, and by debug info if they do not (static locals).
/// Weaker evidence is marked as a guess (`TwinEvidence.isGuess`).
struct Correlation: Sendable, Equatable {
    private(set) var twins: [PatchedItem.ID: Twin] = [:]
    private var successors: [OriginalItem.ID: PatchedItem.ID] = [:]

    subscript(_ id: PatchedItem.ID) -> Twin? { twins[id] }
    func original(of id: PatchedItem.ID) -> OriginalItem.ID? { twins[id]?.original }
    func patched(of id: OriginalItem.ID) -> PatchedItem.ID? { successors[id] }

    fileprivate mutating func pair(_ original: OriginalItem.ID, _ patched: PatchedItem.ID, by evidence: TwinEvidence) {
        twins[patched] = Twin(original: original, evidence: evidence)
        successors[original] = patched
    }

    fileprivate func isFree(_ id: OriginalItem.ID) -> Bool { successors[id] == nil }
    fileprivate func isFree(_ id: PatchedItem.ID) -> Bool { twins[id] == nil }
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

func correlate(_ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>) -> Correlation {
    var result = Correlation()
    pairByName(a.graph, b.graph, &result)
    pairStaticLocals(a, b, &result)
    pairVariants(a.graph, b.graph, &result)
    return result
}

/// Correlates items by names that the source itself gives, and that it can give only once in a file. An item may have several names. The
/// first pass uses the name that the symbol table lists first. The second uses all names, because the order in the table may differ.
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
    for item in graph.items where item.isNamed {
        for name in aliases ? item.names : [item.name] where item.isGlobal || !CompilerName(name).isDerived { names[name, default: []].append(item) }
    }
    return names
}

// MARK: Static locals

/// Identifies a static local by the functions around its declaration and its name.
struct LocalKey: Hashable {
    var functions: [DebugInfo.ScopeElement]
    var name: String

    init(_ variable: DebugInfo.Variable) {
        functions = variable.scope.filter { if case .function = $0 { true } else { false } }
        name = variable.name
    }
}

/// Correlates static locals. The compiler gives them numbers that change from one compilation to the next: `count.0`, `count.3`. Debug
/// info says the function and the line. Blocks are weaker evidence: adding one block moves the position of all blocks after it.
private func pairStaticLocals(_ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, _ result: inout Correlation) {
    let (originals, patched) = (numberedData(a.graph), numberedData(b.graph))
    let left = known(originals, a), right = known(patched, b)
    for (key, items) in right {
        guard let twins = left[key] else { continue }
        pairByLine(twins, items, a, b, &result)
        pairByBlock(twins.filter { result.isFree($0) }, items.filter { result.isFree($0) }, a, b, &result)
    }
    pairSilent(originals.filter { a.variable($0.id) == nil }, patched.filter { b.variable($0.id) == nil }, &result)
}

/// The items that debug info describes, grouped by key, each group in the order of debug info.
private func known<Side>(_ items: [Item<Side>], _ graph: ExplainedGraph<Side>) -> [LocalKey: [Item<Side>.ID]] {
    let declared = items.compactMap { item in graph.variable(item.id).map { (item.id, $0, graph.order(item.id)) } }
    return Dictionary(grouping: declared.sorted { $0.2 < $1.2 }, by: { LocalKey($0.1) }).mapValues { $0.map(\.0) }
}

/// Lines that a patch leaves alone keep their numbers in the patched source. A line that it adds may have the number of the line behind
/// it. If several variables are declared in one line, the last is therefore the old one.
private func pairByLine(
    _ x: [OriginalItem.ID], _ y: [PatchedItem.ID], _ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, _ result: inout Correlation
) {
    let before = Dictionary(grouping: x, by: { a.variable($0)?.declaration })
    let after = Dictionary(grouping: y, by: { b.variable($0)?.declaration })
    for (place, items) in after {
        guard let place, place.line != nil, let twins = before[place], let last = items.last, twins.count == 1 else { continue }
        result.pair(twins[0], last, by: .declaration(place))
    }
}

/// Correlates variables whose lines changed, but only if both sides have equally many: by their block, or because only one is left.
private func pairByBlock(
    _ x: [OriginalItem.ID], _ y: [PatchedItem.ID], _ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, _ result: inout Correlation
) {
    guard x.count == y.count else { return }
    if x.count == 1 {
        result.pair(x[0], y[0], by: .onlyOneLeft)
        return
    }
    let before = Dictionary(grouping: x, by: { a.variable($0)?.scope })
    for (scope, items) in Dictionary(grouping: y, by: { b.variable($0)?.scope }) {
        guard let twins = before[scope], twins.count == items.count else { continue }
        // Clang leaves blocks out. Variables that belong to several blocks then seem to be in one, as far from each other as before.
        guard items.count == 1 || haveSameDistances(twins, a, items, b) else { continue }
        for (twin, item) in zip(twins, items) { result.pair(twin, item, by: .block) }
    }
}

private func haveSameDistances(
    _ x: [OriginalItem.ID], _ a: ExplainedGraph<OriginalSide>, _ y: [PatchedItem.ID], _ b: ExplainedGraph<PatchedSide>
) -> Bool {
    guard let before = distances(x, a), let after = distances(y, b) else { return false }
    return before == after
}

/// How many lines each variable's declaration is behind that of the first; nil unless all are known, and each is behind the one before.
private func distances<Side>(_ items: [Item<Side>.ID], _ graph: ExplainedGraph<Side>) -> [Int]? {
    let lines = items.map { graph.variable($0)?.declaration?.line }
    var found: [Int] = []
    for line in lines {
        guard let line, let first = lines[0], line - first > found.last ?? -1 else { return nil }
        found.append(line - first)
    }
    return found
}

/// If debug info says nothing about either side, only names are left. They count if the name is unique, or if all names and sizes are
/// unchanged.
private func pairSilent(_ x: [OriginalItem], _ y: [PatchedItem], _ result: inout Correlation) {
    let before = Dictionary(grouping: x, by: { CompilerName($0.name).base })
    for (base, items) in Dictionary(grouping: y, by: { CompilerName($0.name).base }) {
        guard let twins = before[base], twins.count == items.count else { continue }
        let pairs = Array(zip(twins.sorted { $0.name < $1.name }, items.sorted { $0.name < $1.name }))
        guard items.count == 1 || pairs.allSatisfy({ $0.name == $1.name && $0.size == $1.size }) else { continue }
        for (twin, item) in pairs { result.pair(twin.id, item.id, by: .nameWithoutNumber) }
    }
}

private func numberedData<Side>(_ graph: ObjectGraph<Side>) -> [Item<Side>] {
    graph.items.filter { $0.kind == .data && $0.isNamed && !$0.isGlobal && CompilerName($0.name).isDerived }
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

import DebugInfo
import Diagnostics
import SourcePatch

/// A static local, under its name in the source.
struct StaticLocal<Side: ComparisonSide> {
    let id: Item<Side>.ID
    let variable: DebugInfo.Variable
    let order: Int
    /// False if debug info does not say in which block it is declared.
    let hasBlock: Bool

    /// The functions around the declaration, and the name.
    var key: LocalKey { LocalKey(variable) }
    var isInOutermostBlock: Bool { hasBlock && key.functions.count == variable.scope.count }
}

/// Identifies a static local by the functions around its declaration and its name.
struct LocalKey: Hashable {
    var functions: [DebugInfo.ScopeElement]
    var name: String

    init(_ variable: DebugInfo.Variable) { self.init(name: variable.name, scope: variable.scope) }

    init(name: String, scope: [DebugInfo.ScopeElement]) {
        functions = scope.filter { if case .function = $0 { true } else { false } }
        self.name = name
    }
}

/// Correlates static locals. The compiler gives them numbers that change from one compilation to the next (`count.0`, `count.3`), so
/// only debug info and the patch itself say which is which.
///
/// - Throws: `InputError` when debug information can't be read.
func pairStaticLocals(
    _ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, lines: DeclarationLines?, _ result: inout Correlation
) throws(InputError) {
    let originals = numberedData(a, result.isFree), patched = numberedData(b, result.isFree)
    if let lines {
        try SurvivingDeclarations(known(originals, a), known(patched, b), a, b, lines).pair(&result)
        // Debug info has no lines at all for some.
        let (x, y) = (known(originals, a).filter { $0.variable.declaration?.line == nil }, known(patched, b).filter { $0.variable.declaration?.line == nil })
        pairWithoutPatch(x.filter { result.isFree($0.id) }, y.filter { result.isFree($0.id) }, &result)
    } else {
        pairWithoutPatch(known(originals, a), known(patched, b), &result)
    }
    pairSilent(originals.filter { a.variable($0.id) == nil }, patched.filter { b.variable($0.id) == nil }, &result)
}

/// Variables that have no name of their own in the file: those whose name the compiler made unique by a number.
private func numberedData<Side>(_ graph: ExplainedGraph<Side>, _ isFree: (Item<Side>.ID) -> Bool) -> [Item<Side>] {
    graph.graph.items.filter { $0.kind == .data && $0.isNamed && !$0.isGlobal && CompilerName($0.name).isDerived && isFree($0.id) }
}

/// The items that debug info describes, in the order of debug info.
private func known<Side>(_ items: [Item<Side>], _ graph: ExplainedGraph<Side>) -> [StaticLocal<Side>] {
    items.compactMap { item in graph.variable(item.id).map { StaticLocal(id: item.id, variable: $0, order: graph.order(item.id), hasBlock: graph.knowsBlocks) }
    }
    .sorted { $0.order < $1.order }
}

// MARK: Without a patch

/// Correlates static locals of two objects of which nobody knows how their sources differ. Only what the language makes unique is certain:
/// the only declaration of a name in a function, in its outermost block.
private func pairWithoutPatch(_ originals: [StaticLocal<OriginalSide>], _ patched: [StaticLocal<PatchedSide>], _ result: inout Correlation) {
    let left = Dictionary(grouping: originals, by: \.key)
    for (key, items) in Dictionary(grouping: patched, by: \.key) {
        guard let twins = left[key] else { continue }
        let isOnly = twins.count == 1 && items.count == 1
        // Lines that a patch leaves alone keep their numbers in the patched source, and a line that it adds may have the number of the
        // line behind it. If several variables are declared in one line, the last is therefore the old one.
        let before = Dictionary(grouping: twins, by: \.variable.declaration)
        for (place, y) in Dictionary(grouping: items, by: \.variable.declaration) {
            guard let place, place.line != nil, let x = before[place], x.count == 1, let last = y.last else { continue }
            result.pair(x[0].id, last.id, by: isOnly ? .declaration(place) : .lineNumber(place))
        }
        let (x, y) = (twins.filter { result.isFree($0.id) }, items.filter { result.isFree($0.id) })
        guard x.count == y.count else { continue }
        if isOnly, !x.isEmpty {
            result.pair(x[0].id, y[0].id, by: x[0].isInOutermostBlock && y[0].isInOutermostBlock ? .onlyOneOfFunction : .onlyOneOfItsName)
            continue
        }
        let blocks = Dictionary(grouping: x, by: \.variable.scope)
        for (scope, items) in Dictionary(grouping: y, by: \.variable.scope) {
            guard let twins = blocks[scope], twins.count == items.count else { continue }
            // Clang leaves blocks out. Variables that belong to several blocks then seem to be in one, as far from each other as before.
            guard items.count == 1 || haveSameDistances(twins, items) else { continue }
            for (twin, item) in zip(twins, items) { result.pair(twin.id, item.id, by: .block) }
        }
    }
}

private func haveSameDistances(_ x: [StaticLocal<OriginalSide>], _ y: [StaticLocal<PatchedSide>]) -> Bool {
    guard let before = distances(x), let after = distances(y) else { return false }
    return before == after
}

/// How many lines each variable's declaration is behind that of the first; nil unless all are known, and each is behind the one before.
private func distances<Side>(_ locals: [StaticLocal<Side>]) -> [Int]? {
    let lines = locals.map(\.variable.declaration?.line)
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

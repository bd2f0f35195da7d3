import DebugInfo
import Diagnostics

/// Which item of the patched object is which item of the original: its twin.
///
/// For functions any one-to-one assignment is sound, because callers are compared under the same assignment: a bad one costs
/// a larger payload, never a wrong one. For variables it is not: a payload that takes one variable for another works on the wrong
/// state. So variables are correlated by their names where names are unique by the language's rules, by the debug info where they
/// are not (static locals), and not at all on weaker evidence.
package struct Correlation: Sendable, Equatable {
    /// For each item of the patched object, its twin in the original.
    package internal(set) var original: [Int: Int] = [:]
    /// For each item of the original object, its twin in the patched one.
    package internal(set) var patched: [Int: Int] = [:]
    /// Twins found by their names alone where debug info should have told.
    package internal(set) var guessed: Set<Int> = []

    mutating func pair(original a: Int, patched b: Int) {
        original[b] = a
        patched[a] = b
    }
}

/// An object's graph with what debug info says about it.
struct ExplainedGraph {
    let graph: ObjectGraph
    let debug: DebugInfo
    /// Declared variables by section and offset.
    private let variables: [Place: DebugInfo.Variable]
    private let functions: [Place: DebugInfo.Function]
    private let orders: [Place: Int]

    struct Place: Hashable {
        var section: Int
        var offset: Int
    }

    init(graph: ObjectGraph, debug: DebugInfo) {
        self.graph = graph
        self.debug = debug
        self.variables = Dictionary(
            debug.variables.map { (Place(section: $0.section, offset: Int(clamping: $0.offset)), $0) },
            uniquingKeysWith: { first, _ in first })
        self.orders = Dictionary(
            debug.variables.enumerated().map { (Place(section: $1.section, offset: Int(clamping: $1.offset)), $0) },
            uniquingKeysWith: { first, _ in first })
        self.functions = Dictionary(
            debug.functions.compactMap { function in
                function.entry.map { (Place(section: $0.section, offset: Int(clamping: $0.offset)), function) }
            }, uniquingKeysWith: { first, _ in first })
    }

    func variable(_ item: Int) -> DebugInfo.Variable? {
        let item = graph.items[item]
        return variables[Place(section: item.section, offset: item.offset)]
    }

    /// The position of a variable's declaration among all of them.
    func order(_ item: Int) -> Int {
        let item = graph.items[item]
        return orders[Place(section: item.section, offset: item.offset)] ?? Int.max
    }

    /// How many items each section has.
    var itemsPerSection: [Int: Int] { graph.items.reduce(into: [:]) { $0[$1.section, default: 0] += 1 } }

    /// What there is to tell of the source when files are held against each other.
    var sourceNames: ChangeSet.SourceNames {
        var names = ChangeSet.SourceNames(functions: Set(debug.functions.map(\.name)))
        for index in graph.items.indices where graph.items[index].kind == .data {
            guard let variable = variable(index), let function = variable.enclosingFunction else { continue }
            names.staticLocals[index] = ChangeSet.StaticLocal(
                name: variable.name, function: function, file: variable.declaration?.file)
        }
        return names
    }

    func location(_ index: Int) -> SourceLocation? {
        let item = graph.items[index]
        if let parent = item.parent { return location(parent) }
        let place = Place(section: item.section, offset: item.offset)
        return item.kind == .function ? functions[place]?.declaration : variables[place]?.declaration
    }
}

/// A symbol name taken apart: what the source says, and what the compiler hung on.
package struct CompilerName: Hashable, Sendable {
    /// `foo` of `foo.isra.0`, `count` of `count.3`.
    package var base: Substring
    /// `isra` of `foo.isra.0`, `constprop.cold` of `foo.constprop.0.cold`; empty for a plain number.
    package var clone: String
    /// Whether anything was hung on.
    package var isDerived: Bool

    package init(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        base = parts.first ?? ""
        let suffixes = parts.dropFirst()
        isDerived = !suffixes.isEmpty
        clone = suffixes.filter { !$0.allSatisfy(\.isNumber) }.joined(separator: ".")
    }
}

func correlate(_ a: ExplainedGraph, _ b: ExplainedGraph) -> Correlation {
    var result = Correlation()
    pairByName(a.graph, b.graph, &result)
    pairStaticLocals(a, b, &result)
    pairClones(a.graph, b.graph, &result)
    return result
}

/// Names that the source itself gives, and that it can give only once in a file. Something may have several: first by those that
/// the symbol table has first, then, because it may list them in another order, by any.
private func pairByName(_ a: ObjectGraph, _ b: ObjectGraph, _ result: inout Correlation) {
    for aliases in [false, true] {
        let originals = plainNames(a, aliases: aliases)
        for (name, patched) in plainNames(b, aliases: aliases).sorted(by: { $0.key < $1.key }) {
            guard patched.count == 1, let original = originals[name], original.count == 1 else { continue }
            let (x, y) = (original[0], patched[0])
            guard result.patched[x] == nil, result.original[y] == nil, canBeTwins(a.items[x], b.items[y]) else { continue }
            result.pair(original: x, patched: y)
        }
    }
}

/// What boots is gone when the hypervisor runs: nothing that runs is its twin.
private func canBeTwins(_ x: Item, _ y: Item) -> Bool { x.kind == y.kind && (x.role == .boot) == (y.role == .boot) }

private func plainNames(_ graph: ObjectGraph, aliases: Bool) -> [String: [Int]] {
    var names: [String: [Int]] = [:]
    for (index, item) in graph.items.enumerated() where item.isNamed {
        for name in [item.name] + (aliases ? item.aliases : []) where item.isGlobal || !CompilerName(name).isDerived {
            names[name, default: []].append(index)
        }
    }
    return names
}

// MARK: Static locals

/// Where a static local is declared: the functions around it, and its name.
struct LocalKey: Hashable {
    var functions: [DebugInfo.ScopeElement]
    var name: String

    init(_ variable: DebugInfo.Variable) {
        functions = variable.scope.filter { if case .function = $0 { true } else { false } }
        name = variable.name
    }
}

/// Static locals get a number from the compiler that changes from one compilation to the next: `count.0`, `count.3`. Debug info
/// tells the function and the line. Blocks count less: one more block before them and all have other positions.
private func pairStaticLocals(_ a: ExplainedGraph, _ b: ExplainedGraph, _ result: inout Correlation) {
    let (originals, patched) = (numberedData(a.graph), numberedData(b.graph))
    let left = known(originals, a), right = known(patched, b)
    for (key, items) in right {
        guard let twins = left[key] else { continue }
        pairByLine(twins, items, a, b, &result)
        pairByBlock(twins.filter { result.patched[$0] == nil }, items.filter { result.original[$0] == nil }, a, b, &result)
    }
    pairSilent(originals.filter { a.variable($0) == nil }, patched.filter { b.variable($0) == nil }, a, b, &result)
}

/// What debug info knows of, in its order.
private func known(_ items: [Int], _ graph: ExplainedGraph) -> [LocalKey: [Int]] {
    let declared = items.compactMap { item in graph.variable(item).map { (item, $0, graph.order(item)) } }
    return Dictionary(grouping: declared.sorted { $0.2 < $1.2 }, by: { LocalKey($0.1) }).mapValues { $0.map(\.0) }
}

/// Lines that a patch leaves alone keep their numbers in the patched source. Lines that it adds may have the numbers of those behind
/// them: of several in one line, the last is the one that was there.
private func pairByLine(_ x: [Int], _ y: [Int], _ a: ExplainedGraph, _ b: ExplainedGraph, _ result: inout Correlation) {
    let before = Dictionary(grouping: x, by: { a.variable($0)?.declaration })
    let after = Dictionary(grouping: y, by: { b.variable($0)?.declaration })
    for (place, items) in after where place?.line != nil {
        guard let twins = before[place], let last = items.last, twins.count == 1 else { continue }
        result.pair(original: twins[0], patched: last)
    }
}

/// Those whose lines changed: only where none came or went, and by the same block, or as the only one.
private func pairByBlock(_ x: [Int], _ y: [Int], _ a: ExplainedGraph, _ b: ExplainedGraph, _ result: inout Correlation) {
    guard x.count == y.count else { return }
    if x.count == 1 {
        result.pair(original: x[0], patched: y[0])
        return
    }
    let before = Dictionary(grouping: x, by: { a.variable($0)?.scope })
    for (scope, items) in Dictionary(grouping: y, by: { b.variable($0)?.scope }) {
        guard let twins = before[scope], twins.count == 1, items.count == 1 else { continue }
        result.pair(original: twins[0], patched: items[0])
    }
}

/// Where debug info is silent about both sides, names are all there is to go by: one that is unique, or all of them unchanged.
private func pairSilent(_ x: [Int], _ y: [Int], _ a: ExplainedGraph, _ b: ExplainedGraph, _ result: inout Correlation) {
    let before = Dictionary(grouping: x, by: { CompilerName(a.graph.items[$0].name).base })
    for (base, items) in Dictionary(grouping: y, by: { CompilerName(b.graph.items[$0].name).base }) {
        guard let twins = before[base], twins.count == items.count else { continue }
        let left = twins.sorted { a.graph.items[$0].name < a.graph.items[$1].name }
        let right = items.sorted { b.graph.items[$0].name < b.graph.items[$1].name }
        let areAlike = zip(left, right).allSatisfy {
            a.graph.items[$0].name == b.graph.items[$1].name && a.graph.items[$0].size == b.graph.items[$1].size
        }
        guard items.count == 1 || areAlike else { continue }
        for (twin, item) in zip(left, right) {
            result.pair(original: twin, patched: item)
            result.guessed.insert(item)
        }
    }
}

private func numberedData(_ graph: ObjectGraph) -> [Int] {
    graph.items.indices.filter {
        let item = graph.items[$0]
        return item.kind == .data && item.isNamed && !item.isGlobal && CompilerName(item.name).isDerived
    }
}

// MARK: Clones

/// `foo.isra.0`, `foo.constprop.1`, `foo.part.0`, `foo.cold`: by function and kind of clone. First those with the same bytes
/// and no like, because the compiler numbers clones anew when there is one more; then the others in order, where both sides have
/// equally many left, or by their whole names. What is left over is new or gone, and its callers are changed.
private func pairClones(_ a: ObjectGraph, _ b: ObjectGraph, _ result: inout Correlation) {
    let originals = clones(a)
    for (name, patched) in clones(b) {
        guard let twins = originals[name] else { continue }
        if twins.count > 1 || patched.count > 1 {
            let left = Dictionary(grouping: twins, by: { a.bytes(of: a.items[$0]) })
            let right = Dictionary(grouping: patched, by: { b.bytes(of: b.items[$0]) })
            for (bytes, items) in right where items.count == 1 {
                if let twin = left[bytes], twin.count == 1 { result.pair(original: twin[0], patched: items[0]) }
            }
        }
        let (restA, restB) = (twins.filter { result.patched[$0] == nil }, patched.filter { result.original[$0] == nil })
        if restA.count == restB.count {
            for (x, y) in zip(restA, restB) { result.pair(original: x, patched: y) }
            continue
        }
        for y in restB {
            if let x = restA.first(where: { a.items[$0].name == b.items[y].name }) { result.pair(original: x, patched: y) }
        }
    }
}

private func clones(_ graph: ObjectGraph) -> [CompilerName: [Int]] {
    let derived = graph.items.indices.filter {
        let item = graph.items[$0]
        return item.kind == .function && item.isNamed && !item.isGlobal && CompilerName(item.name).isDerived
    }
    return Dictionary(grouping: derived, by: { CompilerName(graph.items[$0].name) })
        .mapValues { $0.sorted { graph.items[$0].name < graph.items[$1].name } }
}

import ELFModel
import TargetArchitecture

/// Tells whether items of two objects are the same: equal bytes, and relocations that mean the same.
///
/// A relocation means the same when it has the same type and addend and its target is the twin of the other's, or, where only
/// the content counts, has the same content, whatever section, offset or symbol it goes by.
struct Comparison {
    let original: ObjectGraph
    let patched: ObjectGraph
    let twins: Correlation
    let architecture: any TargetArchitecture
    private var verdicts: [Pair: Bool] = [:]
    /// The pairs whose verdicts were reached while a comparison is under way: they may rest on its assumption.
    private var reached: [Pair] = []

    private struct Pair: Hashable {
        var original: Int
        var patched: Int
    }

    init(original: ObjectGraph, patched: ObjectGraph, twins: Correlation, architecture: any TargetArchitecture) {
        self.original = original
        self.patched = patched
        self.twins = twins
        self.architecture = architecture
    }

    /// Whether the items have the same content. Items may refer to each other in circles: what is being compared counts as equal.
    mutating func haveSameContent(_ a: Int, _ b: Int) -> Bool {
        let pair = Pair(original: a, patched: b)
        if let known = verdicts[pair] { return known }
        verdicts[pair] = true
        let mark = reached.count
        let verdict = compareContent(original.items[a], patched.items[b])
        if !verdict {
            for dependent in reached[mark...] where verdicts[dependent] == true { verdicts[dependent] = nil }
            reached.removeSubrange(mark...)
        }
        verdicts[pair] = verdict
        reached.append(pair)
        return verdict
    }

    private mutating func compareContent(_ a: Item, _ b: Item) -> Bool {
        guard a.size == b.size, a.role == b.role || a.kind == .string || a.kind == .constant else { return false }
        guard haveSameBytes(a, b) || differInDistancesOnly(a, b), haveSameReferences(a.references, b.references) else { return false }
        guard a.entries.count == b.entries.count else { return false }
        for (x, y) in zip(a.entries, b.entries) {
            guard x.table == y.table, x.bytes == y.bytes, haveSameReferences(x.references, y.references) else { return false }
        }
        return true
    }

    private func haveSameBytes(_ a: Item, _ b: Item) -> Bool {
        switch (a.isZeroFilled, b.isZeroFilled) {
        case (true, true): return true
        case (true, false): return patched.bytes(of: b).allSatisfy { $0 == 0 }
        case (false, true): return original.bytes(of: a).allSatisfy { $0 == 0 }
        case (false, false): return original.bytes(of: a) == patched.bytes(of: b)
        }
    }

    /// Boot code lies in one section, in which the assembler resolves calls: when one function there grows, those behind it lead
    /// to their neighbours by other distances.
    private func differInDistancesOnly(_ a: Item, _ b: Item) -> Bool {
        guard a.kind == .function, a.role == .boot, b.role == .boot, a.size == b.size else { return false }
        func resolved(_ item: Item, _ graph: ObjectGraph) -> [ResolvedReference]? {
            let slots = item.references.map { $0.offset..<$0.offset + (architecture.relocationKind($0.type)?.width ?? 0) }
            return architecture.resolvedReferences(graph.bytes(of: item), relocated: slots)
        }
        guard let left = resolved(a, original), let right = resolved(b, patched), left.map(\.field) == right.map(\.field),
            left.map(\.rest) == right.map(\.rest)
        else { return false }
        var (x, y) = (Array(original.bytes(of: a)), Array(patched.bytes(of: b)))
        for (p, q) in zip(left, right) {
            guard let from = original.place(a.offset + p.target, in: a.section), let to = patched.place(b.offset + q.target, in: b.section),
                twins.original[to.item] == from.item, from.distance == to.distance
            else { return false }
            for index in p.field {
                x[index] = 0
                y[index] = 0
            }
        }
        return x == y
    }

    private mutating func haveSameReferences(_ a: [Reference], _ b: [Reference]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { mean($0, $1) }
    }

    private mutating func mean(_ a: Reference, _ b: Reference) -> Bool {
        guard a.offset == b.offset, a.addend == b.addend, architecture.areEquivalent(a.type, b.type) else { return false }
        switch (a.target, b.target) {
        case (.external(let x), .external(let y)): return x == y
        case (.absolute(let x), .absolute(let y)): return x == y
        case (.item(let x), .item(let y)):
            if twins.original[y] == x, !patched.items[y].isJustContent { return true }
            let (p, q) = (original.items[x], patched.items[y])
            guard p.isJustContent, q.isJustContent, p.kind == q.kind else { return false }
            return haveSameContent(x, y)
        default: return false
        }
    }
}

import ELFModel
import TargetArchitecture

/// Decides whether items of two objects are the same: they have equal bytes, and relocations that mean the same.
///
/// Two relocations mean the same if they have the same type and addend and their targets are twins. For targets that count by their
/// content alone, equal content is enough; but constants to which the source gives different names are different, as C gives each an address
/// of its own. The section, offset or symbol that a relocation uses does not matter.
struct Comparison {
    let original: ObjectGraph<OriginalSide>
    let patched: ObjectGraph<PatchedSide>
    let twins: Correlation
    let architecture: any TargetArchitecture
    private let itemsPerSection: (original: [Int: Int], patched: [Int: Int])
    private var verdicts: [Pair: Bool] = [:]
    /// The pairs that got a verdict during the current comparison: those verdicts may rely on its assumption.
    private var reached: [Pair] = []

    private struct Pair: Hashable {
        var original: OriginalItem.ID
        var patched: PatchedItem.ID
    }

    init(
        original: ObjectGraph<OriginalSide>, patched: ObjectGraph<PatchedSide>, twins: Correlation, architecture: any TargetArchitecture
    ) {
        self.original = original
        self.patched = patched
        self.twins = twins
        self.architecture = architecture
        itemsPerSection = (original.itemsPerSection, patched.itemsPerSection)
    }

    /// Whether the items have the same content. Items may refer to each other in a cycle, so a pair under comparison counts as equal.
    mutating func haveSameContent(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
        let pair = Pair(original: a.id, patched: b.id)
        if let known = verdicts[pair] { return known }
        verdicts[pair] = true
        let mark = reached.count
        let verdict = compareContent(a, b)
        if !verdict {
            for dependent in reached[mark...] where verdicts[dependent] == true { verdicts[dependent] = nil }
            reached.removeSubrange(mark...)
        }
        verdicts[pair] = verdict
        reached.append(pair)
        return verdict
    }

    private mutating func compareContent(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
        guard a.size == b.size, a.role == b.role || a.kind == .string || a.kind == .constant, newAlignment(a, b) == nil else { return false }
        guard haveSameBytes(a, b) || differInDistancesOnly(a, b), haveSameReferences(a.references, b.references) else { return false }
        return haveSameEntries(a, b) == nil
    }

    /// A constant that needs a larger alignment can't stay where it is: that page or that part of a pointer may be what counts.
    ///
    /// - Returns: the alignments in bytes; nil if that of the original is enough, or for anything else.
    private func newAlignment(_ a: OriginalItem, _ b: PatchedItem) -> (before: UInt64, after: UInt64)? {
        guard a.isNamed, b.isNamed, a.kind == .data, b.kind == .data, b.role == .readOnly else { return nil }
        let before = Placement(a, in: original, isAlone: itemsPerSection.original[a.section] == 1)
        let after = Placement(b, in: patched, isAlone: itemsPerSection.patched[b.section] == 1)
        guard after.needsMoreAlignment(than: before), let x = before.alignment, let y = after.alignment else { return nil }
        return (x, y)
    }

    /// Whether the source gives two constants names that have nothing in common.
    private func haveDifferentNames(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
        a.isNamed && b.isNamed && Set(a.names.map { CompilerName($0).base }).isDisjoint(with: b.names.map { CompilerName($0).base })
    }

    /// - Returns: the section of the first table in which the entries differ; nil if they are all the same.
    private mutating func haveSameEntries(_ a: OriginalItem, _ b: PatchedItem) -> String? {
        for (x, y) in zip(a.entries, b.entries) {
            guard x.table == y.table, x.bytes == y.bytes, haveSameReferences(x.references, y.references) else { return y.table.section }
        }
        if a.entries.count == b.entries.count { return nil }
        let longer = a.entries.count > b.entries.count ? a.entries.last?.table.section : b.entries.last?.table.section
        return longer ?? ""
    }

    private func haveSameBytes(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
        switch (a.isZeroFilled, b.isZeroFilled) {
        case (true, true): true
        case (true, false): patched.bytes(of: b).allSatisfy { $0 == 0 }
        case (false, true): original.bytes(of: a).allSatisfy { $0 == 0 }
        case (false, false): original.bytes(of: a) == patched.bytes(of: b)
        }
    }

    /// Boot code lies in one section, in which the assembler itself resolves calls. When one function there grows, the functions behind
    /// it reach their neighbours by other distances.
    private func differInDistancesOnly(_ a: OriginalItem, _ b: PatchedItem) -> Bool {
        guard a.kind == .function, a.role == .boot, b.role == .boot, a.size == b.size else { return false }
        guard let left = resolved(a, in: original), let right = resolved(b, in: patched), left.map(\.field) == right.map(\.field),
            left.map(\.rest) == right.map(\.rest)
        else { return false }
        var (x, y) = (Array(original.bytes(of: a)), Array(patched.bytes(of: b)))
        for (p, q) in zip(left, right) {
            guard let from = original.place(a.offset + p.target, in: a.section), let to = patched.place(b.offset + q.target, in: b.section),
                twins.original(of: to.item.id) == from.item.id, from.distance == to.distance
            else { return false }
            for index in p.field {
                x[index] = 0
                y[index] = 0
            }
        }
        return x == y
    }

    private func resolved<Side>(_ item: Item<Side>, in graph: ObjectGraph<Side>) -> [ResolvedReference]? {
        architecture.resolvedReferences(graph.bytes(of: item), relocated: item.references.map { slot($0.offset, $0.type) })
    }

    private func slot(_ offset: Int, _ type: UInt32) -> Range<Int> { offset..<offset + (architecture.relocationKind(type)?.width ?? 0) }

    private mutating func haveSameReferences(_ a: [OriginalItem.Reference], _ b: [PatchedItem.Reference]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { mean($0, $1) }
    }

    private mutating func mean(_ a: OriginalItem.Reference, _ b: PatchedItem.Reference) -> Bool {
        guard a.offset == b.offset, a.addend == b.addend, architecture.areEquivalent(a.type, b.type) else { return false }
        switch (a.target, b.target) {
        case (.external(let x), .external(let y)): return x == y
        case (.absolute(let x), .absolute(let y)): return x == y
        case (.item(let x), .item(let y)):
            let (p, q) = (original[x], patched[y])
            if twins.original(of: y) == x, !q.isJustContent { return true }
            guard p.isJustContent, q.isJustContent, haveSameKind(p, q), !haveDifferentNames(p, q) else { return false }
            return haveSameContent(p, q)
        default: return false
        }
    }

    // MARK: What differs first

    /// What differs first between an item and its twin. Their content must differ.
    mutating func firstDifference(_ a: OriginalItem, _ b: PatchedItem) -> Difference {
        let (x, y) = (bytes(of: a, in: original), bytes(of: b, in: patched))
        let byte = zip(x, y).enumerated().first { $1.0 != $1.1 }?.offset ?? (x.count == y.count ? nil : min(x.count, y.count))
        let reference = firstDifferentReference(a.references, b.references, before: byte ?? .max)
        if let reference { return reference }
        if let byte { return Difference(at: byte, .bytes) }
        if let section = haveSameEntries(a, b) { return Difference(.tableEntries(section: section)) }
        if let (before, after) = newAlignment(a, b) { return Difference(.placement(before: "an alignment of \(before)", after: "\(after) bytes")) }
        return Difference(.role)
    }

    private func bytes<Side>(of item: Item<Side>, in graph: ObjectGraph<Side>) -> [UInt8] {
        item.isZeroFilled ? Array(repeating: 0, count: min(item.size, 1 << 20)) : Array(graph.bytes(of: item))
    }

    /// - Parameter limit: the offset of a difference that is already known. References from there on are ignored.
    private mutating func firstDifferentReference(
        _ a: [OriginalItem.Reference], _ b: [PatchedItem.Reference], before limit: Int
    ) -> Difference? {
        for index in 0..<max(a.count, b.count) {
            let (x, y) = (index < a.count ? a[index] : nil, index < b.count ? b[index] : nil)
            guard let offset = [x?.offset, y?.offset].compactMap(\.self).min(), offset < limit else { return nil }
            if let x, let y, mean(x, y) { continue }
            return Difference(
                at: offset,
                .reference(
                    before: x.flatMap { $0.offset == offset ? description(of: $0, in: original) : nil } ?? "no reference",
                    after: y.flatMap { $0.offset == offset ? description(of: $0, in: patched) : nil } ?? "no reference"))
        }
        return nil
    }
}

/// A name with a distance behind it, in bytes: `foo`, `foo+8`, `foo-4`.
package func withDistance(_ name: String, _ distance: Int64) -> String {
    distance == 0 ? name : "\(name)\(distance > 0 ? "+" : "-")\(distance.magnitude)"
}

/// Describes where a reference leads: `foo`, `foo+8`, `"text"`.
package func description<Side>(of reference: Item<Side>.Reference, in graph: ObjectGraph<Side>) -> String {
    func with(_ name: String) -> String { withDistance(name, reference.distance) }
    switch reference.target {
    case .external(let name): return with(name)
    case .absolute(let value): return with("the number \(value)")
    case .unclear(let section): return with("section \(section)")
    case .item(let id):
        let item = graph[id]
        if item.isNamed { return with(item.name) }
        if item.kind == .string { return with(ContentText.string(graph.bytes(of: item))) }
        return with("unnamed data of \(graph.sectionName(of: item))")
    }
}

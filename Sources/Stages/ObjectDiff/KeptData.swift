import Diagnostics
import ELFModel
import XenVersions

/// Reports changes of data to which nothing in its object refers. The source keeps such data on purpose (`__used`), for whoever finds it
/// by other means: an array that the linker collects from its section, or a tool that knows its place. No changed function would bring it
/// into the payload, so its change would be left out without a word.
func keptData(_ facts: ComparedFacts, _ comparison: inout Comparison) -> [Diagnostic] {
    let before = Kept(facts.a), after = Kept(facts.b)
    var diagnostics: [Diagnostic] = []
    for record in facts.records where record.status != .same && after.isKept(record.item) {
        let item = record.item, section = facts.b.sectionName(of: item)
        if let twin = facts.twin(item.id) {
            // A global constant and a variable are refused in any case.
            guard !item.isGlobal, item.role == .readOnly, before.isKept(twin) else { continue }
            diagnostics.append(
                Diagnostic(
                    .constantTableChanged, CompilerName(item.name).isDerived ? .warning : .error, symbol: item.name, section: section,
                    location: facts.location(item.id),
                    message: "constant '\(item.name)' changed, and nothing in \(facts.pair.object) refers to it: whoever finds it by other means still reads "
                        + "the old one",
                    help: "change the functions that read it instead"))
        } else if let found = unused(item, "new", section, isOwn: after.hasOwnSection(item), facts.location(item.id)) {
            diagnostics.append(found)
        }
    }
    for item in facts.a.items where facts.twins.patched(of: item.id) == nil && before.isKept(item) {
        let location = facts.original.location(item.id) ?? SourceLocation(file: facts.pair.source), isOwn = before.hasOwnSection(item)
        // A variable that is gone has been reported.
        guard isOwn || item.role == .readOnly else { continue }
        if let found = unused(item, "gone", facts.a.sectionName(of: item), isOwn: isOwn, location) { diagnostics.append(found) }
    }
    return diagnostics + anonymousData(facts, before, after, &comparison)
}

/// - Parameter isOwn: whether the source names the section, so that the linker may collect an array from it.
private func unused<Side>(_ item: Item<Side>, _ what: String, _ section: String, isOwn: Bool, _ location: SourceLocation) -> Diagnostic? {
    // The compiler drops the uses of some static locals (`__func__`) after it has decided to keep them.
    if !isOwn, item.isGlobal || CompilerName(item.name).isDerived { return nil }
    let isError = isOwn && !item.isGlobal
    return Diagnostic(
        .collectedArrayChanged, isError ? .error : .warning, symbol: item.name, section: section, location: location,
        message: "'\(item.name)' is \(what), and nothing in its object refers to it: "
            + (isOwn
                ? "if the linker makes an array of section \(section), the running hypervisor's array stays as it is"
                : "the running hypervisor stays as it is there"),
        help: isError ? "register it from a load hook, or leave it out of the live patch" : nil)
}

/// A note for each section with bytes that nobody names and nobody refers to, when these bytes changed.
private func anonymousData(_ facts: ComparedFacts, _ before: Kept<OriginalSide>, _ after: Kept<PatchedSide>, _ comparison: inout Comparison) -> [Diagnostic] {
    // Of an object that is new or gone, everything differs.
    guard facts.pair.original.exists, facts.pair.patched.exists else { return [] }
    let old = before.anonymous, new = after.anonymous
    var sizes: [String: (Int, Int)] = [:]
    for section in Set(old.keys).union(new.keys) {
        let (x, y) = (old[section] ?? [], new[section] ?? [])
        if x.count == y.count, zip(x, y).allSatisfy({ comparison.haveSameContent($0, $1) }) { continue }
        sizes[section] = (x.reduce(0) { $0 + $1.size }, y.reduce(0) { $0 + $1.size })
    }
    let (oldNotes, newNotes) = (notes(facts.a.file), notes(facts.b.file))
    for section in Set(oldNotes.keys).union(newNotes.keys) where oldNotes[section] != newNotes[section] {
        sizes[section] = (oldNotes[section]?.count ?? 0, newNotes[section]?.count ?? 0)
    }
    return sizes.sorted { $0.key < $1.key }.map { section, size in
        Diagnostic(
            .sectionNotUnderstood, .note, section: section, location: SourceLocation(file: facts.pair.source),
            message: "bytes without a name changed in section \(section) of \(facts.pair.object) (\(size.0) bytes before, \(size.1) after), and nothing in "
                + "the object refers to them: they are left out")
    }
}

/// The bytes of the notes that the hypervisor may have in memory, by section.
private func notes(_ file: ELFFile) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for section in file.sections where section.isAllocated && SectionName.isNote(section.name) { result[section.name, default: []] += section.data }
    return result
}

/// The data of one side to which nothing in the object refers.
private struct Kept<Side: ComparisonSide> {
    let graph: ObjectGraph<Side>
    private var used: Set<Item<Side>.ID> = []
    /// Sections in which references name only a place: nobody knows which item they mean.
    private var unclear: Set<Int> = []

    init(_ graph: ObjectGraph<Side>) {
        self.graph = graph
        for item in graph.items {
            for reference in item.allReferences {
                guard case .item(let target) = reference.target else { continue }
                if target != item.id { used.insert(target) }
                if reference.isBySection { unclear.insert(graph[target].section) }
            }
        }
    }

    func isUnused(_ item: Item<Side>) -> Bool { item.size > 0 && !used.contains(item.id) && !unclear.contains(item.section) }

    func isKept(_ item: Item<Side>) -> Bool {
        item.kind == .data && item.isNamed && (item.role == .readOnly || item.role == .writable) && isUnused(item)
    }

    /// Whether the source gave the item a section that the compiler has no use for.
    func hasOwnSection(_ item: Item<Side>) -> Bool { !SectionName.isOrdinaryData(Placement(item, in: graph, isAlone: false).section) }

    var anonymous: [String: [Item<Side>]] {
        let items = graph.items.filter { item in
            guard !item.isNamed, isUnused(item) else { return false }
            switch item.kind {
            case .data: return item.role == .readOnly
            case .string, .constant: return item.role != .readOnly && item.role != .boot && item.role != .ignored
            case .function, .replacementCode: return false
            }
        }
        return Dictionary(grouping: items, by: { graph.sectionName(of: $0) })
    }
}

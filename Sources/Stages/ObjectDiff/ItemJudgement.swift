import Diagnostics
import ELFModel

/// The status of each patched item, and the original items that are gone.
struct ItemOutcome {
    let records: [ChangeSet.Record]
    let removed: [OriginalItem.ID]
    /// About items whose place changed.
    let diagnostics: [Diagnostic]
}

/// Gives each patched item its status. It depends on the item's content and place, and on the other parts of its function.
///
/// - Throws: `InputError` when the source lines of a difference can't be read.
func judgeItems(
    _ original: ExplainedGraph<OriginalSide>, _ patched: ExplainedGraph<PatchedSide>, twins: Correlation, by rules: ComparisonRules,
    isAssembly: Bool, source: String
) throws -> ItemOutcome {
    let (a, b) = (original.graph, patched.graph)
    guard !isAssembly else {
        let records = b.items.map { ChangeSet.Record(item: $0, twin: twins[$0.id], status: .same, location: patched.location($0.id), difference: nil) }
        return ItemOutcome(records: records, removed: [], diagnostics: [])
    }
    var comparison = Comparison(original: a, patched: b, twins: twins, architecture: rules.architecture)
    let byContent = b.items.map { item -> Verdict in
        // The items that refer to an unnamed item show its changes.
        guard item.isNamed else { return .same }
        guard let twin = twins.original(of: item.id) else { return .new }
        if comparison.haveSameContent(a[twin], item) { return .same }
        let difference = comparison.firstDifference(a[twin], item)
        return .changed(difference.showing(a[twin], in: a, item, in: b, architecture: rules.architecture))
    }
    let moves = movedItems(original, patched, twins: twins, where: { byContent[$0.index].isSame }, source: source)
    let byPlace = zip(b.items, byContent).map { item, verdict in moves.changed[item.id].map { .changed($0) } ?? verdict }
    let verdicts = spreadOverEntries(b, spreadOverParts(b, byPlace))
    let lines = try patched.lines(
        of: zip(b.items, verdicts).compactMap { item, verdict in
            item.kind == .function ? verdict.difference?.offset.map { (item, $0) } : nil
        })
    let records = zip(b.items, verdicts).map { item, verdict in
        ChangeSet.Record(
            item: item, twin: twins[item.id], status: verdict.status, location: patched.location(item.id),
            difference: verdict.difference?.located(at: lines[item.id]))
    }
    let removed = a.items.filter { $0.isNamed && twins.patched(of: $0.id) == nil && !$0.isJustContent }.map(\.id)
    return ItemOutcome(records: records, removed: removed, diagnostics: moves.diagnostics)
}

private enum Verdict {
    case same
    case changed(Difference)
    case new

    var isSame: Bool { if case .same = self { true } else { false } }

    var status: ChangeSet.Status {
        switch self {
        case .same: .same
        case .changed: .changed
        case .new: .new
        }
    }

    var difference: Difference? { if case .changed(let difference) = self { difference } else { nil } }
}

/// A function and its cold part jump into each other, so they change together.
private func spreadOverParts(_ graph: ObjectGraph<PatchedSide>, _ verdicts: [Verdict]) -> [Verdict] {
    var result = verdicts
    for item in graph.items {
        if let parent = item.parent, !result[item.id.index].isSame, result[parent.index].isSame {
            result[parent.index] = .changed(Difference(.otherPart(name: item.name)))
        }
    }
    for item in graph.items {
        if let parent = item.parent, !result[parent.index].isSame, result[item.id.index].isSame {
            result[item.id.index] = .changed(Difference(.otherPart(name: graph[parent].name)))
        }
    }
    return result
}

/// Code that leads into the middle of a function means that version of it: a label of inline assembly that another function calls, or an
/// entry of the exception table. So a function that leads into a changed one changes with it.
private func spreadOverEntries(_ graph: ObjectGraph<PatchedSide>, _ verdicts: [Verdict]) -> [Verdict] {
    var entering: [PatchedItem.ID: [PatchedItem]] = [:]
    for item in graph.items where item.kind == .function && item.role == .code {
        for reference in item.allReferences where reference.distance != 0 {
            guard case .item(let id) = reference.target, id != item.id, graph[id].kind == .function else { continue }
            entering[id, default: []].append(item)
        }
    }
    guard !entering.isEmpty else { return verdicts }
    var result = verdicts
    var waiting = entering.keys.filter { if case .changed = verdicts[$0.index] { true } else { false } }
    while let id = waiting.popLast() {
        for item in entering[id] ?? [] where result[item.id.index].isSame {
            result[item.id.index] = .changed(Difference(.innerTarget(name: graph[id].name)))
            waiting.append(item.id)
        }
    }
    return spreadOverParts(graph, result)
}

/// A function whose place changed is replaced even if its bytes are the same: the author of the patch moved it for a reason. A variable
/// can't move in the running hypervisor.
private func movedItems(
    _ original: ExplainedGraph<OriginalSide>, _ patched: ExplainedGraph<PatchedSide>, twins: Correlation,
    where isSame: (PatchedItem.ID) -> Bool, source: String
) -> (changed: [PatchedItem.ID: Difference], diagnostics: [Diagnostic]) {
    let (a, b) = (original.graph, patched.graph)
    let (inA, inB) = (a.itemsPerSection, b.itemsPerSection)
    var changed: [PatchedItem.ID: Difference] = [:]
    var diagnostics: [Diagnostic] = []
    for new in b.items where isSame(new.id) && new.isNamed && new.parent == nil {
        guard let old = twins.original(of: new.id).map({ a[$0] }) else { continue }
        let before = Placement(old, in: a, isAlone: inA[old.section] == 1)
        let after = Placement(new, in: b, isAlone: inB[new.section] == 1)
        let moves = before.section != after.section
        guard moves || after.needsMoreAlignment(than: before) else { continue }
        let (from, to) =
            moves
            ? ("section \(before.section)", "\(after.section)")
            : ("an alignment of \(before.alignment ?? 1)", "\(after.alignment ?? 1) bytes")
        let difference = Difference(.placement(before: from, after: to))
        func report(_ severity: Severity, _ message: String, help: String? = nil) {
            diagnostics.append(
                Diagnostic(
                    .placementChanged, severity, symbol: new.name, location: patched.location(new.id) ?? SourceLocation(file: source),
                    message: message, help: help))
        }
        let stays = "variable '\(new.name)' goes from \(from) to \(to): in the running hypervisor it stays where it is"
        switch (new.kind, new.role) {
        case (.function, .code):
            changed[new.id] = difference
            report(.note, "function '\(new.name)' goes from \(from) to \(to) with the same code: it is replaced, and lies among the payload's code")
        // For example a load hook that becomes an unload hook, with the same function.
        case (.data, .hooks) where moves: changed[new.id] = difference
        case (.data, .writable) where moves && after.isAsGood(as: before): report(.warning, stays)
        case (.data, .writable), (.data, .perCPU): report(.error, stays, help: "leave the variable where it is, and add a new one beside it")
        default: break
        }
    }
    return (changed, diagnostics)
}

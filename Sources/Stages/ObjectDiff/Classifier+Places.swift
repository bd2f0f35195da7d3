import Diagnostics
import ELFModel

/// Differences that the bytes of items do not show: what names mean to other objects, items that are gone, and items that may be mistaken
/// for others.
extension Classifier {
    // MARK: Names that other objects use

    mutating func judgeExportedNames() {
        let (before, after) = (ExportedNames(a).meanings, ExportedNames(b).meanings)
        for (name, new) in after.sorted(by: { $0.key < $1.key }) {
            guard let old = before[name] else { continue }
            // The sections of assembly are compared together with their labels. Only names without a section remain.
            if isAssembly, case .item = old.place, case .item = new.place { continue }
            if old.isWeak != new.isWeak {
                report(
                    .globalNameMoved, symbol: name,
                    message: "'\(name)' becomes \(new.isWeak ? "weak" : "strong"): which definition the hypervisor uses was decided when it was linked",
                    help: "leave the symbol's binding (weak or strong) as it was")
            }
            switch (old.place, new.place) {
            case (.absolute(let x), .absolute(let y)):
                if x != y { reportMoved(name, "was the number \(x) and is \(y)", at: nil) }
            case (.item(let x, let oldDistance), .item(let y, let newDistance)):
                if facts.twins.original(of: y) != x {
                    // If the item has the same name on both sides, it changed its kind, or boot code became code that runs after boot.
                    // Other checks report that.
                    if a[x].name != name || b[y].name != name { reportMoved(name, "was '\(a[x].name)' and is '\(b[y].name)'", at: y) }
                } else if oldDistance != newDistance || (newDistance != 0 && facts.status(y) != .same) {
                    reportMoved(name, "is a place inside '\(b[y].name)', which changed", at: y)
                }
            case (.absolute, .item): reportMoved(name, "was a number and is an address", at: nil)
            case (.item, .absolute): reportMoved(name, "was an address and is a number", at: nil)
            }
        }
    }

    private mutating func reportMoved(_ name: String, _ what: String, at item: PatchedItem.ID?) {
        report(
            .globalNameMoved, symbol: name, location: item.flatMap { facts.records[$0.index].location },
            message: "the global name '\(name)' \(what): other objects of the running hypervisor still use the old meaning",
            help: "use a new name for the new meaning")
    }

    /// Names of values inside the data of top-level assembly, which is one item: only the place of each in it tells them apart.
    mutating func judgeInnerLabels() {
        let (before, after) = (labels(a), labels(b))
        for (name, new) in after.sorted(by: { $0.key < $1.key }) {
            guard let old = before[name], old.isInner || new.isInner,
                facts.twins.original(of: new.item.id) != old.item.id || old.distance != new.distance
            else { continue }
            report(
                .correlationAmbiguous, new.item,
                message: "the label '\(name)' moves within the data of its assembly code: the running hypervisor keeps its value in the old place",
                help: "leave the labels in their order, or make each a variable of its own, with a type and a size (.type, .size)")
        }
    }

    private struct Label<Side: ComparisonSide> {
        let item: Item<Side>
        let distance: Int
        /// Whether it is no variable of its own.
        let isInner: Bool
    }

    private func labels<Side>(_ graph: ObjectGraph<Side>) -> [String: Label<Side>] {
        let symbols = graph.file.symbols.filter {
            $0.isLocal && ($0.isObject || $0.type == ELF.SymbolType.notype) && !$0.name.isEmpty && !$0.name.hasPrefix(".L")
                && !rules.architecture.isMappingSymbol($0.name)
        }
        let places = symbols.compactMap { symbol -> (String, Label<Side>)? in
            guard let section = symbol.sectionIndex, let place = graph.place(Int(clamping: symbol.value), in: section) else { return nil }
            guard place.item.kind == .data, place.item.role == .writable || place.item.role == .perCPU, place.distance < place.item.size else { return nil }
            return (symbol.name, Label(item: place.item, distance: place.distance, isInner: place.distance != 0 || symbol.size == 0))
        }
        // A name that stands for several places says nothing.
        return Dictionary(grouping: places, by: \.0).compactMapValues { $0.count == 1 ? $0.first?.1 : nil }
    }

    // MARK: Things that are gone

    mutating func judgeRemoved() {
        guard !facts.outcome.removed.isEmpty else { return }
        let externals = Set(b.items.flatMap(\.allReferences).compactMap { if case .external(let name) = $0.target { name } else { nil } })
        for item in facts.outcome.removed.map({ a[$0] }) {
            let section = a.sectionName(of: item)
            let location = facts.original.location(item.id)
            switch item.role {
            case .collected:
                report(
                    .collectedArrayChanged, symbol: item.name, section: section, location: location,
                    message: "'\(item.name)' is gone from an array that the linker collects (\(section)): the running hypervisor still has the entry",
                    help: "make the functions that the entry points to do nothing, or leave this part out of the live patch")
            case .writable, .perCPU:
                // A global that moved to another file is still used.
                if lostValues.contains(item.id) || item.names.contains(where: externals.contains) { continue }
                report(
                    .dataLeftBehind, .note, symbol: item.name, location: location,
                    message: "variable '\(item.name)' is no longer used: it stays in the hypervisor, with its value")
            default: break
            }
        }
    }

    // MARK: Weak evidence

    /// Variables of the hypervisor that new code uses, although it is not certain that they are the variables meant.
    mutating func judgeDoubts() {
        let users = facts.records.filter { $0.item.role != .boot && $0.status != .same }
        let used = Set(users.flatMap(\.item.allReferences).compactMap { if case .item(let id) = $0.target { id } else { nil } })
        for record in facts.records where used.contains(record.item.id) && record.item.kind == .data && record.item.role != .readOnly {
            guard let evidence = record.twin?.evidence, let severity = evidence.doubt, let twin = facts.twin(record.item.id) else { continue }
            report(
                .correlationAmbiguous, severity, symbol: record.item.name, location: evidence.place ?? record.location,
                message: "'\(record.item.name)' is taken to be the hypervisor's '\(twin.name)': \(evidence.words)",
                help: severity == .note ? nil : "if it is another variable, give it another name")
        }
    }

    /// A variable that seems new while one of that name is gone: it may be the same one, and then its value would be lost.
    mutating func judgeSeeminglyNew() {
        for (id, originals) in facts.twins.open.sorted(by: { $0.key < $1.key }) {
            let item = b[id]
            report(
                .correlationAmbiguous, item,
                message: "'\(item.name)' may be more than one of the hypervisor's variables (\(list(originals.sorted().map { a[$0].name }))): "
                    + "the patch gives names of one variable to another",
                help: "leave each variable the names that it has")
        }
        let removed = facts.outcome.removed.filter { !facts.twins.ended.contains($0) }.map { a[$0] }
        let gone = Dictionary(
            grouping: removed.filter { $0.kind == .data && ($0.role == .writable || $0.role == .boot) }, by: { facts.original.sourceName($0) })
        for record in facts.records where record.status == .new && record.item.kind == .data && record.item.role == .writable {
            let name = record.item.name, id = record.item.id
            guard facts.twins.open[id] == nil, !facts.twins.begun.contains(id) else { continue }
            guard let candidates = gone[facts.patched.sourceName(record.item)] else {
                if let old = removed.first(where: { isRenamed($0, record.item) }) { reportRenamed(old, record) }
                continue
            }
            let isSamePlace = candidates.contains { candidate in
                guard candidate.role != .boot, !facts.twins.unlike.contains(id) else { return false }
                guard let old = facts.original.variable(candidate.id), let new = facts.patched.variable(id) else { return true }
                return LocalKey(old) == LocalKey(new)
            }
            let names = list(candidates.map(\.name))
            if isSamePlace {
                report(
                    .correlationAmbiguous, .error, symbol: name, location: record.location,
                    message: "'\(name)' may be new, or one of the hypervisor's variables of that name (\(names)): as a new one it would lose their value",
                    help: "give the variables different names, or leave the lines that declare them unchanged")
            } else {
                report(
                    .variableStartsAnew, .warning, symbol: name, location: record.location,
                    message: "'\(name)' is a new variable and starts with its initial value: the hypervisor's \(names), which was declared in another place or "
                        + "freed after boot, does not pass its value on",
                    help: "if the value matters, leave the declaration in the function that has it")
            }
        }
    }

    private mutating func reportRenamed(_ old: OriginalItem, _ record: ChangeSet.Record) {
        let (before, now) = (facts.original.sourceName(old), facts.patched.sourceName(record.item))
        report(
            .variableStartsAnew, .warning, symbol: record.item.name, location: record.location,
            message: "'\(now)' is a new variable and starts with its initial value: the patch replaces the declaration of '\(before)' by it, "
                + "and the hypervisor's '\(before)' does not pass its value on",
            help: "if it is the same variable, keep its name")
    }

    /// Whether the patch replaces the line that declares a variable by one that declares another in the same words, but for the name.
    private func isRenamed(_ old: OriginalItem, _ new: PatchedItem) -> Bool {
        guard old.kind == .data, old.role == .writable, old.size == new.size, let lines = facts.pair.lines, let x = facts.original.variable(old.id),
            let y = facts.patched.variable(new.id), let from = x.declaration, let to = y.declaration, LocalKey(x).functions == LocalKey(y).functions
        else { return false }
        let history = lines.history
        return history.originalLines(at: lines.originalPlace(from)).contains { from in
            guard let hunk = history.hunk(removing: from), let before = history.originalText(from).flatMap({ words($0, before: x.name) }) else { return false }
            return history.patchedLines(at: lines.patchedPlace(to)).contains { to in
                history.hunk(adding: to) == hunk && history.patchedText(to).flatMap { words($0, before: y.name) } == before
            }
        }
    }

    /// The words of a line in front of a name; nil if the line does not have the name.
    private func words(_ text: String, before name: String) -> [Substring]? {
        let all = Words(of: text).all.map(\.text)
        return all.firstIndex { $0 == name }.map { Array(all[..<$0]) }
    }
}

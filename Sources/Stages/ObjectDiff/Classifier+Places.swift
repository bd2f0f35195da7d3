import Diagnostics

/// Differences that no bytes show: where things lie, and what names mean to other objects.
extension Classifier {
    // MARK: Sections and alignment

    /// A function that lies elsewhere, with the same bytes, is replaced: whoever moved it meant something by that. A variable can't
    /// move in the running hypervisor.
    mutating func judgePlacement() {
        let (inA, inB) = (original.itemsPerSection, patched.itemsPerSection)
        for index in b.items.indices where status[index] == .same && b.items[index].isNamed && b.items[index].parent == nil {
            guard let twin = twins.original[index] else { continue }
            let (old, new) = (a.items[twin], b.items[index])
            let before = Placement(old, in: a, isAlone: inA[old.section] == 1)
            let after = Placement(new, in: b, isAlone: inB[new.section] == 1)
            let moves = before.section != after.section
            guard moves || after.needsMoreAlignment(than: before) else { continue }
            let what =
                moves
                ? "from section \(before.section) to \(after.section)"
                : "from an alignment of \(before.alignment ?? 1) to \(after.alignment ?? 1) bytes"
            switch (new.kind, new.role) {
            case (.function, .code):
                status[index] = .changed
                report(
                    .placementChanged, .note, symbol: new.name, location: locations[index],
                    message: "function '\(new.name)' goes \(what), otherwise unchanged: it is replaced, and lies among the payload's code")
            // A load hook that becomes an unload hook, with the same function.
            case (.data, .hooks) where moves: status[index] = .changed
            case (.data, .writable) where moves && after.isAsGood(as: before):
                report(
                    .placementChanged, .warning, symbol: new.name, location: locations[index],
                    message: "variable '\(new.name)' goes \(what): the running hypervisor has it where it was")
            case (.data, .writable), (.data, .perCPU):
                report(
                    .placementChanged, index,
                    message: "variable '\(new.name)' goes \(what): the running hypervisor has it where it was",
                    help: "leave the variable where it is, and add a new one beside it")
            default: break
            }
        }
    }

    // MARK: Names that other objects use

    mutating func judgeExportedNames() {
        let (before, after) = (ExportedNames(a).meanings, ExportedNames(b).meanings)
        for (name, new) in after.sorted(by: { $0.key < $1.key }) {
            guard let old = before[name] else { continue }
            // The sections of assembly are compared with their labels: what is left are names without a section.
            if isAssembly, case .item = old.place, case .item = new.place { continue }
            if old.isWeak != new.isWeak {
                report(
                    .globalNameMoved, symbol: name,
                    message: "'\(name)' becomes \(new.isWeak ? "weak" : "strong"): which definition the hypervisor uses was decided when it was linked",
                    help: "leave the symbol's binding as it is")
            }
            switch (old.place, new.place) {
            case (.absolute(let x), .absolute(let y)):
                if x != y { reportMoved(name, "was the number \(x) and is \(y)", at: nil) }
            case (.item(let x, let oldDistance), .item(let y, let newDistance)):
                if twins.original[y] != x {
                    // Something changed its kind, or code that boots became code that runs: told by others where it is named itself.
                    if a.items[x].name != name || b.items[y].name != name {
                        reportMoved(name, "was '\(a.items[x].name)' and is '\(b.items[y].name)'", at: y)
                    }
                } else if oldDistance != newDistance || (newDistance != 0 && status[y] != .same) {
                    reportMoved(name, "is a place inside '\(b.items[y].name)', which changed", at: y)
                }
            default: reportMoved(name, "was one of a number and an address, and is the other", at: nil)
            }
        }
    }

    private mutating func reportMoved(_ name: String, _ what: String, at item: Int?) {
        report(
            .globalNameMoved, symbol: name, location: item.flatMap { locations[$0] },
            message: "the global name '\(name)' \(what): other objects of the running hypervisor go by the old meaning",
            help: "use a new name for the new meaning")
    }

    // MARK: Things that are gone

    mutating func judgeRemoved() {
        for index in removed {
            let item = a.items[index]
            let section = a.file.sections[item.section].name
            let location = original.location(index)
            switch item.role {
            case .collected:
                report(
                    .collectedArrayChanged, symbol: item.name, section: section, location: location,
                    message: "'\(item.name)' is gone from an array that the linker collects (\(section)): the running hypervisor still has the entry",
                    help: "make the functions that the entry leads to do nothing, or leave it out of the live patch")
            case .writable, .perCPU:
                report(
                    .dataLeftBehind, .note, symbol: item.name, location: location,
                    message: "variable '\(item.name)' is no longer used: it stays in the hypervisor, with its value")
            default: break
            }
        }
    }

    // MARK: Weak evidence

    /// Variables that code of the payload refers to, and that were correlated by name alone.
    mutating func judgeGuesses() {
        let users = b.items.indices.filter { b.items[$0].role == .code && status[$0] != .same }
        let used = Set(
            users.flatMap { b.items[$0].references }.compactMap { if case .item(let index) = $0.target { index } else { nil } })
        for index in twins.guessed.intersection(used).sorted() where b.items[index].role != .readOnly {
            guard let twin = twins.original[index] else { continue }
            report(
                .correlationAmbiguous, .warning, symbol: b.items[index].name, location: locations[index],
                message: "'\(b.items[index].name)' is taken for the hypervisor's '\(a.items[twin].name)' by its name alone: debug info is silent about it")
        }
    }

    /// A variable that seems new where one of that name is gone: it may be the same, and then its value would be lost.
    mutating func judgeSeeminglyNew() {
        let gone = Dictionary(
            grouping: removed.filter { Self.keepsValue(a.items[$0]) || a.items[$0].kind == .data && a.items[$0].role == .boot },
            by: { CompilerName(a.items[$0].name).base })
        for index in b.items.indices where status[index] == .new && Self.keepsValue(b.items[index]) {
            guard let candidates = gone[CompilerName(b.items[index].name).base] else { continue }
            let name = b.items[index].name
            let isSamePlace = candidates.contains { candidate in
                guard a.items[candidate].role != .boot else { return false }
                guard let old = original.variable(candidate), let new = patched.variable(index) else { return true }
                return LocalKey(old) == LocalKey(new)
            }
            report(
                .correlationAmbiguous, isSamePlace ? .error : .warning, symbol: name, location: locations[index],
                message: isSamePlace
                    ? "'\(name)' can't be told from the hypervisor's variables of that name (\(list(candidates.map { a.items[$0].name }))): taking it for a new one would lose a value"
                    : "'\(name)' is a new variable of the payload: the hypervisor's \(list(candidates.map { a.items[$0].name })), declared elsewhere or freed after boot, keeps its value to itself",
                help: isSamePlace
                    ? "give the variables different names, or leave the lines that declare them alone"
                    : "where the value matters, leave the declaration in the function that has it")
        }
    }

    private static func keepsValue(_ item: Item) -> Bool { item.kind == .data && item.role == .writable }
}

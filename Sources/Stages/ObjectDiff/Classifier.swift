import Diagnostics
import ELFModel
import TargetArchitecture
import XenVersions

/// Makes a diagnostic for each difference that can't be live-patched.
struct Classifier {
    let facts: ComparedFacts
    let rules: ComparisonRules
    let isAssembly: Bool
    /// Original variables whose values the patched code no longer sees, and which are reported as such.
    let lostValues: Set<OriginalItem.ID>
    private(set) var diagnostics: [Diagnostic] = []

    init(_ facts: ComparedFacts, rules: ComparisonRules, isAssembly: Bool, lostValues: Set<OriginalItem.ID>) {
        self.lostValues = lostValues
        self.facts = facts
        self.rules = rules
        self.isAssembly = isAssembly
    }

    var a: ObjectGraph<OriginalSide> { facts.a }
    var b: ObjectGraph<PatchedSide> { facts.b }

    mutating func classify() {
        guard !isAssembly else {
            judgeAssembly()
            judgeExportedNames()
            judgeOddities(where: { $0.section == Oddity.common })
            return
        }
        for record in facts.records { judge(record) }
        judgeUnnamed()
        judgeBootCode()
        judgeRemoved()
        judgeExportedNames()
        judgeInnerLabels()
        judgeSeeminglyNew()
        judgeDoubts()
        judgeOddities()
        if facts.original.lacksDebugInfo || facts.patched.lacksDebugInfo, facts.records.contains(where: { $0.status != .same }) {
            report(.debugInfoMissing, .warning, message: "\(facts.pair.object) has no debug info: only their names tell its static locals apart")
        }
    }

    // MARK: Named items

    private mutating func judge(_ record: ChangeSet.Record) {
        let item = record.item
        guard item.isNamed, record.status != .same else { return }
        switch (item.kind, item.role) {
        case (.function, .code): judgeFunction(record)
        case (_, .boot): break
        case (.data, .perCPU): judgePerCPU(record)
        case (.data, .collected): judgeCollected(item)
        case (.data, .writable): judgeVariable(record)
        case (.data, .readOnly): judgeConstant(record)
        // The linker includes hooks in the payload.
        case (_, .hooks): break
        default:
            report(
                .sectionNotUnderstood, item, section: b.sectionName(of: item),
                message: "'\(item.name)' changed, in a section that this program does not know")
        }
    }

    private mutating func judgeFunction(_ record: ChangeSet.Record) {
        let item = record.item
        if let twin = facts.twin(item.id), twin.role != item.role {
            report(
                .placementChanged, item, section: b.sectionName(of: item),
                message: "function '\(item.name)' goes from section \(a.sectionName(of: twin)) to \(b.sectionName(of: item)): "
                    + "only functions that were among the code that runs after boot can be replaced",
                help: "leave the function in its section; give a function that now runs after boot another name")
        }
        if record.status == .new, let old = facts.functionThatHad(item.name) {
            report(
                .globalNameMoved, item,
                message: "'\(item.name)' was another name of '\(old.name)', and becomes a function of its own: pointers to '\(item.name)' that the running "
                    + "hypervisor keeps lead to '\(old.name)'",
                help: "give the new function another name")
        }
        if !item.aliases.isEmpty, record.status == .changed {
            report(
                .aliasesReplaced, .warning, symbol: item.name, location: record.location,
                message: "'\(item.name)' has other names (\(item.aliases.joined(separator: ", "))): callers by those names reach the new code, too")
        }
    }

    private mutating func judgePerCPU(_ record: ChangeSet.Record) {
        let name = record.item.name
        let help = "keep the value in an array indexed by the processor's number, or in the padding of an existing per-CPU structure"
        if record.status == .new {
            report(
                .perCPUAdded, record.item, message: "per-CPU variable '\(name)' is new in \(facts.pair.source): a loaded payload gets no per-CPU area",
                help: help)
        } else {
            report(
                .perCPUChanged, record.item, message: "per-CPU variable '\(name)' changed: each processor already has its own, as it was before the patch",
                help: help)
        }
    }

    private mutating func judgeCollected(_ item: PatchedItem) {
        let section = b.sectionName(of: item)
        report(
            .collectedArrayChanged, item, section: section,
            message: "'\(item.name)' is an entry of an array that the linker collects (\(section)): the running hypervisor's array can't change",
            help: "register the entry from a load hook, if the array has a run-time interface, or leave it out of the live patch")
    }

    private mutating func judgeVariable(_ record: ChangeSet.Record) {
        guard record.status == .changed, let old = facts.twin(record.item.id) else { return }
        let new = record.item
        let help = "leave the old variable alone and add a new one beside it"
        if old.size != new.size {
            report(
                .dataSizeChanged, new,
                message: "variable '\(new.name)' changed from \(old.size) to \(new.size) bytes: the running hypervisor keeps it as it was", help: help)
        } else if old.role == .readOnly {
            report(
                .constantMadeVariable, new, message: "'\(new.name)' was a constant and becomes a variable: the running hypervisor can't write to it",
                help: help)
        } else if old.role != new.role {
            report(
                .placementChanged, new,
                message:
                    "variable '\(new.name)' goes from section \(a.sectionName(of: old)) to \(b.sectionName(of: new)): in the running hypervisor it stays where it is",
                help: help)
        } else {
            report(
                .dataInitialiserChanged, new,
                message: "the initial value of variable '\(new.name)' changed: the running hypervisor keeps the value that it has now",
                help: "set the value from a load hook (LIVEPATCH_LOAD_HOOK), or at the places that read it")
        }
    }

    private mutating func judgeConstant(_ record: ChangeSet.Record) {
        guard record.status == .changed, record.item.isGlobal else { return }
        report(
            .constantTableChanged, record.item,
            message: "constant '\(record.item.name)' changed, and other objects can refer to it: they would keep the old one",
            help: "add a new table with another name, and make the functions that need it refer to that one")
    }

    // MARK: Unnamed things

    /// The items that refer to unnamed data and code show its changes. But if nothing is known to refer to such data or code, a
    /// difference in it would go unnoticed.
    private mutating func judgeUnnamed() {
        var comparison = Comparison(original: a, patched: b, twins: facts.twins, architecture: rules.architecture)
        let (before, after) = (loose(a), loose(b))
        for section in Set(before.keys).union(after.keys).sorted() {
            let (x, y) = (before[section] ?? [], after[section] ?? [])
            let isEqual = x.count == y.count && zip(x, y).allSatisfy { comparison.haveSameContent($0, $1) }
            if !isEqual {
                report(
                    .sectionNotUnderstood, section: section,
                    message: "something without a symbol changed in section \(section) of \(facts.pair.object)",
                    help: "give the code or data a symbol of its own, with a type and a size")
            }
        }
    }

    private func loose<Side>(_ graph: ObjectGraph<Side>) -> [String: [Item<Side>]] {
        let items = graph.items.filter { item in
            guard !item.isNamed, item.kind == .function || item.kind == .data else { return false }
            return item.role != .readOnly && item.role != .boot
        }
        return Dictionary(grouping: items, by: { graph.sectionName(of: $0) })
    }

    private mutating func judgeBootCode() {
        let all = facts.records.filter { $0.item.role == .boot && $0.item.isNamed && $0.status != .same }
        let arrays = all.filter { SectionName.isBootArray(b.sectionName(of: $0.item)) }
        for record in arrays {
            let section = b.sectionName(of: record.item)
            report(
                .collectedArrayChanged, .warning, symbol: record.item.name, section: section, location: record.location,
                message: "'\(record.item.name)' is an entry of \(section), which is read at boot only: it has no effect on the running hypervisor")
        }
        // The text of a parameter's name belongs to its array entry.
        let entries = Set(arrays.map(\.item.id)), ofArrays = Set(arrays.flatMap { $0.item.references }.map(\.target))
        let changed = all.filter { !entries.contains($0.item.id) && !ofArrays.contains(.item($0.item.id)) }
        let runs = Set(b.items.filter { $0.role != .boot }.map(\.name))
        let gone = facts.outcome.removed.map { a[$0] }.filter { $0.role == .boot && !runs.contains($0.name) }
        let names = Set(changed.map(\.item.name) + gone.map(\.name)).sorted()
        guard !names.isEmpty else { return }
        report(
            .initOnlyChange, .warning, symbol: names.first, location: changed.first?.location,
            message: "\(list(names)) changed, but \(names.count == 1 ? "is used at boot only: it is" : "are used at boot only: they are") left out")
    }

    private mutating func judgeOddities(where counts: (Oddity) -> Bool = { _ in true }) {
        // An oddity on both sides was there before the patch. Its content is compared with the other unnamed items.
        for oddity in b.oddities where counts(oddity) && !a.oddities.contains(oddity) {
            report(
                .specialSectionUnknown, section: oddity.section,
                message: "this program does not understand section \(oddity.section) of \(facts.pair.object): \(oddity.reason)")
        }
        for record in facts.records where record.status != .same && record.item.role == .code {
            // Tables that the payload loader ignores.
            for entry in record.item.entries where !entry.table.isLoaded {
                report(
                    .specialEntryIgnored, section: entry.table.section,
                    message: "'\(record.item.name)' changed and has an entry in \(entry.table.section), a table that the hypervisor ignores in a payload",
                    help: "leave the function unchanged, and make the change in its callers")
            }
        }
    }

    private mutating func judgeAssembly() {
        let sections = AssemblyComparison(original: a.file, patched: b.file, roles: rules.roles).differingSections()
        let boot = sections.filter { $0.role == .boot }.map(\.name), others = sections.filter { $0.role != .boot }.map(\.name)
        if !others.isEmpty {
            report(
                .assemblyChanged, section: others[0],
                message: "\(facts.pair.source) is assembly, and what the hypervisor uses after boot changed in it (\(others.joined(separator: ", ")))",
                help: "make the change in C, in a function that the assembly calls or that calls it")
        } else if !boot.isEmpty {
            report(
                .initOnlyChange, .warning, section: boot[0],
                message: "\(facts.pair.source) changed only in \(boot.joined(separator: ", ")), which is used at boot only: it is left out")
        }
    }

    // MARK: Wording

    func list(_ names: [String]) -> String { names.map { "'\($0)'" }.listed(atMost: 5) }

    mutating func report(
        _ id: DiagnosticID, _ item: PatchedItem, section: String? = nil, message: String, help: String? = nil
    ) {
        report(id, .error, symbol: item.name, section: section, location: facts.location(item.id), message: message, help: help)
    }

    mutating func report(
        _ id: DiagnosticID, _ severity: Severity = .error, symbol: String? = nil, section: String? = nil,
        location: SourceLocation? = nil, message: String, help: String? = nil
    ) {
        diagnostics.append(
            Diagnostic(
                id, severity, symbol: symbol, section: section, location: location ?? SourceLocation(file: facts.pair.source),
                message: message, help: help))
    }
}

extension ComparedFacts {
    /// The original function of which this was one of several names.
    fileprivate func functionThatHad(_ name: String) -> OriginalItem? {
        a.items.first { $0.kind == .function && $0.role == .code && !$0.aliases.isEmpty && $0.names.contains(name) && $0.name != name }
    }
}

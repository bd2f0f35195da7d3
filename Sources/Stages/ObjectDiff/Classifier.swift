import Diagnostics
import ELFModel
import TargetArchitecture
import XenVersions

/// Gives each item its fate, and each difference that can't be patched its diagnostic.
struct Classifier {
    let objectName: String
    let source: String
    let original: ExplainedGraph
    let patched: ExplainedGraph
    let twins: Correlation
    let roles: SectionRoles
    let locations: [SourceLocation?]
    var status: [ChangeSet.Status] = []
    var removed: [Int] = []
    var diagnostics: [Diagnostic] = []

    init(
        objectName: String, source: String, original: ExplainedGraph, patched: ExplainedGraph, twins: Correlation,
        roles: SectionRoles, locations: [SourceLocation?]
    ) {
        self.objectName = objectName
        self.source = source
        self.original = original
        self.patched = patched
        self.twins = twins
        self.roles = roles
        self.locations = locations
    }

    var a: ObjectGraph { original.graph }
    var b: ObjectGraph { patched.graph }
    var isAssembly: Bool { [source, a.fileSymbol, b.fileSymbol].contains { $0.hasSuffix(".S") || $0.hasSuffix(".s") } }

    mutating func classify(with comparison: inout Comparison) {
        guard !isAssembly else {
            status = b.items.map { _ in .same }
            judgeAssembly()
            judgeExportedNames()
            judgeOddities(where: { $0.section == Oddity.common })
            return
        }
        status = b.items.indices.map { index in
            // What has no name counts through those who refer to it.
            guard b.items[index].isNamed else { return .same }
            guard let twin = twins.original[index] else { return .new }
            return comparison.haveSameContent(twin, index) ? .same : .changed
        }
        judgePlacement()
        spreadOverFunctionParts()
        removed = a.items.indices.filter { a.items[$0].isNamed && twins.patched[$0] == nil && !a.items[$0].isJustContent }

        for index in b.items.indices { judge(index) }
        judgeUnnamed(with: &comparison)
        judgeBootCode()
        judgeRemoved()
        judgeExportedNames()
        judgeSeeminglyNew()
        judgeGuesses()
        judgeOddities()
        let lacksDebugInfo = [original, patched].contains { !$0.debug.hasDebugInfo && !$0.graph.items.isEmpty }
        if lacksDebugInfo, status.contains(where: { $0 != .same }) {
            report(.debugInfoMissing, .warning, message: "\(objectName) has no debug info: static locals are told apart by their names alone")
        }
    }

    /// A function and its cold part jump into each other's middle: they change together.
    private mutating func spreadOverFunctionParts() {
        for index in b.items.indices {
            if let parent = b.items[index].parent, status[index] != .same, status[parent] == .same { status[parent] = .changed }
        }
        for index in b.items.indices {
            if let parent = b.items[index].parent, status[parent] != .same, status[index] == .same { status[index] = .changed }
        }
    }

    // MARK: Named items

    private mutating func judge(_ index: Int) {
        let item = b.items[index]
        guard item.isNamed, status[index] != .same else { return }
        switch (item.kind, item.role) {
        case (.function, .code): judgeFunction(index)
        case (_, .boot): break
        case (.data, .perCPU): judgePerCPU(index)
        case (.data, .collected): judgeCollected(index)
        case (.data, .writable): judgeVariable(index)
        case (.data, .readOnly): judgeConstant(index)
        // The linker takes hooks along.
        case (_, .hooks): break
        default:
            report(
                .sectionNotUnderstood, index, section: sectionName(item),
                message: "'\(item.name)' differs, in a section that this program does not know")
        }
    }

    private mutating func judgeFunction(_ index: Int) {
        let item = b.items[index]
        if let twin = twins.original[index], a.items[twin].role != item.role {
            report(
                .sectionNotUnderstood, index, section: sectionName(item),
                message: "'\(item.name)' moves from \(a.file.sections[a.items[twin].section].name) to \(sectionName(item))",
                help: "keep the function's section as it is; a function that newly runs after boot needs another name")
        }
        if !item.aliases.isEmpty, status[index] == .changed {
            report(
                .correlationAmbiguous, .warning, symbol: item.name, location: locations[index],
                message: "'\(item.name)' has other names (\(item.aliases.joined(separator: ", "))): all of them are replaced")
        }
    }

    private mutating func judgePerCPU(_ index: Int) {
        let item = b.items[index]
        let isNew = status[index] == .new
        report(
            .perCPUAdded, index,
            message: isNew
                ? "new per-CPU variable '\(item.name)': a loaded payload gets no per-CPU area"
                : "per-CPU variable '\(item.name)' changed",
            help: "keep the value in an array indexed by the processor's number, or in an existing per-CPU structure's padding")
    }

    private mutating func judgeCollected(_ index: Int) {
        let item = b.items[index]
        report(
            .collectedArrayChanged, index, section: sectionName(item),
            message: "'\(item.name)' is part of an array that the linker collects (\(sectionName(item))): the running hypervisor's array can't grow or change",
            help: "register the entry from a load hook, if the array has a run-time interface, or leave it out of the live patch")
    }

    private mutating func judgeVariable(_ index: Int) {
        guard status[index] == .changed, let twin = twins.original[index] else { return }
        let (old, new) = (a.items[twin], b.items[index])
        if old.size != new.size || old.role != new.role {
            report(
                .dataSizeChanged, index,
                message: old.size != new.size
                    ? "variable '\(new.name)' changed from \(old.size) to \(new.size) bytes: the running hypervisor has it as it was"
                    : "'\(new.name)' was a constant and becomes a variable: the running hypervisor can't write to it",
                help: "leave the old variable alone and add a new one beside it")
        } else {
            report(
                .dataInitialiserChanged, index,
                message: "the initial value of variable '\(new.name)' changed: the running hypervisor has long initialised it",
                help: "set the value from a load hook (LIVEPATCH_LOAD_HOOK), or at the places that read it")
        }
    }

    private mutating func judgeConstant(_ index: Int) {
        let item = b.items[index]
        guard status[index] == .changed, item.isGlobal else { return }
        report(
            .constantTableChanged, index,
            message: "constant '\(item.name)' changed, and other objects can refer to it: they would keep the old one",
            help: "add a new table with another name, and make the functions that need it refer to that one")
    }

    // MARK: Unnamed things

    /// Data and code without a name matter through what refers to them; but where nothing can be told to refer to
    /// them, a difference would be lost.
    private mutating func judgeUnnamed(with comparison: inout Comparison) {
        func loose(_ graph: ObjectGraph) -> [String: [Int]] {
            let indices = graph.items.indices.filter {
                let item = graph.items[$0]
                guard !item.isNamed, item.kind == .function || item.kind == .data else { return false }
                return item.role != .readOnly && item.role != .boot
            }
            return Dictionary(grouping: indices, by: { graph.file.sections[graph.items[$0].section].name })
        }
        let (before, after) = (loose(a), loose(b))
        for section in Set(before.keys).union(after.keys).sorted() {
            let (x, y) = (before[section] ?? [], after[section] ?? [])
            let isEqual = x.count == y.count && zip(x, y).allSatisfy { comparison.haveSameContent($0, $1) }
            if !isEqual {
                report(
                    .sectionNotUnderstood, section: section,
                    message: "something without a name differs in section \(section) of \(objectName)",
                    help: "give the code or data a symbol of its own, with a type and a size")
            }
        }
    }

    private mutating func judgeBootCode() {
        let all = b.items.indices.filter { b.items[$0].role == .boot && b.items[$0].isNamed && status[$0] != .same }
        let arrays = all.filter { SectionName.isBootArray(sectionName(b.items[$0])) }
        for index in arrays {
            report(
                .collectedArrayChanged, .warning, symbol: b.items[index].name, section: sectionName(b.items[index]),
                location: locations[index],
                message: "'\(b.items[index].name)' is an entry of \(sectionName(b.items[index])), which is read at boot: it comes too late for the running hypervisor")
        }
        // The text of a parameter's name belongs to its entry.
        let ofArrays = Set(arrays.flatMap { b.items[$0].references }.map(\.target))
        let changed = all.filter { !arrays.contains($0) && !ofArrays.contains(.item($0)) }
        let runs = Set(b.items.filter { $0.role != .boot }.map(\.name))
        let gone = removed.filter { a.items[$0].role == .boot && !runs.contains(a.items[$0].name) }
        let names = Set(changed.map { b.items[$0].name } + gone.map { a.items[$0].name }).sorted()
        guard !names.isEmpty else { return }
        report(
            .initOnlyChange, .warning, symbol: names.first, location: changed.first.flatMap { locations[$0] },
            message: "\(list(names)) changed, but \(names.count == 1 ? "is" : "are") used at boot only and never live-patched")
    }

    private mutating func judgeOddities(where counts: (Oddity) -> Bool = { _ in true }) {
        // What is odd in both was there before the patch; its content is compared with the other things without names.
        for oddity in b.oddities where counts(oddity) && !a.oddities.contains(oddity) {
            report(
                .specialSectionUnknown, section: oddity.section,
                message: "section \(oddity.section) of \(objectName) is not understood: \(oddity.reason)")
        }
        for (section, reason) in entriesWithoutLoader() {
            report(.specialSectionUnknown, section: section, message: reason)
        }
    }

    /// Entries of tables that the payload loader ignores, in functions that changed.
    private func entriesWithoutLoader() -> [(String, String)] {
        b.items.indices.filter { status[$0] != .same && b.items[$0].role == .code }.flatMap { index in
            b.items[index].entries.filter { !$0.table.isLoaded }.map {
                ($0.table.section, "'\(b.items[index].name)' changed and has an entry in \($0.table.section), which the hypervisor does not load from a payload")
            }
        }
    }

    private mutating func judgeAssembly() {
        let sections = AssemblyComparison(original: a.file, patched: b.file, roles: roles).differingSections()
        let boot = sections.filter { $0.role == .boot }.map(\.name), others = sections.filter { $0.role != .boot }.map(\.name)
        if !others.isEmpty {
            report(
                .assemblyChanged, section: others[0],
                message: "\(source) is assembly, and what runs after boot differs (\(others.joined(separator: ", ")))",
                help: "make the change in C, in a function that the assembly calls or that calls it")
        } else if !boot.isEmpty {
            report(
                .initOnlyChange, .warning, section: boot[0],
                message: "\(source) changed in \(boot.joined(separator: ", ")), which is used at boot only and never live-patched")
        }
    }

    // MARK: Wording

    private func sectionName(_ item: Item) -> String { b.file.sections[item.section].name }

    func list(_ names: [String]) -> String { names.map { "'\($0)'" }.listed(atMost: 5) }

    mutating func report(
        _ id: DiagnosticID, _ index: Int, section: String? = nil, message: String, help: String? = nil
    ) {
        report(
            id, .error, symbol: b.items[index].name, section: section, location: locations[index], message: message,
            help: help)
    }

    mutating func report(
        _ id: DiagnosticID, _ severity: Severity = .error, symbol: String? = nil, section: String? = nil,
        location: SourceLocation? = nil, message: String, help: String? = nil
    ) {
        diagnostics.append(
            Diagnostic(
                id, severity, symbol: symbol, section: section, location: location ?? SourceLocation(file: source),
                message: message, help: help))
    }
}

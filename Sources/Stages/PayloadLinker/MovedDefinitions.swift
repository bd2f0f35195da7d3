import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource

/// Global definitions that a patch moves from one file to another, or defines in a second file.
///
/// In their new object they look new. But the running hypervisor already has a definition of that name, and its other objects are bound
/// to it: a function must be replaced there, and a variable stays there.
struct MovedDefinitions: Sendable {
    enum Fate: Sendable, Equatable {
        /// Unchanged from the file that it comes from.
        case same
        case changed
    }

    private(set) var fates: [PatchedKey: Fate] = [:]
    /// The item of the original object that it comes from; missing when that object was not compiled.
    private(set) var origins: [PatchedKey: OriginalKey] = [:]
    private(set) var diagnostics: [Diagnostic] = []

    init(objects: Objects, hypervisor: Hypervisor) {
        let definitions = Definitions(objects)
        for (key, set, record) in objects.all where record.item.isGlobal && record.status == .new {
            let item = record.item
            guard let running = hypervisor.global(item.name) else { continue }
            if running.isFreedAfterBoot {
                if item.kind == .function, item.role == .code { warnOfCallers(item, set) }
                continue
            }
            if item.isWeak, definitions.remains(item.name) || definitions.original(item.name) == nil {
                // The linker prefers the strong definition. Among several weak ones it takes the first that it meets.
                fates[key] = .same
                if definitions.weak[item.name] != nil, definitions.strong[item.name] == nil { reportSecondWeak(item, set) }
                continue
            }
            let origin = item.isWeak ? definitions.original(item.name) : definitions.strong[item.name]
            if let origin, let heir = definitions.heirs[origin], !isOverridden(objects[heir].item, by: item) {
                fates[key] = .same
                refuseSecond(item, set, besides: objects[heir].item, of: objects[heir.object])
                continue
            }
            if origin == nil, let other = hypervisor.image.namesake(of: running) {
                fates[key] = .same
                refuseSharedPlace(item, set, with: other)
                continue
            }
            origins[key] = origin
            let isSame = origin.map { areSame(objects[$0.object].original, objects.item($0), set.patched, item, depth: 0) } ?? false
            fates[key] = isSame ? .same : .changed
            judge(item, set, origin.map(objects.item), isSame: isSame)
            judgeAlignment(item, set, running)
        }
        judgeNames(objects, hypervisor, definitions)
        judgeVariables(objects)
    }

    /// The global names that the original objects define, and those that the patched objects still define.
    private struct Definitions {
        private(set) var strong: [String: OriginalKey] = [:]
        private(set) var weak: [String: OriginalKey] = [:]
        /// What each original global is in its own patched object.
        private(set) var heirs: [OriginalKey: PatchedKey] = [:]
        private let originals: [ObjectID: Set<String>]
        private let patched: [ObjectID: Set<String>]
        private let remaining: Set<String>

        init(_ objects: Objects) {
            var originals: [ObjectID: Set<String>] = [:], patched: [ObjectID: Set<String>] = [:], remaining: Set<String> = []
            for set in objects.sets {
                let (before, after) = (set.original.exportedNames, set.patched.exportedNames)
                originals[set.object] = before
                patched[set.object] = after
                remaining.formUnion(before.intersection(after))
            }
            (self.originals, self.patched, self.remaining) = (originals, patched, remaining)
            for (key, _, record) in objects.all where record.item.isNamed && !record.item.isJustContent {
                if let twin = objects.twin(of: key), objects.item(twin).isGlobal { heirs[twin] = key }
            }
            for set in objects.sets {
                for item in set.original.items where item.isGlobal {
                    let key = OriginalKey(object: set.object, item: item.id)
                    for name in item.names where originals[set.object]?.contains(name) ?? false {
                        if item.isWeak { weak[name] = key } else { strong[name] = key }
                    }
                }
            }
        }

        /// Whether an object that defined the name still defines it.
        func remains(_ name: String) -> Bool { remaining.contains(name) }

        func original(_ name: String) -> OriginalKey? { strong[name] ?? weak[name] }

        /// The names that an object newly exports.
        func added(by object: ObjectID) -> Set<String> { (patched[object] ?? []).subtracting(originals[object] ?? []) }
    }

    /// Whether the linker prefers a new definition to what is left of the old one, so that nothing uses that any more.
    private func isOverridden(_ heir: PatchedItem, by item: PatchedItem) -> Bool {
        heir.isGlobal && heir.isWeak && !item.isWeak && Set(heir.names).isSubset(of: item.names)
    }

    /// The file that had the global name keeps its function or variable, as a static one or under another name, and another file defines
    /// the name anew. The hypervisor has one of them only. Which of its callers mean which one was decided when it was linked.
    private mutating func refuseSecond(_ item: PatchedItem, _ set: ChangeSet, besides heir: PatchedItem, of other: ChangeSet) {
        let kept = !heir.isGlobal ? "becomes static in \(other.source)" : "is now '\(heir.name)' in \(other.source)"
        report(
            .globalNameMoved, item.name, set, item,
            "the global '\(item.name)' \(kept), and \(set.source) defines a new global of that name: the running hypervisor has one \(item.kind == .function ? "function" : "variable") for both",
            help: "give the new global or the static one another name, and let the functions that mean it use that name")
    }

    /// The name is one of several that a function or variable of a file has which the patch does not touch.
    private mutating func refuseSharedPlace(_ item: PatchedItem, _ set: ChangeSet, with other: XenImage.Symbol) {
        report(
            .globalNameMoved, item.name, set, item,
            "'\(item.name)' is another name of '\(other.qualifiedName)' in the running hypervisor, and \(set.source) now defines it: what uses '\(other.qualifiedName)' "
                + "would get the new one, too",
            help: "give the new one another name, and let the functions that mean it use that name")
    }

    private mutating func reportSecondWeak(_ item: PatchedItem, _ set: ChangeSet) {
        report(
            .globalNameMoved, item.name, set, item,
            "'\(item.name)' gets a second weak definition in \(set.source): which of the two the hypervisor uses was decided when it was linked",
            help: "change the existing definition, or give the new one another name")
    }

    /// Names that get their meaning from something other than a new item: an alias, or a static function that becomes global. Other
    /// objects of the running hypervisor are bound to what had the name before.
    private mutating func judgeNames(_ objects: Objects, _ hypervisor: Hypervisor, _ definitions: Definitions) {
        for set in objects.sets {
            let added = definitions.added(by: set.object)
            guard !added.isEmpty else { continue }
            let weak = Set(set.patched.file.symbols.filter { $0.binding == ELF.Binding.weak }.map(\.name))
            for item in set.patched.items where item.isGlobal && item.role != .boot {
                let key = PatchedKey(object: set.object, item: item.id)
                for name in item.names where added.contains(name) && !(name == item.name && fates[key] != nil) {
                    guard let running = hypervisor.global(name), !running.isFreedAfterBoot else { continue }
                    // A weak definition that the running definition takes precedence over.
                    if weak.contains(name), definitions.remains(name) || definitions.original(name) == nil { continue }
                    let own = fates[key] != nil ? hypervisor.global(item.name) : objects.twin(of: key).flatMap(hypervisor.symbol)
                    if own?.address == running.address { continue }
                    let before = definitions.original(name).map { "was defined in \(objects[$0.object].source)" } ?? "is that of another file"
                    let after = item.names.first { $0 != name }.map { "another name of '\($0)'" } ?? "what was static"
                    report(
                        .globalNameMoved, name, set, item,
                        "the global name '\(name)' \(before), and becomes \(after) in \(set.source): other objects of the running hypervisor still use the old meaning",
                        help: "keep a function or variable of that name, and let it do the same; or use a new name")
                }
            }
        }
    }

    /// A variable that moves from one file to another and is static in one of them looks like two variables.
    private mutating func judgeVariables(_ objects: Objects) {
        var gone: [String: [MovedVariable]] = [:]
        for set in objects.sets {
            for id in set.removed {
                guard let variable = MovedVariable(set.original[id], set.object, set.originalNames.staticLocals[id]) else { continue }
                gone[variable.name, default: []].append(variable)
            }
        }
        guard !gone.isEmpty else { return }
        for (key, set, record) in objects.all where record.status == .new && fates[key] == nil {
            let item = record.item
            guard let new = MovedVariable(item, set.object, set.patchedNames.staticLocals[item.id]),
                let old = gone[new.name]?.first(where: { $0.becomes(new, objects) })
            else { continue }
            report(
                .correlationAmbiguous, item.name, set, item,
                "\(item.isGlobal ? "variable" : "static variable") '\(item.name)' is new in \(set.source) and gone from \(objects[old.object].source): as a new variable it would not have the hypervisor's value",
                help: "leave it in its file; or, if it is another variable, give it another name")
        }
    }

    private mutating func report(_ id: DiagnosticID, _ name: String, _ set: ChangeSet, _ item: PatchedItem, _ message: String, help: String) {
        diagnostics.append(Diagnostic(id, .error, symbol: name, location: set.location(of: item.id), message: message, help: help))
    }

    private mutating func warnOfCallers(_ item: PatchedItem, _ set: ChangeSet) {
        diagnostics.append(
            Diagnostic(
                .initMarkDropped, .warning, symbol: item.name, location: set.location(of: item.id),
                message: "'\(item.name)' is no longer boot code: unchanged functions that call it after boot still call into freed memory",
                help: "check its callers: each one that runs after boot must change, too"))
    }

    private mutating func judgeAlignment(_ item: PatchedItem, _ set: ChangeSet, _ running: XenImage.Symbol) {
        guard item.kind == .data, item.alignment > 1, let address = running.knownAddress, !address.isMultiple(of: item.alignment) else { return }
        // In a section with others, the alignment may be theirs.
        guard set.patched.items.count(where: { $0.section == item.section }) == 1 else { return }
        report(
            .placementChanged, item.name, set, item,
            "'\(item.name)' comes from another file, and needs an alignment of \(item.alignment) bytes now: in the running hypervisor it stays where it is",
            help: "leave the old variable alone and add a new one with another name")
    }

    private mutating func judge(_ item: PatchedItem, _ set: ChangeSet, _ origin: OriginalItem?, isSame: Bool) {
        func report(_ id: DiagnosticID, _ message: String, help: String) { self.report(id, item.name, set, item, message, help: help) }
        guard item.kind == .data, !isSame, [.writable, .readOnly].contains(item.role) else { return }
        guard let origin else {
            report(
                .globalNameTaken,
                "the hypervisor already has a global '\(item.name)', from a file that this patch does not touch",
                help: "give the new variable another name")
            return
        }
        if origin.size != item.size {
            report(
                .dataSizeChanged,
                "'\(item.name)' comes from another file, and has \(item.size) instead of \(origin.size) bytes",
                help: "leave the old variable alone and add a new one with another name")
        } else if item.role == .readOnly {
            report(
                .constantTableChanged,
                "constant '\(item.name)' comes from another file, with other content: other objects keep the old one",
                help: "add a new table with another name, and make the functions that need it refer to that one")
        } else {
            report(
                .dataInitialiserChanged,
                "'\(item.name)' comes from another file, with another initial value: the running hypervisor keeps the value that it has now",
                help: "set the value from a load hook (LIVEPATCH_LOAD_HOOK)")
        }
    }
}

/// A variable of one object that holds a value, under its name in the source.
private struct MovedVariable {
    let object: ObjectID
    let name: String
    /// nil for a variable at file level.
    let local: ChangeSet.StaticLocal?

    /// Returns nil for any other item, and for a static local if debug info does not say where it is declared.
    init?<Side>(_ item: Item<Side>, _ object: ObjectID, _ local: ChangeSet.StaticLocal?) {
        guard item.kind == .data, item.role == .writable, item.isNamed else { return nil }
        guard item.isGlobal || local != nil || !CompilerName(item.name).isDerived else { return nil }
        self.local = local
        self.object = object
        name = local?.name ?? item.name
    }

    /// Whether a new variable of another file may be this one. Names of static locals are not distinctive (`count`, `once`): such
    /// variables move with their functions only, and not with a header's functions.
    func becomes(_ new: MovedVariable, _ objects: Objects) -> Bool {
        let (from, to) = (objects[object], objects[new.object])
        guard from.source != to.source else { return false }
        if let file = local?.file, file == new.local?.file { return false }
        return [local, new.local].compactMap { $0?.function }.allSatisfy { function in
            from.originalNames.functions.contains(function) && !from.patchedNames.functions.contains(function)
                && !to.originalNames.functions.contains(function) && to.patchedNames.functions.contains(function)
        }
    }
}

/// How many steps are followed from strings and tables to the ones that they refer to.
private let depthLimit = 8

/// Whether items of different files are the same: equal bytes, and references to items with the same name or the same content.
private func areSame(
    _ a: ObjectGraph<OriginalSide>, _ old: OriginalItem, _ b: ObjectGraph<PatchedSide>, _ new: PatchedItem, depth: Int
) -> Bool {
    guard depth < depthLimit, haveSameKind(old, new), old.role == new.role, old.size == new.size else { return false }
    guard old.isZeroFilled == new.isZeroFilled, a.bytes(of: old) == b.bytes(of: new) else { return false }
    guard old.entries.isEmpty, new.entries.isEmpty, old.references.count == new.references.count else { return false }
    return zip(old.references, new.references).allSatisfy { p, q in
        guard p.offset == q.offset, p.type == q.type, p.addend == q.addend else { return false }
        switch (p.target, q.target) {
        case (.absolute(let value), .absolute(let other)): return value == other
        case (.item(let i), .item(let j)):
            let (s, t) = (a[i], b[j])
            if s.isGlobal, t.isGlobal { return s.name == t.name }
            if i == old.id, j == new.id { return true }
            return s.isJustContent && t.isJustContent && areSame(a, s, b, t, depth: depth + 1)
        default:
            guard let name = globalName(p.target, a) else { return false }
            return name == globalName(q.target, b)
        }
    }
}

private func globalName<Side>(_ target: Item<Side>.Reference.Target, _ graph: ObjectGraph<Side>) -> String? {
    switch target {
    case .external(let name): name
    case .item(let id) where graph[id].isGlobal: graph[id].name
    default: nil
    }
}

import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture

/// Global definitions that a patch moves from one file to another, or gives a second home.
///
/// In their new object they look new. But the running hypervisor has something of that name, and its other objects are bound to it:
/// a function must be replaced there, and a variable stays there.
struct MovedDefinitions {
    enum Fate: Equatable {
        /// As it was in the file that it comes from.
        case same
        case changed
    }

    private(set) var fates: [Node: Fate] = [:]
    /// Where it was, as an item of the original object; missing when that object was not compiled.
    private(set) var origins: [Node: Node] = [:]
    private(set) var diagnostics: [Diagnostic] = []

    init(sets: [ChangeSet], hypervisor: Hypervisor) {
        let definitions = Definitions(sets)
        for (object, set) in sets.enumerated() {
            for (index, item) in set.patched.items.enumerated() where item.isGlobal && set.status[index] == .new {
                guard let running = hypervisor.global(item.name) else { continue }
                if running.isFreedAfterBoot {
                    if item.kind == .function, item.role == .code { warnOfCallers(item, set, index) }
                    continue
                }
                let node = Node(object: object, item: index)
                if item.isWeak, definitions.remains(item.name) || definitions.original(item.name) == nil {
                    // The linker prefers the strong one, and of several weak ones it takes the first that it meets.
                    fates[node] = .same
                    if definitions.weak[item.name] != nil, definitions.strong[item.name] == nil { reportSecondWeak(item, set, index) }
                    continue
                }
                let origin = item.isWeak ? definitions.original(item.name) : definitions.strong[item.name]
                origins[node] = origin
                let isSame = origin.map { areSame(sets[$0.object].original, $0.item, set.patched, index, depth: 0) } ?? false
                fates[node] = isSame ? .same : .changed
                judge(item, set, index, origin.map { sets[$0.object].original.items[$0.item] }, isSame: isSame)
            }
        }
        judgeNames(sets, hypervisor, definitions)
        judgeVariables(sets)
    }

    /// The global names that the original objects define, and those that the patched ones still do.
    private struct Definitions {
        private(set) var strong: [String: Node] = [:]
        private(set) var weak: [String: Node] = [:]
        private let originals: [Set<String>]
        private let patched: [Set<String>]
        private let remaining: Set<String>

        init(_ sets: [ChangeSet]) {
            originals = sets.map { Self.exported($0.original) }
            patched = sets.map { Self.exported($0.patched) }
            remaining = zip(originals, patched).reduce(into: []) { $0.formUnion($1.0.intersection($1.1)) }
            for (object, set) in sets.enumerated() {
                for (index, item) in set.original.items.enumerated() where item.isGlobal {
                    for name in [item.name] + item.aliases {
                        if item.isWeak { weak[name] = Node(object: object, item: index) } else { strong[name] = Node(object: object, item: index) }
                    }
                }
            }
        }

        /// Whether an object that had a definition of the name has one still.
        func remains(_ name: String) -> Bool { remaining.contains(name) }

        func original(_ name: String) -> Node? { strong[name] ?? weak[name] }

        /// The names that an object newly gives to others.
        func added(by object: Int) -> Set<String> { patched[object].subtracting(originals[object]) }

        private static func exported(_ graph: ObjectGraph) -> Set<String> {
            Set(graph.file.symbols.filter { !$0.isLocal && $0.sectionIndex != nil }.map(\.name))
        }
    }

    private mutating func reportSecondWeak(_ item: Item, _ set: ChangeSet, _ index: Int) {
        report(
            .globalNameMoved, item.name, set, index,
            "'\(item.name)' gets a second weak definition in \(set.source): which of the two the hypervisor uses was decided when it was linked",
            help: "change the definition that there is, or give the new one another name")
    }

    /// Names that get their meaning from something that is no new item: an alias, or a static function that becomes a global one.
    /// Other objects of the running hypervisor are bound to what had the name.
    private mutating func judgeNames(_ sets: [ChangeSet], _ hypervisor: Hypervisor, _ definitions: Definitions) {
        for (object, set) in sets.enumerated() {
            let added = definitions.added(by: object)
            guard !added.isEmpty else { continue }
            let weak = Set(set.patched.file.symbols.filter { $0.binding == ELF.Binding.weak }.map(\.name))
            for (index, item) in set.patched.items.enumerated() where item.isGlobal && item.role != .boot {
                let node = Node(object: object, item: index)
                for name in [item.name] + item.aliases where added.contains(name) && !(name == item.name && fates[node] != nil) {
                    guard let running = hypervisor.global(name), !running.isFreedAfterBoot else { continue }
                    // A weak one that the running definition goes before.
                    if weak.contains(name), definitions.remains(name) || definitions.original(name) == nil { continue }
                    let own =
                        fates[node] != nil
                        ? hypervisor.global(item.name) : set.twins.original[index].flatMap { hypervisor.symbol(of: $0, object: object) }
                    if own?.address == running.address { continue }
                    let before = definitions.original(name).map { "was defined in \(sets[$0.object].source)" } ?? "is that of another file"
                    let after = ([item.name] + item.aliases).first { $0 != name }.map { "another name of '\($0)'" } ?? "what was static"
                    report(
                        .globalNameMoved, name, set, index,
                        "the global name '\(name)' \(before), and becomes \(after) in \(set.source): other objects of the running hypervisor go by the old meaning",
                        help: "keep a function or variable of that name, and let it do the same; or use a new name")
                }
            }
        }
    }

    /// A variable that goes from one file to another and is static in one of them looks like two variables.
    private mutating func judgeVariables(_ sets: [ChangeSet]) {
        var gone: [String: [MovedVariable]] = [:]
        for (object, set) in sets.enumerated() {
            for index in set.removed {
                guard let variable = MovedVariable(set.original, index, object, set.originalNames) else { continue }
                gone[variable.name, default: []].append(variable)
            }
        }
        guard !gone.isEmpty else { return }
        for (object, set) in sets.enumerated() {
            for index in set.patched.items.indices where set.status[index] == .new && fates[Node(object: object, item: index)] == nil {
                guard let new = MovedVariable(set.patched, index, object, set.patchedNames),
                    let old = gone[new.name]?.first(where: { $0.becomes(new, sets) })
                else { continue }
                let item = set.patched.items[index]
                report(
                    .correlationAmbiguous, item.name, set, index,
                    "\(item.isGlobal ? "variable" : "static variable") '\(item.name)' is new in \(set.source) and gone from \(sets[old.object].source): as a new one it would not have the hypervisor's value",
                    help: "leave it in its file; or, if it is another variable, give it another name")
            }
        }
    }

    private mutating func report(_ id: DiagnosticID, _ name: String, _ set: ChangeSet, _ index: Int, _ message: String, help: String) {
        diagnostics.append(
            Diagnostic(
                id, .error, symbol: name, location: set.locations[index] ?? SourceLocation(file: set.source), message: message, help: help))
    }

    private mutating func warnOfCallers(_ item: Item, _ set: ChangeSet, _ index: Int) {
        diagnostics.append(
            Diagnostic(
                .initCodeNeeded, .warning, symbol: item.name, location: set.locations[index] ?? SourceLocation(file: set.source),
                message: "'\(item.name)' no longer is boot code, and travels in the payload: functions that this patch does not change and that call it after boot still reach freed memory",
                help: "look at its callers; one that runs after boot has to change, too"))
    }

    private mutating func judge(_ item: Item, _ set: ChangeSet, _ index: Int, _ origin: Item?, isSame: Bool) {
        func report(_ id: DiagnosticID, _ message: String, help: String) { self.report(id, item.name, set, index, message, help: help) }
        guard item.kind == .data, !isSame, [.writable, .readOnly].contains(item.role) else { return }
        guard let origin else {
            report(
                .symbolAmbiguous,
                "the hypervisor has a global '\(item.name)' already, of a file that this patch does not touch",
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
                "constant '\(item.name)' comes from another file, with another content: other objects keep the old one",
                help: "add a new table with another name, and make the functions that need it refer to that one")
        } else {
            report(
                .dataInitialiserChanged,
                "'\(item.name)' comes from another file, with another initial value: the running hypervisor has long initialised it",
                help: "set the value from a load hook (LIVEPATCH_LOAD_HOOK)")
        }
    }
}

/// A variable of one object that keeps a value, under its name in the source.
private struct MovedVariable {
    let object: Int
    let name: String
    /// nil for one at file level.
    let local: ChangeSet.StaticLocal?

    /// nil for what is no such variable, and for a static local of which debug info does not say where it is declared.
    init?(_ graph: ObjectGraph, _ index: Int, _ object: Int, _ names: ChangeSet.SourceNames) {
        let item = graph.items[index]
        guard item.kind == .data, item.role == .writable, item.isNamed else { return nil }
        local = names.staticLocals[index]
        guard item.isGlobal || local != nil || !CompilerName(item.name).isDerived else { return nil }
        self.object = object
        name = local?.name ?? item.name
    }

    /// Whether a new variable of another file may be this one. Static locals have names that come and go (`count`, `once`): they move
    /// with their functions only, and not with a header's.
    func becomes(_ new: MovedVariable, _ sets: [ChangeSet]) -> Bool {
        let (from, to) = (sets[object], sets[new.object])
        guard from.source != to.source else { return false }
        if let file = local?.file, file == new.local?.file { return false }
        return [local, new.local].compactMap { $0?.function }.allSatisfy { function in
            from.originalNames.functions.contains(function) && !from.patchedNames.functions.contains(function)
                && !to.originalNames.functions.contains(function) && to.patchedNames.functions.contains(function)
        }
    }
}

/// How deep strings and tables may refer to further ones.
private let depthLimit = 8

/// Whether items of different files are the same: equal bytes, and references to things of the same name, or the same content.
private func areSame(_ a: ObjectGraph, _ x: Int, _ b: ObjectGraph, _ y: Int, depth: Int) -> Bool {
    let (old, new) = (a.items[x], b.items[y])
    guard depth < depthLimit, old.kind == new.kind, old.role == new.role, old.size == new.size else { return false }
    guard old.isZeroFilled == new.isZeroFilled, a.bytes(of: old) == b.bytes(of: new) else { return false }
    guard old.entries.isEmpty, new.entries.isEmpty, old.references.count == new.references.count else { return false }
    return zip(old.references, new.references).allSatisfy { p, q in
        guard p.offset == q.offset, p.type == q.type, p.addend == q.addend else { return false }
        switch (p.target, q.target) {
        case (.absolute(let value), .absolute(let other)): return value == other
        case (.item(let i), .item(let j)):
            let (s, t) = (a.items[i], b.items[j])
            if s.isGlobal, t.isGlobal { return s.name == t.name }
            if i == x, j == y { return true }
            return s.isJustContent && t.isJustContent && areSame(a, i, b, j, depth: depth + 1)
        default:
            guard let name = globalName(p.target, a) else { return false }
            return name == globalName(q.target, b)
        }
    }
}

private func globalName(_ target: Reference.Target, _ graph: ObjectGraph) -> String? {
    switch target {
    case .external(let name): name
    case .item(let index) where graph.items[index].isGlobal: graph.items[index].name
    default: nil
    }
}

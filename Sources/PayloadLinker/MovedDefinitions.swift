import Diagnostics
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
        var homes: [String: Node] = [:]
        for (object, set) in sets.enumerated() {
            for (index, item) in set.original.items.enumerated() where item.isGlobal && !item.isWeak {
                for name in [item.name] + item.aliases { homes[name] = Node(object: object, item: index) }
            }
        }
        judgeStatics(sets)
        for (object, set) in sets.enumerated() {
            for (index, item) in set.patched.items.enumerated() where item.isGlobal && set.status[index] == .new {
                guard let running = hypervisor.global(item.name) else { continue }
                if running.isFreedAfterBoot {
                    if item.kind == .function, item.role == .code { warnOfCallers(item, set, index) }
                    continue
                }
                let node = Node(object: object, item: index)
                let origin = homes[item.name]
                origins[node] = origin
                let isSame = origin.map { areSame(sets[$0.object].original, $0.item, set.patched, index, depth: 0) } ?? false
                fates[node] = isSame ? .same : .changed
                judge(item, set, index, origin.map { sets[$0.object].original.items[$0.item] }, isSame: isSame)
            }
        }
    }

    /// A static variable that goes from one file to another looks like two variables.
    private mutating func judgeStatics(_ sets: [ChangeSet]) {
        func isStaticVariable(_ item: Item) -> Bool {
            item.kind == .data && item.role == .writable && item.isNamed && !item.isGlobal && !item.name.contains(".")
        }
        var gone: [String: (source: String, size: Int)] = [:]
        for set in sets {
            for item in set.removed.map({ set.original.items[$0] }) where isStaticVariable(item) { gone[item.name] = (set.source, item.size) }
        }
        for set in sets {
            for (index, item) in set.patched.items.enumerated() where set.status[index] == .new && isStaticVariable(item) {
                guard let old = gone[item.name], old.source != set.source, old.size == item.size else { continue }
                diagnostics.append(
                    Diagnostic(
                        .correlationAmbiguous, .error, symbol: item.name,
                        location: set.locations[index] ?? SourceLocation(file: set.source),
                        message: "static variable '\(item.name)' is new in \(set.source) and gone from \(old.source): as a new one it would not have the hypervisor's value",
                        help: "leave it in its file; or, if it is another variable, give it another name"))
            }
        }
    }

    private mutating func warnOfCallers(_ item: Item, _ set: ChangeSet, _ index: Int) {
        diagnostics.append(
            Diagnostic(
                .initCodeNeeded, .warning, symbol: item.name, location: set.locations[index] ?? SourceLocation(file: set.source),
                message: "'\(item.name)' no longer is boot code, and travels in the payload: functions that this patch does not change and that call it after boot still reach freed memory",
                help: "look at its callers; one that runs after boot has to change, too"))
    }

    private mutating func judge(_ item: Item, _ set: ChangeSet, _ index: Int, _ origin: Item?, isSame: Bool) {
        func report(_ id: DiagnosticID, _ message: String, help: String) {
            diagnostics.append(
                Diagnostic(
                    id, .error, symbol: item.name, location: set.locations[index] ?? SourceLocation(file: set.source),
                    message: message, help: help))
        }
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

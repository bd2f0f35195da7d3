import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource

/// What the payload includes: the changed functions, and everything they need that the running hypervisor lacks.
///
/// A function that exists in the hypervisor is always called at its old address, even when this payload replaces it: the trampoline there
/// leads to the version on top of the stack, which is this payload's or a later one's.
struct Selection: Sendable {
    /// Sorted by object, then by item.
    let included: [PatchedKey]
    let diagnostics: [Diagnostic]
    /// The hypervisor's own texts that entries of special tables lead to.
    let texts: [TextUse: HypervisorText]
    private let ways: [PatchedKey: Way]

    /// Why an item is included, and which other item it is included for.
    fileprivate struct Way: Sendable {
        var reason: InclusionReason
        var user: PatchedKey?
    }

    fileprivate init(ways: [PatchedKey: Way], texts: [TextUse: HypervisorText], diagnostics: [Diagnostic]) {
        self.ways = ways
        self.texts = texts
        self.diagnostics = diagnostics
        included = ways.keys.sorted()
    }

    func includes(_ key: PatchedKey) -> Bool { ways[key] != nil }

    /// The path from an item to the change that it is included for. The first step is the item itself.
    func way(from key: PatchedKey) -> [(key: PatchedKey, reason: InclusionReason)] {
        var steps: [(PatchedKey, InclusionReason)] = []
        var next: PatchedKey? = key
        // Each item was included before the items that it needs, so there is no cycle.
        while let key = next, let way = ways[key] {
            steps.append((key, way.reason))
            next = way.user
        }
        return steps
    }

    /// The pointers to functions that the hypervisor calls when it loads, applies, reverts and unloads the payload.
    func hooks(_ input: LinkInput) -> [PatchedKey] { included.filter { input.item($0).role == .hooks } }
}

/// Decides what the payload includes.
func select(_ input: LinkInput) -> Selection {
    var selector = Selector(input: input)
    selector.addRoots()
    selector.followAll()
    return Selection(ways: selector.ways, texts: selector.texts.compactMapValues(\.self), diagnostics: input.moved.diagnostics + selector.diagnostics)
}

private struct Selector {
    let input: LinkInput
    private(set) var ways: [PatchedKey: Selection.Way] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    /// The texts of table entries that were looked for in the hypervisor; nil for those that it lacks.
    private(set) var texts: [TextUse: HypervisorText?] = [:]
    /// In the order of inclusion, which makes each path the shortest.
    private var queue: [PatchedKey] = []
    /// For each user, the boot code that it must not refer to: each is reported once, however many references there are.
    private var refusedBoot: [PatchedKey: Set<String>] = [:]

    init(input: LinkInput) { self.input = input }

    mutating func addRoots() {
        let movedFunctions = input.moved.fates.filter { key, fate in
            fate == .changed && input.item(key).kind == .function && input.item(key).role == .code
        }
        for key in movedFunctions.keys.sorted() { addRoot(key, .moved) }
        for set in input.objects.sets {
            // Parts come with their functions, and after them, so that each hangs on its function.
            for record in set.changedFunctions.filter({ $0.item.parent == nil }) + set.changedFunctions.filter({ $0.item.parent != nil }) {
                addRoot(PatchedKey(object: set.object, item: record.item.id), .changed)
            }
            for record in set.records where record.item.role == .hooks {
                // A hook that was there before this patch belongs to a payload below, and was called for that one.
                if record.status == .same {
                    warnOfKeptHook(record.item, in: set)
                } else {
                    include(PatchedKey(object: set.object, item: record.item.id), .hook, for: nil)
                }
            }
        }
    }

    mutating func followAll() {
        var next = 0
        while next < queue.count {
            follow(queue[next])
            next += 1
        }
    }

    private mutating func addRoot(_ key: PatchedKey, _ reason: InclusionReason) {
        let item = input.item(key)
        if item.parent != nil {
            include(key, reason, for: nil)
        } else if let symbol = input.running(key) {
            if symbol.isFreedAfterBoot {
                warnOfBoot(key)
            } else if let original = input.original(key).map(input.objects.item), original.isWeak, !symbol.isWeak, symbol.payload == nil {
                // Where the strong one changes as well, the patch reaches it.
                let isOther = input.definer(of: item.name).map { $0 != key && input.objects[$0].status != .same } ?? false
                report(
                    .globalNameMoved, isOther ? .warning : .error, key,
                    message:
                        "'\(item.name)' changed, but it is weak in \(input.objects[key.object].source), and the hypervisor has the strong '\(item.name)' of "
                        + "another file: the change would not take effect",
                    help: "leave this part out, or change the strong definition")
            } else {
                include(key, reason, for: nil)
            }
        } else {
            let help = "check that xen-syms belongs to the source tree and the configuration that were given"
            if input.hypervisor.hasHome(key.object) || item.isGlobal {
                refuse(
                    .functionNotInHypervisor, key, message: "function '\(item.name)' changed, but can't be found in \(input.hypervisor.places)", help: help)
            } else {
                refuse(
                    .symbolAmbiguous, key,
                    message: "static function '\(item.name)' changed, but it can't be told which local symbols of xen-syms belong to \(key.object)", help: help)
            }
        }
    }

    private mutating func include(_ key: PatchedKey, _ reason: InclusionReason, for user: PatchedKey?) {
        guard ways[key] == nil else { return }
        ways[key] = Selection.Way(reason: reason, user: user)
        queue.append(key)
        let item = input.item(key)
        // The parts of a function jump into each other, so all of them are included.
        if let parent = item.parent { include(PatchedKey(object: key.object, item: parent), .part, for: key) }
        guard item.kind == .function else { return }
        for other in input.objects[key.object].patched.items where other.parent == key.item {
            include(PatchedKey(object: key.object, item: other.id), .part, for: key)
        }
    }

    private mutating func follow(_ key: PatchedKey) {
        let item = input.item(key)
        if item.kind == .function { checkNeighbours(key, item) }
        // What the hypervisor's own text stands for is not needed.
        var ofEntries: [PatchedItem.Reference] = []
        for entry in item.entries {
            for reference in entry.references where !isHypervisorText(reference, in: entry, of: key) { ofEntries.append(reference) }
        }
        for reference in item.references + ofEntries {
            switch reference.target {
            case .item(let id):
                if let name = input.nameOfStrong(behind: id, in: key.object) {
                    needExternal(name, from: key)
                } else {
                    need(PatchedKey(object: key.object, item: id), from: key)
                }
            case .external(let name): needExternal(name, from: key)
            case .absolute: break
            case .unclear(let section):
                refuse(
                    .relocationNotUnderstood, key, section: section,
                    message: "'\(item.name)' refers at byte \(reference.offset) to section \(section), and the object defines nothing at that place")
            }
        }
    }

    /// Code that shares its section with others may reach its neighbours by distances that the assembler has already filled in.
    private mutating func checkNeighbours(_ key: PatchedKey, _ item: PatchedItem) {
        let graph = input.objects[key.object].patched
        guard graph.items.contains(where: { $0.id != key.item && $0.section == item.section }) else { return }
        let slots = item.references.map { $0.offset..<$0.offset + (input.architecture.relocationKind($0.type)?.width ?? 0) }
        guard input.architecture.resolvedReferences(graph.bytes(of: item), relocated: slots) != [] else { return }
        let section = graph.sectionName(of: item)
        refuse(
            .relocationNotUnderstood, key, section: section,
            message: "'\(item.name)' shares section \(section) with other code and jumps there without relocations",
            help: "give the function a section of its own")
    }

    private mutating func needExternal(_ name: String, from user: PatchedKey) {
        if let definer = input.definer(of: name) {
            need(definer, from: user, by: name)
        } else if let symbol = input.hypervisor.global(name) {
            if symbol.isFreedAfterBoot, !originalRefers(user, toExternal: name) { refuseBoot(name, user) }
        } else {
            refuse(
                .symbolNotInHypervisor, user,
                message: "'\(input.item(user).name)' needs '\(name)', which neither the hypervisor nor this patch has",
                help: "if another payload has it, build on top of that payload (--on)")
        }
    }

    /// - Parameter name: the name that the user refers to, when the item is in another object.
    private mutating func need(_ key: PatchedKey, from user: PatchedKey, by name: String? = nil) {
        guard ways[key] == nil else { return }
        let item = input.item(key)
        switch item.kind {
        case .string, .constant, .replacementCode: include(key, .needed(isNew: input.isNew(key)), for: user)
        case .function, .data: needNamed(key, item, from: user, by: name)
        }
    }

    private mutating func needNamed(_ key: PatchedKey, _ item: PatchedItem, from user: PatchedKey, by name: String?) {
        let symbol = input.running(key)
        // If the running function has the same reference to boot code, the reference leads where it always led, behind a test that is
        // true at boot only.
        let wasThere = name.map { originalRefers(user, toExternal: $0) } ?? originalRefers(user, to: key)
        let isNew = input.isNew(key), status = input.objects[key].status
        switch item.role {
        case .boot:
            if isNew || symbol == nil || !wasThere { refuseBoot(item.name, user) }
        case .code:
            if let symbol {
                if symbol.isFreedAfterBoot, !wasThere { refuseBoot(item.name, user) }
            } else {
                includeCopy(key, item, isNew: isNew, for: user)
            }
        case .readOnly:
            let isOther = status != .same && input.moved.fates[key] != .same
            if symbol == nil || isOther || entersIncludedFunction(key) { includeCopy(key, item, isNew: isNew, for: user) }
        case .writable:
            if isNew {
                include(key, .needed(isNew: true), for: user)
            } else if symbol == nil {
                refuse(
                    .dataNotInHypervisor, key,
                    message: item.isNamed
                        ? "variable '\(item.name)' can't be found in \(input.hypervisor.places), and a copy would not have its value"
                        : "'\(input.item(user).name)' uses data without a symbol in section \(input.sectionName(key)), which can't be found in "
                            + "\(input.hypervisor.places): a copy would not have its value",
                    help: item.isNamed ? nil : "leave the functions that use it unchanged, or give the data a symbol with a type and a size")
            }
        default:
            // That the item is new has been refused already, with its own reason.
            let isRefused = input.objects[key.object].diagnostics.contains { $0.severity == .error && $0.symbol == item.name }
            if symbol == nil, !isRefused {
                refuse(
                    .dataNotInHypervisor, key,
                    message: "'\(item.name)' of section \(input.sectionName(key)) can't be found in \(input.hypervisor.places)")
            }
        }
    }

    /// Whether an entry can lead to the hypervisor's own text. Many entries have the same text, so each is looked for once.
    private mutating func isHypervisorText(_ reference: PatchedItem.Reference, in entry: PatchedItem.TableEntry, of key: PatchedKey) -> Bool {
        guard let use = TextUse(reference, in: entry, of: key) else { return false }
        let text = texts[use] ?? input.hypervisorText(for: use)
        texts[use] = .some(text)
        return text != nil
    }

    private func entersIncludedFunction(_ key: PatchedKey) -> Bool { input.functionEntered(by: key) { ways[$0] != nil } != nil }

    private mutating func includeCopy(_ key: PatchedKey, _ item: PatchedItem, isNew: Bool, for user: PatchedKey) {
        include(key, .needed(isNew: isNew), for: user)
        guard !isNew, item.isNamed, item.parent == nil, item.kind == .function else { return }
        diagnostics.append(
            Diagnostic(
                .copyIncluded, .note, symbol: item.name, location: input.objects[key].location,
                message: "'\(item.name)' has no symbol of its own in the running hypervisor: the payload includes a copy"))
    }

    // MARK: What the original did

    private func originalReferences(_ user: PatchedKey) -> [OriginalItem.Reference] {
        input.objects.twin(of: user).map { input.objects.item($0).allReferences } ?? []
    }

    private func originalRefers(_ user: PatchedKey, toExternal name: String) -> Bool {
        originalReferences(user).contains { $0.target == .external(name) }
    }

    private func originalRefers(_ user: PatchedKey, to target: PatchedKey) -> Bool {
        guard user.object == target.object, let twin = input.objects.twin(of: target) else { return false }
        return originalReferences(user).contains { $0.target == .item(twin.item) }
    }

    // MARK: Refusals

    /// The build turns some objects into boot code as a whole, after compiling them.
    private mutating func warnOfBoot(_ key: PatchedKey) {
        diagnostics.append(
            Diagnostic(
                .initOnlyChange, .warning, symbol: input.item(key).name, location: input.objects[key].location,
                message: "'\(input.item(key).name)' changed, but is used at boot only: it is left out"))
    }

    /// The new version of a hook's function is a replacement like any other: it takes effect at the next call, and that call has usually
    /// been made already.
    private mutating func warnOfKeptHook(_ hook: PatchedItem, in set: ChangeSet) {
        for case .item(let id) in hook.references.map(\.target) where set[id].item.kind == .function && set[id].status == .changed {
            let name = set[id].item.name
            diagnostics.append(
                Diagnostic(
                    .hookKept, .warning, symbol: name, location: set.location(of: id),
                    message: "'\(name)' changed, and was a hook before this patch: it is replaced, but is not a hook of this payload",
                    help: "put what must run with this payload into a function of its own, and register that as a hook"))
        }
    }

    private mutating func refuseBoot(_ name: String, _ user: PatchedKey) {
        guard refusedBoot[user, default: []].insert(name).inserted else { return }
        refuse(
            .initCodeNeeded, user,
            message: "'\(input.item(user).name)' newly needs '\(name)', which is freed at the end of booting",
            help: "copy what is needed of it into a new function, without __init")
    }

    private mutating func report(
        _ id: DiagnosticID, _ severity: Severity, _ key: PatchedKey, section: String? = nil, message: String, help: String? = nil
    ) {
        diagnostics.append(input.diagnostic(id, severity, key, section: section, message: message, help: help))
    }

    private mutating func refuse(
        _ id: DiagnosticID, _ key: PatchedKey, section: String? = nil, message: String, help: String? = nil
    ) {
        report(id, .error, key, section: section, message: message, help: help)
    }
}

extension LinkInput {
    /// Makes an error about an item of the patched objects.
    func refusal(_ id: DiagnosticID, _ key: PatchedKey, section: String? = nil, message: String, help: String? = nil) -> Diagnostic {
        diagnostic(id, .error, key, section: section, message: message, help: help)
    }

    func diagnostic(
        _ id: DiagnosticID, _ severity: Severity, _ key: PatchedKey, section: String? = nil, message: String, help: String? = nil
    ) -> Diagnostic {
        Diagnostic(
            id, severity, symbol: item(key).isNamed ? item(key).name : nil, section: section,
            location: objects[key.object].location(of: key.item), message: message, help: help)
    }
}

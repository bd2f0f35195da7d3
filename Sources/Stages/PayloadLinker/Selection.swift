import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource

/// An item of the patched version of one of the objects.
struct Node: Hashable, Comparable {
    var object: Int
    var item: Int

    static func < (a: Node, b: Node) -> Bool { (a.object, a.item) < (b.object, b.item) }
}

/// Where a reference out of a carried item leads.
enum Destination: Equatable {
    /// To something in the payload.
    case carried(Node)
    /// To the running hypervisor, or to a payload that is applied to it. It lacks a landing pad where the function begins with a mark
    /// for indirect calls in the patched source, and the code at its address does not.
    case hypervisor(XenImage.Symbol, lacksLandingPad: Bool)
    case absolute(UInt64)
}

/// Decides what travels in the payload: the changed functions, and whatever they need that the running hypervisor does not have.
///
/// A function that exists in the hypervisor is always called at its old address, even when this payload replaces it: the
/// trampoline there leads to the version that is on top of the stack, this payload's or a later one's.
struct Selection {
    let sets: [ChangeSet]
    let hypervisor: Hypervisor
    let architecture: any TargetArchitecture
    /// In the order of objects and items.
    private(set) var carried: [Node] = []
    private(set) var diagnostics: [Diagnostic] = []
    private var isCarried: Set<Node> = []
    private var queue: [Node] = []
    /// By user, what it must not need: told once, however often it is referred to.
    private var refusedBoot: [Node: Set<String>] = [:]
    private let definers: [String: Node]
    let moved: MovedDefinitions

    init(sets: [ChangeSet], hypervisor: Hypervisor, architecture: any TargetArchitecture) {
        self.sets = sets
        self.hypervisor = hypervisor
        self.architecture = architecture
        var definers: [String: Node] = [:]
        for (object, set) in sets.enumerated() {
            for (index, item) in set.patched.items.enumerated() where item.isGlobal {
                for name in [item.name] + item.aliases where definers[name] == nil || !item.isWeak {
                    definers[name] = Node(object: object, item: index)
                }
            }
        }
        self.definers = definers
        self.moved = MovedDefinitions(sets: sets, hypervisor: hypervisor)
        self.diagnostics = moved.diagnostics
    }

    func item(_ node: Node) -> Item { sets[node.object].patched.items[node.item] }
    func status(_ node: Node) -> ChangeSet.Status { sets[node.object].status[node.item] }

    /// The section that an item lies in.
    func sectionName(_ node: Node) -> String {
        let graph = sets[node.object].patched
        return graph.file.sections[graph.items[node.item].section].name
    }

    /// The pointers to functions that the hypervisor calls when it loads, applies, reverts and unloads the payload.
    var hooks: [Node] { carried.filter { item($0).role == .hooks } }

    /// The running hypervisor's version of a patched item.
    func running(_ node: Node) -> XenImage.Symbol? {
        if moved.fates[node] != nil { return hypervisor.global(item(node).name) }
        let set = sets[node.object]
        return set.twins.original[node.item].flatMap { hypervisor.symbol(of: $0, object: node.object) }
    }

    /// What was compiled from the original source, where there is a twin.
    func original(_ node: Node) -> Item? {
        sets[node.object].twins.original[node.item].map { sets[node.object].original.items[$0] }
            ?? moved.origins[node].map { sets[$0.object].original.items[$0.item] }
    }

    /// Whether the payload replaces this function of the hypervisor.
    func isReplacement(_ node: Node) -> Bool {
        let item = item(node)
        guard item.kind == .function, item.role == .code, item.parent == nil, isChanged(node) else { return false }
        return running(node).map { !$0.isFreedAfterBoot } ?? false
    }

    private func isChanged(_ node: Node) -> Bool { status(node) == .changed || moved.fates[node] == .changed }

    /// Whether the running hypervisor has nothing that it could be.
    func isNew(_ node: Node) -> Bool { status(node) == .new && moved.fates[node] == nil }

    mutating func select() {
        for (node, fate) in moved.fates where fate == .changed && item(node).kind == .function && item(node).role == .code {
            addRoot(node)
        }
        for (object, set) in sets.enumerated() {
            for index in set.changedFunctions { addRoot(Node(object: object, item: index)) }
            for index in set.patched.items.indices where set.patched.items[index].role == .hooks {
                let node = Node(object: object, item: index)
                // One that was there before this patch belongs to a payload below, which has it called.
                if status(node) == .same { warnOfKeptHook(node) } else { carry(node) }
            }
        }
        while let node = queue.popLast() { follow(node) }
        carried = isCarried.sorted()
    }

    private mutating func addRoot(_ node: Node) {
        let item = item(node)
        if item.parent != nil {
            carry(node)
        } else if let symbol = running(node) {
            if symbol.isFreedAfterBoot { warnOfBoot(node) } else { carry(node) }
        } else {
            refuse(
                hypervisor.hasHome(node.object) || item.isGlobal ? .symbolNotInHypervisor : .symbolAmbiguous, node,
                message: "function '\(item.name)' changed, but it can't be found in \(hypervisor.places)",
                help: "is this the xen-syms of the source tree and configuration that were given?")
        }
    }

    private mutating func carry(_ node: Node) {
        guard isCarried.insert(node).inserted else { return }
        queue.append(node)
        let item = item(node)
        // The parts of a function jump into each other: all of them come along.
        if let parent = item.parent { carry(Node(object: node.object, item: parent)) }
        if item.kind == .function {
            for (index, other) in sets[node.object].patched.items.enumerated() where other.parent == node.item {
                carry(Node(object: node.object, item: index))
            }
        }
    }

    private mutating func follow(_ node: Node) {
        let item = item(node)
        if item.kind == .function { checkNeighbours(node, item) }
        for reference in item.references + item.entries.flatMap(\.references) {
            switch reference.target {
            case .item(let index):
                checkBound(reference, of: node, at: Node(object: node.object, item: index))
                need(Node(object: node.object, item: index), from: node)
            case .external(let name): needExternal(name, from: node)
            case .absolute: break
            case .unclear(let section):
                refuse(
                    .relocationNotUnderstood, node, section: section,
                    message: "'\(item.name)' refers to section \(section) at byte \(reference.offset), and it can't be told to what there")
            }
        }
    }

    /// The end of an array, up to which a loop goes, is the start of what lies behind it in the same section. Where that is new, it lies
    /// elsewhere: in the payload.
    private mutating func checkBound(_ reference: Reference, of user: Node, at target: Node) {
        let graph = sets[user.object].patched, item = graph.items[target.item]
        guard reference.isBySection, reference.distance == 0, isNew(target) else { return }
        let arrays = graph.items.indices.filter { index in
            let other = graph.items[index]
            return other.section == item.section && other.offset + other.size == item.offset && other.size >= Self.smallestArray
                && !isNew(Node(object: user.object, item: index)) && self.item(user).references.contains { $0.target == .item(index) }
        }
        guard let array = arrays.first else { return }
        refuse(
            .relocationNotUnderstood, user, section: graph.file.sections[item.section].name,
            message: "'\(self.item(user).name)' refers to the new '\(item.name)' or to the end of '\(graph.items[array].name)', which are one place in the object",
            help: "leave '\(item.name)' in a section of its own: without __read_mostly, for example")
    }

    /// Of two pointers, in bytes: what is smaller is not looped over.
    private static let smallestArray = 16

    /// Code that shares its section may reach its neighbours by distances that the assembler has already put in.
    private mutating func checkNeighbours(_ node: Node, _ item: Item) {
        let graph = sets[node.object].patched
        guard graph.items.indices.contains(where: { $0 != node.item && graph.items[$0].section == item.section }) else { return }
        let slots = item.references.map { $0.offset..<$0.offset + (architecture.relocationKind($0.type)?.width ?? 0) }
        guard architecture.resolvedReferences(graph.bytes(of: item), relocated: slots) != [] else { return }
        refuse(
            .relocationNotUnderstood, node, section: graph.file.sections[item.section].name,
            message: "'\(item.name)' shares section \(graph.file.sections[item.section].name) with other code and jumps there without relocations",
            help: "give the function a section of its own")
    }

    private mutating func needExternal(_ name: String, from user: Node) {
        if let definer = definers[name] {
            need(definer, from: user, by: name)
        } else if let symbol = hypervisor.global(name) {
            if symbol.isFreedAfterBoot, !originalRefers(user, toExternal: name) { refuseBoot(name, user) }
        } else {
            refuse(
                .symbolNotInHypervisor, user,
                message: "'\(item(user).name)' needs '\(name)', which neither the hypervisor nor this patch has",
                help: "if another payload brings it, build on top of that payload")
        }
    }

    /// - Parameter name: by which the user knows it, when it is of another object.
    private mutating func need(_ node: Node, from user: Node, by name: String? = nil) {
        guard !isCarried.contains(node) else { return }
        let item = item(node)
        switch item.kind {
        case .string, .constant, .piece:
            carry(node)
        case .function, .data:
            needNamed(node, item, from: user, by: name)
        }
    }

    private mutating func needNamed(_ node: Node, _ item: Item, from user: Node, by name: String?) {
        let symbol = running(node)
        // A reference that the running function has as well leads where it always led, behind a test that holds at boot only.
        let wasThere = name.map { originalRefers(user, toExternal: $0) } ?? originalRefers(user, to: node)
        let isNew = isNew(node)
        switch item.role {
        case .boot:
            if isNew || symbol == nil || !wasThere { refuseBoot(item.name, user) }
        case .code:
            if let symbol {
                if symbol.isFreedAfterBoot, !wasThere { refuseBoot(item.name, user) }
            } else {
                carryCopy(node, item, isNew: isNew)
            }
        case .readOnly:
            if symbol == nil || (status(node) != .same && moved.fates[node] != .same) { carryCopy(node, item, isNew: isNew) }
        case .writable:
            if isNew {
                carry(node)
            } else if symbol == nil {
                refuse(
                    .dataNotInHypervisor, node,
                    message: "variable '\(item.name)' can't be found in \(hypervisor.places), and a copy would not have its value")
            }
        default:
            // That it is new has been refused with a reason of its own.
            let isRefused = sets[node.object].diagnostics.contains { $0.severity == .error && $0.symbol == item.name }
            if symbol == nil, !isRefused {
                refuse(
                    .dataNotInHypervisor, node,
                    message: "'\(item.name)' of section \(sets[node.object].patched.file.sections[item.section].name) can't be found in \(hypervisor.places)")
            }
        }
    }

    private mutating func carryCopy(_ node: Node, _ item: Item, isNew: Bool) {
        carry(node)
        guard !isNew, item.isNamed, item.parent == nil, item.kind == .function else { return }
        diagnostics.append(
            Diagnostic(
                .copyTravelsAlong, .note, symbol: item.name, location: sets[node.object].locations[node.item],
                message: "'\(item.name)' is not in the running hypervisor on its own: a copy travels along"))
    }

    // MARK: Where references lead, once it is known what is carried

    /// nil when it leads nowhere; the reason has been reported by `select` then, or is reported here.
    mutating func destination(of reference: Reference, from user: Node) -> Destination? {
        switch reference.target {
        case .absolute(let value): return .absolute(value)
        case .unclear: return nil
        case .external(let name):
            if let definer = definers[name] { return destination(of: definer, distance: reference.distance, from: user) }
            return hypervisor.global(name).map { .hypervisor($0, lacksLandingPad: false) }
        case .item(let index):
            return destination(of: Node(object: user.object, item: index), distance: reference.distance, from: user)
        }
    }

    private mutating func destination(of target: Node, distance: Int64, from user: Node) -> Destination? {
        let item = item(target)
        // The old cold part jumps back into the old function.
        if item.parent != nil, isCarried.contains(target) { return .carried(target) }
        if item.kind == .function, isCarried.contains(target), let symbol = running(target) {
            // Into its own code, or that of the function it belongs to; everybody else calls the old address.
            return target == user || distance != 0 || isPart(user, of: target) ? .carried(target) : atOldAddress(target, symbol)
        }
        if isCarried.contains(target) { return .carried(target) }
        guard let symbol = running(target) else { return nil }
        if item.kind == .function, distance != 0 {
            refuse(
                .relocationNotUnderstood, user,
                message: "'\(self.item(user).name)' refers to the middle of '\(item.name)', which stays as it is in the hypervisor")
            return nil
        }
        return atOldAddress(target, symbol)
    }

    /// A function whose address the patch is the first to take gets its mark for indirect calls with that. The trampoline at its old
    /// address does not begin with one, and a processor that insists on it (CET-IBT) faults.
    private func atOldAddress(_ target: Node, _ symbol: XenImage.Symbol) -> Destination {
        let graph = sets[target.object].patched, item = graph.items[target.item]
        guard item.kind == .function, architecture.beginsWithLandingPad(graph.bytes(of: item)),
            let there = hypervisor.running.bytes(at: symbol.address, count: architecture.landingPadSize)
        else { return .hypervisor(symbol, lacksLandingPad: false) }
        return .hypervisor(symbol, lacksLandingPad: !architecture.beginsWithLandingPad(there))
    }

    private func isPart(_ user: Node, of function: Node) -> Bool {
        user.object == function.object && item(user).parent == function.item
    }

    // MARK: What the original did

    private func originalReferences(_ user: Node) -> [Reference] {
        let set = sets[user.object]
        guard let twin = set.twins.original[user.item] else { return [] }
        let item = set.original.items[twin]
        return item.references + item.entries.flatMap(\.references)
    }

    private func originalRefers(_ user: Node, toExternal name: String) -> Bool {
        originalReferences(user).contains { $0.target == .external(name) }
    }

    private func originalRefers(_ user: Node, to target: Node) -> Bool {
        guard user.object == target.object, let twin = sets[target.object].twins.original[target.item] else { return false }
        return originalReferences(user).contains { $0.target == .item(twin) }
    }

    // MARK: Refusals

    /// Some objects become boot code as a whole, after they were compiled.
    private mutating func warnOfBoot(_ node: Node) {
        let set = sets[node.object]
        diagnostics.append(
            Diagnostic(
                .initOnlyChange, .warning, symbol: item(node).name, location: set.locations[node.item],
                message: "'\(item(node).name)' changed, but is used at boot only and never live-patched"))
    }

    /// The new version of a hook's function is a replacement like any other: it waits for a call that has mostly been made.
    private mutating func warnOfKeptHook(_ node: Node) {
        let set = sets[node.object]
        for case .item(let index) in item(node).references.map(\.target) where set.patched.items[index].kind == .function && set.status[index] == .changed {
            let name = set.patched.items[index].name
            diagnostics.append(
                Diagnostic(
                    .hookNotSupported, .warning, symbol: name, location: set.locations[index] ?? SourceLocation(file: set.source),
                    message: "'\(name)' changed, and was a hook before this patch: it is replaced, but this payload does not have it called",
                    help: "what has to run with this payload goes into a function of its own, with a hook of its own"))
        }
    }

    private mutating func refuseBoot(_ name: String, _ user: Node) {
        guard refusedBoot[user, default: []].insert(name).inserted else { return }
        refuse(
            .initCodeNeeded, user,
            message: "'\(item(user).name)' newly needs '\(name)', which is freed at the end of booting",
            help: "copy what is needed of it into a function of its own, without __init")
    }

    private mutating func refuse(
        _ id: DiagnosticID, _ node: Node, section: String? = nil, message: String, help: String? = nil
    ) {
        let set = sets[node.object]
        diagnostics.append(
            Diagnostic(
                id, .error, symbol: item(node).name, section: section,
                location: set.locations[node.item] ?? SourceLocation(file: set.source), message: message, help: help))
    }
}

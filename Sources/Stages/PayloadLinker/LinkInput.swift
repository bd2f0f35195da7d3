import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// An item of one side of one of the objects.
struct ItemKey<Side: ComparisonSide>: Hashable, Comparable, Sendable {
    let object: ObjectID
    let item: Item<Side>.ID

    static func < (a: Self, b: Self) -> Bool { (a.object, a.item) < (b.object, b.item) }
}

typealias OriginalKey = ItemKey<OriginalSide>
typealias PatchedKey = ItemKey<PatchedSide>

/// The change sets of all objects, sorted by name.
struct Objects: Sendable {
    let sets: [ChangeSet]
    private let positions: [ObjectID: Int]

    /// - Parameter sets: in any order, at most one for each object.
    init(_ sets: [ChangeSet]) {
        self.sets = sets.sorted { $0.object < $1.object }
        positions = Dictionary(self.sets.enumerated().map { ($1.object, $0) }) { first, _ in first }
    }

    /// Every key is made from one of the sets, so its set exists.
    subscript(_ object: ObjectID) -> ChangeSet { sets[positions[object] ?? 0] }
    subscript(_ key: PatchedKey) -> ChangeSet.Record { self[key.object][key.item] }
    func item(_ key: OriginalKey) -> OriginalItem { self[key.object].original[key.item] }

    /// The original item that a patched item was correlated with; nil if there is none.
    func twin(of key: PatchedKey) -> OriginalKey? { self[key].twin.map { OriginalKey(object: key.object, item: $0.original) } }

    /// All items of the patched objects, each with its record.
    var all: [(key: PatchedKey, set: ChangeSet, record: ChangeSet.Record)] {
        sets.flatMap { set in set.records.map { (PatchedKey(object: set.object, item: $0.item.id), set, $0) } }
    }
}

/// Everything that the passes of the linker work from. It does not change while they run.
struct LinkInput: Sendable {
    let objects: Objects
    let hypervisor: Hypervisor
    let architecture: any TargetArchitecture
    let options: LinkOptions
    /// Global definitions that the patch moves.
    let moved: MovedDefinitions
    /// Which of the patched objects defines a global name.
    private let definers: [String: PatchedKey]

    init(_ sets: [ChangeSet], onto running: RunningHypervisor, below: [ChangeSet], architecture: any TargetArchitecture, options: LinkOptions) {
        objects = Objects(sets)
        hypervisor = Hypervisor(running, objects: objects, below: below)
        self.architecture = architecture
        self.options = options
        moved = MovedDefinitions(objects: objects, hypervisor: hypervisor)
        var definers: [String: PatchedKey] = [:]
        for set in objects.sets {
            let exported = set.patched.exportedNames
            for item in set.patched.items where item.isGlobal {
                let key = PatchedKey(object: set.object, item: item.id)
                for name in item.names where exported.contains(name) {
                    let isWeak = item.weakNames.contains(name)
                    if isWeak, hypervisor.hasStrongElsewhere(name) { continue }
                    if definers[name] == nil || !isWeak { definers[name] = key }
                }
            }
        }
        self.definers = definers
    }

    func item(_ key: PatchedKey) -> PatchedItem { objects[key].item }
    func definer(of name: String) -> PatchedKey? { definers[name] }

    /// The name by which a reference to an item of its own object means another object's definition: to a linker, a weak definition stands for
    /// the strong one of its name. Nil if the item itself is meant.
    func nameOfStrong(behind id: PatchedItem.ID, in object: ObjectID) -> String? {
        let key = PatchedKey(object: object, item: id), item = item(key)
        guard item.isGlobal, item.isWeak else { return nil }
        if let definer = definers[item.name] { return definer == key ? nil : item.name }
        return hypervisor.hasStrongElsewhere(item.name) ? item.name : nil
    }

    /// The section that an item lies in.
    func sectionName(_ key: PatchedKey) -> String {
        let graph = objects[key.object].patched
        return graph.sectionName(of: graph[key.item])
    }

    /// The running hypervisor's symbol for a patched item; nil if there is none.
    func running(_ key: PatchedKey) -> XenImage.Symbol? {
        if moved.fates[key] != nil { return hypervisor.global(item(key).name) }
        return objects.twin(of: key).flatMap { hypervisor.symbol(of: $0) }
    }

    /// The original item, from the same object or from the one that the definition moved from; nil if there is none.
    func original(_ key: PatchedKey) -> OriginalKey? { objects.twin(of: key) ?? moved.origins[key] }

    /// Whether the payload replaces this function of the hypervisor.
    func isReplacement(_ key: PatchedKey) -> Bool {
        let record = objects[key]
        guard record.item.kind == .function, record.item.role == .code, record.item.parent == nil else { return false }
        guard record.status == .changed || moved.fates[key] == .changed else { return false }
        return running(key).map { !$0.isFreedAfterBoot } ?? false
    }

    /// Whether nothing in the running hypervisor corresponds to the item.
    func isNew(_ key: PatchedKey) -> Bool { objects[key].status == .new && moved.fates[key] == nil }
}

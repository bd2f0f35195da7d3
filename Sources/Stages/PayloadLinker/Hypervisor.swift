import ObjectDiff
import XenSource

/// Finds the items of the original objects in the running hypervisor and its applied payloads.
struct Hypervisor: Sendable {
    let running: RunningHypervisor
    private let objects: Objects
    /// What the applied payloads changed in an object; missing when nothing is known about that object.
    private let below: [ObjectID: ChangeSet]
    /// The local symbols that an object brought into the hypervisor.
    private let homes: [ObjectID: [String: [XenImage.Symbol]]]
    /// The items of original objects that define global names, in objects that the applied payloads changed.
    private let definers: [String: OriginalKey]
    /// The strong global names that the hypervisor's own objects define, and those of them that no original object defines as strong.
    private let linkedStrong: Set<String>
    private let lost: Set<String>

    var image: XenImage { running.image }

    /// - Parameter below: what the applied payloads changed, object by object, compared with the hypervisor's own source. Their patched
    ///   objects are the originals of `objects`.
    init(_ running: RunningHypervisor, objects: Objects, below: [ChangeSet]) {
        self.running = running
        self.objects = objects
        let below = Dictionary(below.map { ($0.object, $0) }) { first, _ in first }
        self.below = below
        homes = Dictionary(
            objects.sets.compactMap { set in
                Self.home(of: below[set.object] ?? set, running.image).map { (set.object, Dictionary(grouping: $0.symbols, by: \.name)) }
            }
        ) { first, _ in first }
        let linked = Self.strongNames(of: Array(below.values) + objects.sets.filter { below[$0.object] == nil })
        linkedStrong = linked
        lost = linked.subtracting(Self.strongNames(of: objects.sets))
        var definers: [String: OriginalKey] = [:]
        for set in objects.sets where below[set.object] != nil {
            let exported = set.original.exportedNames
            for item in set.original.items where item.isGlobal {
                for name in item.names where exported.contains(name) {
                    let isWeak = item.weakNames.contains(name)
                    if isWeak, running.image.hasStrong(name), !linked.contains(name) { continue }
                    if definers[name] == nil || !isWeak { definers[name] = OriginalKey(object: set.object, item: item.id) }
                }
            }
        }
        self.definers = definers
    }

    private static func strongNames(of sets: [ChangeSet]) -> Set<String> {
        Set(sets.flatMap { set in set.original.exportedNames.subtracting(set.original.items.flatMap(\.weakNames)) })
    }

    /// Whether the hypervisor was linked with a strong definition of a name that none of the objects here has.
    func hasStrongElsewhere(_ name: String) -> Bool { image.hasStrong(name) && !linkedStrong.contains(name) }

    /// - Parameter set: a comparison with the hypervisor's own object as its original.
    private static func home(of set: ChangeSet, _ image: XenImage) -> XenImage.FileGroup? {
        // A source that is compiled several times has another name in each object: in one of its FILE symbols, or that of the object.
        let name = set.object.name, graph = set.original
        let ownName = name.hasSuffix(".o") && set.originalSource == nil ? String(name.dropLast()) + "c" : ""
        let paths = graph.fileSymbols + [set.originalSource ?? set.source, ownName]
        let names = Set(paths + paths.map { String($0.split(separator: "/").last ?? "") }).filter { !$0.isEmpty }
        var locals: [String: UInt64] = [:]
        for item in graph.items where item.isNamed && !item.isGlobal { locals[item.name] = UInt64(item.symbolSize) }
        return image.fileGroup(named: names, locals: locals)
    }

    /// Whether the object's local symbols were found. Without them nothing can be said about its static functions.
    func hasHome(_ object: ObjectID) -> Bool { homes[object] != nil }

    /// The symbol of an item of an original object; nil when the hypervisor and its payloads have none.
    func symbol(of key: OriginalKey) -> XenImage.Symbol? {
        let set = objects[key.object], item = set.original[key.item]
        guard item.isNamed else { return nil }
        if running.payloads.isEmpty { return built(item, key.object) }
        guard let below = below[key.object] else {
            // No applied patch is known to have touched this item. For a function, the hypervisor's own build comes first; for data, a
            // payload's, because a payload brings data in order to use it.
            return item.kind == .function ? built(item, key.object) ?? brought(item, set) : brought(item, set) ?? built(item, key.object)
        }
        guard let record = set.record(ofOriginal: key.item, inPatchedOf: below), let twin = record.twin else {
            return brought(item, set) ?? moved(item)
        }
        let isRenewed =
            item.kind == .data
            ? item.role == .readOnly && record.status != .same
            : record.item.parent.map { below[$0].status == .changed } ?? false
        if isRenewed { return brought(item, set) }
        return built(below.original[twin.original], key.object) ?? brought(item, set)
    }

    /// The symbol that an applied payload left to a global item when it moved the item to another file.
    private func moved(_ item: OriginalItem) -> XenImage.Symbol? {
        guard item.isGlobal, !lost.contains(item.name), let symbol = image.global(item.name) else { return nil }
        return symbol.isFunction == (item.kind == .function) && symbol.isFreedAfterBoot == (item.role == .boot) ? symbol : nil
    }

    /// The symbol from the hypervisor's own build.
    ///
    /// - Parameter item: of the hypervisor's own object.
    private func built(_ item: OriginalItem, _ object: ObjectID) -> XenImage.Symbol? {
        func own(_ name: String) -> XenImage.Symbol? { image.global(name).flatMap { item.weakNames.contains(name) && !$0.isWeak ? nil : $0 } }
        func local(_ name: String) -> XenImage.Symbol? { homes[object]?[name].flatMap { $0.count == 1 ? $0[0] : nil } }
        guard item.isGlobal else { return local(item.name) }
        return item.names.lazy.compactMap(own).first ?? item.aliases.lazy.compactMap(local).first
            ?? (lost.contains(item.name) ? nil : image.global(item.name))
    }

    /// The symbol that a payload brought. Among several versions of a constant the topmost counts; among several variables or functions,
    /// none does. A later payload may have changed its linkage or its file's name, but brought no other.
    private func brought(_ item: OriginalItem, _ set: ChangeSet) -> XenImage.Symbol? {
        let ofFiles = [set.originalSource ?? set.source, below[set.object]?.originalSource].compactMap { $0.map { "\($0)#" } }
        if item.isGlobal { return ([""] + ofFiles).lazy.compactMap { brought(item, set, prefix: $0) }.first }
        if let found = ofFiles.lazy.compactMap({ brought(item, set, prefix: $0) }).first { return found }
        let wasGlobal = !CompilerName(item.name).isDerived && definers[item.name] == nil
        return wasGlobal ? brought(item, set, prefix: "") : nil
    }

    /// - Parameter prefix: what stands in front of the name in the hypervisor's symbol table.
    private func brought(_ item: OriginalItem, _ set: ChangeSet, prefix: String) -> XenImage.Symbol? {
        let name = CompilerName(item.name)
        let found: [XenImage.Symbol]
        if !name.isDerived || item.kind == .function {
            found = running.brought(named: prefix + item.name)
        } else {
            // Compilers number static locals; a later patch may have given this one another number.
            let isAlone = set.original.items.count { isNew($0, in: set) && CompilerName($0.name).base == name.base } <= 1
            found =
                isAlone
                ? running.brought { $0.hasPrefix(prefix) && CompilerName(String($0.dropFirst(prefix.count))).base == name.base } : []
        }
        let fitting = found.filter { $0.isFunction == (item.kind == .function) && (item.kind == .function || $0.size == UInt64(item.size)) }
        if item.kind == .data, item.role == .readOnly { return fitting.last }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Whether the item is missing from the hypervisor's own source.
    private func isNew(_ item: OriginalItem, in set: ChangeSet) -> Bool {
        below[set.object].map { set.record(ofOriginal: item.id, inPatchedOf: $0)?.twin == nil } ?? true
    }

    /// Whether the patches of the applied payloads leave an item as it was in the hypervisor's own source.
    func isAsBuilt(_ key: OriginalKey) -> Bool {
        guard let below = below[key.object] else { return true }
        return objects[key.object].record(ofOriginal: key.item, inPatchedOf: below)?.status == .same
    }

    /// Whether the patches of the applied payloads change boot code of an object. That is in no payload, and it moves the rest of the object's boot
    /// code, in which the assembler fills in the distances.
    func hasOtherBootCode(_ object: ObjectID) -> Bool {
        guard let below = below[object] else { return false }
        return below.records.contains { $0.item.role == .boot && $0.status != .same } || below.removed.contains { below.original[$0].role == .boot }
    }

    /// Where symbols were looked for; used in messages.
    var places: String { running.payloads.isEmpty ? "xen-syms" : "xen-syms or the applied payloads" }

    /// The symbol that a global name of the original source means to other objects. Applied payloads may have taken a name away from what the
    /// hypervisor was linked with, or given it to something static.
    func global(_ name: String) -> XenImage.Symbol? {
        if let key = definers[name], let symbol = symbol(of: key) { return symbol }
        let built = lost.contains(name) ? nil : image.global(name)
        if let built, built.isFunction || running.payloads.isEmpty { return built }
        let found = running.brought(named: name).filter { !$0.isFunction || built == nil }
        return found.count == 1 ? found[0] : built
    }
}

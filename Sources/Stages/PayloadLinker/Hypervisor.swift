import ObjectDiff
import XenSource

/// Finds the things of the original objects in what runs now.
struct Hypervisor {
    let running: RunningHypervisor
    private let sets: [ChangeSet]
    /// For each change set, what the applied payloads made of the object; nil where nothing is known of it.
    private let below: [ChangeSet?]
    /// For each change set, the local symbols that its object brought into the hypervisor.
    private let homes: [XenImage.FileGroup?]

    var image: XenImage { running.image }

    /// - Parameter below: what the payloads that are applied changed, object by object, compared with the hypervisor's own source.
    ///   Their patched objects are the originals of `changeSets`.
    init(_ running: RunningHypervisor, changeSets: [ChangeSet], below: [ChangeSet]) {
        let byName = Dictionary(below.map { ($0.objectName, $0) }) { first, _ in first }
        self.running = running
        self.sets = changeSets
        self.below = changeSets.map { byName[$0.objectName] }
        self.homes = zip(changeSets, self.below).map { set, below in Self.home(of: below?.original ?? set.original, set, running.image) }
    }

    private static func home(of graph: ObjectGraph, _ set: ChangeSet, _ image: XenImage) -> XenImage.FileGroup? {
        // A file that is compiled several times goes by a name of each object's own.
        let ownName = set.objectName.hasSuffix(".o") && set.originalSource == nil ? String(set.objectName.dropLast()) + "c" : ""
        let paths = [graph.fileSymbol, set.originalSource ?? set.source, ownName]
        let names = Set(paths + paths.map { String($0.split(separator: "/").last ?? "") }).filter { !$0.isEmpty }
        var locals: [String: UInt64] = [:]
        for item in graph.items where item.isNamed && !item.isGlobal { locals[item.name] = UInt64(item.symbolSize) }
        return image.fileGroup(named: names, locals: locals)
    }

    /// Whether the object's local symbols were found: without them nothing can be said about its static functions.
    func hasHome(_ object: Int) -> Bool { homes[object] != nil }

    /// The symbol of an item of an *original* object, or nil when what runs has none.
    func symbol(of index: Int, object: Int) -> XenImage.Symbol? {
        let set = sets[object]
        let item = set.original.items[index]
        guard item.isNamed else { return nil }
        if running.payloads.isEmpty { return built(item, object) }
        guard let below = below[object] else {
            // Which of the two an object means that no applied patch is known to have touched: data of a payload was brought to be used.
            return item.kind == .function ? built(item, object) ?? brought(index, object) : brought(index, object) ?? built(item, object)
        }
        guard let twin = below.twins.original[index] else { return brought(index, object) }
        let origin = below.original.items[twin]
        let isRenewed =
            item.kind == .data ? item.role == .readOnly && below.status[index] != .same
            : item.parent.map { below.status[$0] == .changed } ?? false
        if isRenewed { return brought(index, object) }
        return built(origin, object) ?? brought(index, object)
    }

    /// What the hypervisor's own build put there.
    private func built(_ item: Item, _ object: Int) -> XenImage.Symbol? {
        if item.isGlobal {
            return ([item.name] + item.aliases).lazy.compactMap(image.global).first
        }
        let found = homes[object]?.symbols.filter { $0.name == item.name } ?? []
        return found.count == 1 ? found[0] : nil
    }

    /// What a payload brought. Of several versions of a constant the topmost counts; of several variables or functions none.
    private func brought(_ index: Int, _ object: Int) -> XenImage.Symbol? {
        let set = sets[object], item = set.original.items[index]
        let prefix = item.isGlobal ? "" : "\(set.originalSource ?? set.source)#"
        let name = CompilerName(item.name)
        let found: [XenImage.Symbol]
        if !name.isDerived || item.kind == .function {
            found = running.brought(named: prefix + item.name)
        } else {
            // Compilers number static locals; a later patch may have given this one another number.
            let isAlone = set.original.items.indices.count { isNew($0, object) && CompilerName(set.original.items[$0].name).base == name.base } <= 1
            found = isAlone
                ? running.brought { $0.hasPrefix(prefix) && CompilerName(String($0.dropFirst(prefix.count))).base == name.base } : []
        }
        let fitting = found.filter { $0.isFunction == (item.kind == .function) && (item.kind == .function || $0.size == UInt64(item.size)) }
        if item.kind == .data, item.role == .readOnly { return fitting.last }
        return fitting.count == 1 ? fitting[0] : nil
    }

    /// Whether the hypervisor's own source does not have it.
    private func isNew(_ index: Int, _ object: Int) -> Bool { below[object].map { $0.twins.original[index] == nil } ?? true }

    /// Where things were looked for, for messages.
    var places: String { running.payloads.isEmpty ? "xen-syms" : "xen-syms or the applied payloads" }

    /// The symbol that other objects know by a name.
    func global(_ name: String) -> XenImage.Symbol? {
        let built = image.global(name)
        if let built, built.isFunction || running.payloads.isEmpty { return built }
        let found = running.brought(named: name).filter { !$0.isFunction || built == nil }
        return found.count == 1 ? found[0] : built
    }
}

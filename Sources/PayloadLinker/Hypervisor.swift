import ObjectDiff
import XenSource

/// Finds the things of the original objects in the running hypervisor.
struct Hypervisor {
    let image: XenImage
    /// For each change set, the local symbols that its object brought into the hypervisor.
    private let homes: [XenImage.FileGroup?]

    init(image: XenImage, changeSets: [ChangeSet]) {
        self.image = image
        self.homes = changeSets.map { set in
            // A file that is compiled several times goes by a name of each object's own.
            let ownName = set.objectName.hasSuffix(".o") && set.originalSource == nil ? String(set.objectName.dropLast()) + "c" : ""
            let paths = [set.original.fileSymbol, set.originalSource ?? set.source, ownName]
            let names = Set(paths + paths.map { String($0.split(separator: "/").last ?? "") }).filter { !$0.isEmpty }
            var locals: [String: UInt64] = [:]
            for item in set.original.items where item.isNamed && !item.isGlobal { locals[item.name] = UInt64(item.symbolSize) }
            return image.fileGroup(named: names, locals: locals)
        }
    }

    /// Whether the object's local symbols were found: without them nothing can be said about its static functions.
    func hasHome(_ object: Int) -> Bool { homes[object] != nil }

    /// The symbol of an item of an *original* object, or nil when the hypervisor has none.
    func symbol(of item: Item, object: Int) -> XenImage.Symbol? {
        guard item.isNamed else { return nil }
        if item.isGlobal {
            return ([item.name] + item.aliases).lazy.compactMap(image.global).first
        }
        let found = homes[object]?.symbols.filter { $0.name == item.name } ?? []
        return found.count == 1 ? found[0] : nil
    }
}

import ELFModel
import ObjectDiff

/// What listings call the functions and variables of an object, so that one name on both sides means twins.
///
/// The compiler numbers static variables and parts of functions anew each time, so a name alone does not say what is meant. An item of the patched
/// object has the name of its twin, which is the hypervisor's. Where a name would be that of something else on the other side, the listing says
/// whose it is.
struct ItemNames: Sendable {
    private let changes: ChangeSet
    /// How many items of each side have a name, and which names each side takes from other objects.
    private let counts: (original: [String: Int], patched: [String: Int])
    private let external: (original: Set<String>, patched: Set<String>)

    init(_ changes: ChangeSet) {
        self.changes = changes
        counts = (Self.counts(changes.original), Self.counts(changes.patched))
        external = (Self.external(changes.original.file), Self.external(changes.patched.file))
    }

    @Sendable func original(_ item: OriginalItem) -> String {
        let name = counts.original[item.name, default: 0] > 1 ? withPlace(item, in: changes.original) : item.name
        let isGone = changes.successor(of: item.id) == nil
        return isGone && (counts.patched[item.name] != nil || external.patched.contains(item.name)) ? "\(name) (before the patch)" : name
    }

    @Sendable func patched(_ item: PatchedItem) -> String {
        if let twin = changes.twin(of: item.id), twin.isNamed { return original(twin) }
        let name = counts.patched[item.name, default: 0] > 1 ? withPlace(item, in: changes.patched) : item.name
        return counts.original[item.name] != nil || external.original.contains(item.name) ? "\(name) (new)" : name
    }

    private func withPlace<Side>(_ item: Item<Side>, in graph: ObjectGraph<Side>) -> String {
        "\(item.name) (\(graph.sectionName(of: item))+0x\(String(item.offset, radix: 16)))"
    }

    private static func counts<Side>(_ graph: ObjectGraph<Side>) -> [String: Int] {
        Dictionary(graph.items.filter(\.isNamed).map { ($0.name, 1) }, uniquingKeysWith: +)
    }

    private static func external(_ file: ELFFile) -> Set<String> { Set(file.symbols.lazy.filter { $0.place == .undefined }.map(\.name)) }
}

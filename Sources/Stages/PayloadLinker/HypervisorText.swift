import ObjectDiff
import TargetArchitecture

/// A text of the hypervisor's own image that stands for one of the payload's in a special table.
struct HypervisorText: Sendable {
    let address: UInt64
    /// The file that the table's entry should name, if the hypervisor has nothing of that name.
    let namelessFile: String?
}

/// A text that an entry of a special table leads to, and where the hypervisor takes such texts from.
struct TextUse: Hashable, Sendable {
    let item: PatchedKey
    /// From the start of the item, in bytes.
    let distance: Int64
    let place: SpecialTable.TextPlace

    /// Returns nil when the reference is not to a text that the hypervisor's own can stand for.
    init?(_ reference: PatchedItem.Reference, in entry: PatchedItem.TableEntry, of key: PatchedKey) {
        guard let field = entry.table.fields.first(where: { $0.offset == reference.offset }), field.text != .anywhere,
            case .item(let id) = reference.target
        else { return nil }
        item = PatchedKey(object: key.object, item: id)
        distance = reference.distance
        place = field.text
    }
}

extension LinkInput {
    /// The hypervisor's text that a table's entry leads to instead of the object's: the whole text, or just its end when that is enough.
    /// This searches the hypervisor's image.
    ///
    /// - Returns: nil when the payload has to bring the text.
    func hypervisorText(for use: TextUse) -> HypervisorText? {
        let graph = objects[use.item.object].patched
        let text = graph.bytes(of: graph[use.item.item]).dropFirst(Int(clamping: use.distance))
        let image = hypervisor.image
        if let address = image.address(ofConstant: text) { return HypervisorText(address: address, namelessFile: nil) }
        guard use.place == .inHypervisor else { return nil }
        let name = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        // Try shorter and shorter ends of the path, one folder at a time, and finally nothing but the zero byte.
        let ends = name.indices.filter { name[$0] == "/" }.map { name.index(after: $0) } + [name.endIndex]
        for start in ends {
            guard let address = image.address(ofConstant: Array(name[start...].utf8) + [0]) else { continue }
            return HypervisorText(address: address, namelessFile: start == name.endIndex ? name : nil)
        }
        return nil
    }
}

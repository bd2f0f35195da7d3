import ObjectDiff
import TargetArchitecture

/// A text of the hypervisor's own image that stands for one of the payload's in a special table.
struct HypervisorText {
    let address: UInt64
    /// The file that the table's entry should name, if the hypervisor has nothing of that name.
    let namelessFile: String?
}

extension LinkInput {
    /// The hypervisor's text that a table's entry leads to instead of the object's: the whole text, or just its end when that is enough.
    ///
    /// - Returns: nil when the payload has to bring the text, or when the reference is not to a text.
    func hypervisorText(of reference: PatchedItem.Reference, in entry: PatchedItem.TableEntry, of key: PatchedKey) -> HypervisorText? {
        guard let field = entry.table.fields.first(where: { $0.offset == reference.offset }), field.text != .anywhere,
            case .item(let id) = reference.target
        else { return nil }
        let graph = objects[key.object].patched
        let text = graph.bytes(of: graph[id]).dropFirst(Int(clamping: reference.distance))
        let image = hypervisor.image
        if let address = image.address(ofConstant: text) { return HypervisorText(address: address, namelessFile: nil) }
        guard field.text == .inHypervisor else { return nil }
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

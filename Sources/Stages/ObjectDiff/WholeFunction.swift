import ELFModel
import TargetArchitecture

/// A function and the parts that the compiler moved out of it (`foo.cold`), as one piece of code: the parts follow the function, and
/// their jumps into each other are filled in.
struct WholeFunction<Side: ComparisonSide> {
    typealias Item = ObjectDiff.Item<Side>

    let main: Item
    /// The function and its parts, each with its start in `bytes`.
    let parts: [(item: Item, base: Int)]
    private(set) var bytes: [UInt8] = []
    /// Those that lead out of the function, and those that could not be filled in. Their offsets count from the start of `bytes`.
    private(set) var references: [Item.Reference] = []

    init(_ main: Item, parts others: [Item], in graph: ObjectGraph<Side>, architecture: any TargetArchitecture) {
        self.main = main
        var parts: [(item: Item, base: Int)] = [], base = 0
        for item in [main] + others {
            parts.append((item, base))
            bytes += graph.bytes(of: item)
            base = bytes.count
        }
        self.parts = parts
        for part in parts {
            for reference in part.item.references {
                var moved = reference
                moved.offset += part.base
                let isInner = parts.count > 1 && self.base(of: reference.target) != nil
                if !isInner || !fill(moved, graph.file.header.byteOrder, architecture) { references.append(moved) }
            }
        }
    }

    /// Where an item starts in `bytes`; nil when it is no part of the function.
    func base(of id: Item.ID) -> Int? { parts.first { $0.item.id == id }?.base }

    private func base(of target: Item.Reference.Target) -> Int? { if case .item(let id) = target { base(of: id) } else { nil } }

    /// The place in `bytes` that a reference leads to; nil when it leads elsewhere.
    func place(of reference: Item.Reference) -> Int? { base(of: reference.target).map { $0 + Int(clamping: reference.distance) } }

    /// Fills in a jump between two parts.
    ///
    /// - Returns: false when the reference is not relative, or its field does not lie in the code.
    private mutating func fill(_ reference: Item.Reference, _ order: ByteOrder, _ architecture: any TargetArchitecture) -> Bool {
        guard let kind = architecture.relocationKind(reference.type), kind.value == .relative, let base = base(of: reference.target),
            reference.offset + kind.field.width <= bytes.count
        else { return false }
        let slot = reference.offset..<reference.offset + kind.field.width
        let value = Int64(base) &+ reference.addend &- Int64(reference.offset)
        bytes.replaceSubrange(slot, with: order.bytes(kind.field.storing(UInt64(bitPattern: value), in: order.number(bytes[slot])), count: kind.field.width))
        return true
    }
}

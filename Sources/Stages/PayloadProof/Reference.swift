import ELFModel
import TargetArchitecture

/// A field in memory that a relocation of an object describes.
struct Reference {
    /// The object's piece or table that has the field, and the field's offset in it, in bytes.
    let subject: String
    let offset: Int
    /// The piece that has the field, or that owns the table's entry.
    let user: Prover.Key
    let relocation: ELFRelocation
    let kind: RelocationKind
    /// Where the field is, and the number that is there.
    let place: UInt64
    let number: UInt64
    /// Whether the field is in the payload, rather than in the hypervisor.
    let isInPayload: Bool
    /// Whether the field belongs to an instruction.
    let isCode: Bool
    /// For a field of a special table.
    var tableField: SpecialTable.Field?

    /// How far behind its symbol's place the reference leads, in bytes. For an instruction this assumes that nothing follows the field,
    /// which holds for all that lead to functions.
    var distance: Int64 {
        if let tableField { return tableField.distance(in: relocation.addend) }
        return isCode && kind.value == .relative ? relocation.addend &+ kind.bias : relocation.addend
    }

    /// Whether the field holds exactly what it must when its symbol is at an address.
    ///
    /// - Parameter addressSize: of the processor, in bytes.
    func holds(symbolAt address: UInt64, addressSize: Int) -> Bool {
        let meant = address &+ UInt64(bitPattern: relocation.addend)
        guard let result = kind.result(meant, at: place), kind.field.storing(result, in: number) == number else { return false }
        if let tableField, tableField.bits < 32 {
            // The upper bits hold something else, so the distance must fit into the lower ones.
            let unused = Int64(64 - tableField.bits), addend = relocation.addend
            let distance = Int64(bitPattern: address &+ UInt64(bitPattern: (addend << unused) >> unused) &- place)
            return (distance << unused) >> unused == distance
        }
        let cut = kind.field.dropsLowBits ? 0 : result & (1 << UInt64(kind.field.shift) - 1)
        return cut == 0 && kind.holds(result, addressSize: addressSize)
    }
}

/// The references of one piece that have the same anchor: each shows some bits of its address.
struct ReferenceGroup {
    var references: [Reference]

    /// The address that the fields give to the anchor, or nil if they do not show all of its bits.
    ///
    /// - Parameter addressSize: of the processor, in bytes.
    func anchor(addressSize: Int) -> UInt64? {
        let all: UInt64 = addressSize == 4 ? 0xffff_ffff : .max
        var low: (bits: UInt64, mask: UInt64, addend: UInt64)?, high: (bits: UInt64, mask: UInt64, addend: UInt64)?
        for reference in references {
            guard let seen = reference.kind.sighting(of: reference.number, at: reference.place) else { continue }
            let addend = UInt64(bitPattern: reference.relocation.addend), mask = seen.mask & all
            if mask == all { return (seen.value &- addend) & all }
            if mask & 1 == 1 {
                if low.map({ $0.mask < mask }) ?? true { low = (seen.value & mask, mask, addend) }
            } else if high == nil {
                high = (seen.value & mask, mask, addend)
            }
        }
        // Two halves: the upper bits of anchor + addend, and the lower bits of the anchor with another addend.
        guard let low, let high, low.mask & (low.mask &+ 1) == 0, low.mask | high.mask == all else { return nil }
        let rest = (low.bits &- low.addend &+ high.addend) & ~high.mask & all
        return (high.bits | rest) &- high.addend & all
    }
}

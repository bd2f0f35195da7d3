import ObjectDiff

/// What filled relocation fields show about one address: some of its bits, or all.
struct Sighting: Equatable {
    var value: UInt64
    /// The bits of `value` that are known.
    var mask: UInt64

    /// What the relocations for one address have in common.
    struct Subject: Hashable {
        var target: OriginalItem.Reference.Target
        var addend: Int64

        init(_ reference: OriginalItem.Reference) {
            target = reference.target
            addend = reference.addend
        }
    }

    init(_ value: UInt64, mask: UInt64) {
        self.value = value & mask
        self.mask = mask
    }

    func fits(_ address: UInt64) -> Bool { address & mask == value }

    /// Combines both; returns nil when they contradict each other.
    func joined(with other: Sighting) -> Sighting? {
        guard (value ^ other.value) & mask & other.mask == 0 else { return nil }
        return Sighting(value | other.value, mask: mask | other.mask)
    }
}

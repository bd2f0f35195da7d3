/// Bytes of running code that applying a payload overwrites, and reverting it restores.
package struct CodePatch: Sendable, Equatable {
    /// The name that the payload uses for the function.
    package var function: String
    /// The first byte that changes: behind a landing pad, if the hypervisor spares it.
    package var address: UInt64
    /// In bytes. NOPs may have none.
    package var size: UInt64
    /// Where the new jump leads; nil for NOPs.
    package var target: UInt64?
    /// The new bytes; nil for NOPs, as the machine decides which of the equivalent NOPs the hypervisor writes.
    package var bytes: [UInt8]?

    package init(function: String, address: UInt64, size: UInt64, target: UInt64? = nil, bytes: [UInt8]? = nil) {
        self.function = function
        self.address = address
        self.size = size
        self.target = target
        self.bytes = bytes
    }

    private func contains(_ other: UInt64) -> Bool { other &- address < size }

    package func overlaps(_ other: CodePatch) -> Bool { overlaps(other.address, count: other.size) }

    package func overlaps(_ start: UInt64, count: UInt64) -> Bool { count > 0 && size > 0 && (contains(start) || address &- start < count) }

    /// Whether this patch, written later, leaves a part of the other one's jump: the processor would execute a mixture.
    package func breaks(_ other: CodePatch) -> Bool {
        let distance = other.address &- address
        let coversIt = distance < size && size - distance >= other.size
        return other.target != nil && overlaps(other) && !coversIt
    }

    /// Whether an address is behind the first byte of the patch.
    package func hasInside(_ other: UInt64) -> Bool { other != address && contains(other) }
}

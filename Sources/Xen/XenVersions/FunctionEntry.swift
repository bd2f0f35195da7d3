import ELFModel

/// One entry of a payload's functions section.
///
/// `struct livepatch_func` of `xen/include/public/sysctl.h` (`struct xsplice_patch_func` in 2016): name, new_addr, old_addr, as pointers;
/// new_size, old_size, 32 bits each; version, 8 bits; 31 bytes for the hypervisor's own use, zero. Format 2 adds 8 more of these, and then
/// what to expect at old_addr: one byte (bit 0: enabled, bits 1 to 5: how many bytes, bits 6 and 7: reserved), and 31 bytes
/// (`livepatch_expectation_t`).
package struct FunctionEntry: Sendable, Equatable {
    /// The bytes that the hypervisor must find at the old address when it applies the payload.
    package struct Expectation: Sendable, Equatable {
        package var isEnabled: Bool
        /// How many bytes count: 0 to 31.
        package var count: Int
        /// The reserved bits, which must be zero, as the low bits of a number.
        package var reserved: UInt8
        /// All 31 bytes.
        package var data: [UInt8]

        /// The bytes that count.
        package var bytes: ArraySlice<UInt8> { data.prefix(count) }

        /// - Parameter bytes: the first `maximumCount` of these are used, and the others are left out.
        package init(_ bytes: [UInt8]) {
            isEnabled = true
            count = min(bytes.count, Self.maximumCount)
            reserved = 0
            data = Array(bytes.prefix(Self.maximumCount)) + Array(repeating: 0, count: Self.maximumCount - count)
        }

        init?(field: ArraySlice<UInt8>) {
            guard let flags = field.first, field.count == 1 + Self.maximumCount else { return nil }
            isEnabled = flags & 1 != 0
            count = Int(flags >> 1 & 0x1f)
            reserved = flags >> 6
            data = Array(field.dropFirst())
        }

        var field: [UInt8] { [(isEnabled ? 1 : 0) | UInt8(truncatingIfNeeded: count & 0x1f) << 1 | reserved << 6] + data }

        package static let maximumCount = 31
    }

    /// Addresses, as the entry's bytes have them. A field that a relocation fills may hold zero, or an addend.
    package var name: UInt64 = 0
    /// 0 when the function's first bytes become NOPs.
    package var newAddress: UInt64 = 0
    /// 0 when the loader looks up the function by its name.
    package var oldAddress: UInt64
    /// In bytes.
    package var newSize: UInt32
    package var oldSize: UInt32
    /// The version of the payload format.
    package var version: UInt8
    /// Nil before format 2, and when the entry has no expectation.
    package var expectation: Expectation?

    package init(oldAddress: UInt64, newSize: UInt32, oldSize: UInt32, version: UInt8, expectation: Expectation? = nil) {
        self.oldAddress = oldAddress
        self.newSize = newSize
        self.oldSize = oldSize
        self.version = version
        self.expectation = expectation
    }
}

extension FunctionEntry {
    /// Where the fields of an entry are, in bytes from its start.
    package struct Layout: Sendable, Equatable {
        package let pointerSize: Int
        private let hasExpectation: Bool

        package init(_ abi: PayloadABI, pointerSize: Int) {
            self.pointerSize = pointerSize
            hasExpectation = abi.hasExpectations
        }

        package var name: Int { 0 }
        package var newAddress: Int { pointerSize }
        package var oldAddress: Int { 2 * pointerSize }
        package var newSize: Int { 3 * pointerSize }
        package var oldSize: Int { newSize + 4 }
        package var version: Int { oldSize + 4 }
        /// Nil before format 2.
        package var expectation: Int? { hasExpectation ? version + 1 + 39 : nil }
        /// The size of the whole entry.
        package var size: Int { expectation.map { $0 + 1 + Expectation.maximumCount } ?? version + 1 + 31 }
    }

    /// Reads an entry.
    ///
    /// - Parameter bytes: exactly one entry.
    /// - Returns: nil when the number of bytes is not that of an entry.
    package init?(_ bytes: ArraySlice<UInt8>, layout: Layout, byteOrder: ByteOrder) {
        guard bytes.count == layout.size else { return nil }
        func number(_ offset: Int, _ width: Int) -> UInt64 {
            let start = bytes.startIndex + offset
            return byteOrder.number(bytes[start..<start + width])
        }
        let expectation = layout.expectation.flatMap { Expectation(field: bytes.dropFirst($0)) }
        self.init(
            oldAddress: number(layout.oldAddress, layout.pointerSize), newSize: UInt32(truncatingIfNeeded: number(layout.newSize, 4)),
            oldSize: UInt32(truncatingIfNeeded: number(layout.oldSize, 4)), version: UInt8(truncatingIfNeeded: number(layout.version, 1)),
            expectation: expectation)
        name = number(layout.name, layout.pointerSize)
        newAddress = number(layout.newAddress, layout.pointerSize)
    }

    /// The entry's bytes, as many as `layout.size`.
    package func bytes(layout: Layout, byteOrder: ByteOrder) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: layout.size)
        func put(_ value: UInt64, at offset: Int, width: Int) {
            result.replaceSubrange(offset..<offset + width, with: byteOrder.bytes(value, count: width))
        }
        put(name, at: layout.name, width: layout.pointerSize)
        put(newAddress, at: layout.newAddress, width: layout.pointerSize)
        put(oldAddress, at: layout.oldAddress, width: layout.pointerSize)
        put(UInt64(newSize), at: layout.newSize, width: 4)
        put(UInt64(oldSize), at: layout.oldSize, width: 4)
        put(UInt64(version), at: layout.version, width: 1)
        if let offset = layout.expectation, let field = expectation?.field { result.replaceSubrange(offset..<offset + field.count, with: field) }
        return result
    }
}

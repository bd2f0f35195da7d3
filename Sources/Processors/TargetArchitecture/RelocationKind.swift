import ELFModel

/// How to read, compare, write and limit a relocation.
///
/// In the terms of the processors' ABIs: S is the symbol's address, A the addend, P the address of the place that is filled.
package struct RelocationKind: Sendable, Equatable {
    /// What fills the place.
    package enum Value: Sendable, Equatable {
        /// Nothing.
        case nothing
        /// S + A.
        case absolute
        /// S + A - P.
        case relative
        /// The distance from P's page to the page of S + A. Pages have 4 KiB.
        case page
        /// Something that needs the tables of a dynamic linker, which a hypervisor does not have.
        case other
    }

    /// Which values fit.
    package enum Limit: Sendable, Equatable {
        /// All: the bits that do not fit are stored by another relocation, or never occur.
        case none
        /// Those that the field can hold as a signed number.
        case signed
        /// Those that the field can hold as a signed or as an unsigned number.
        case signedOrUnsigned
    }

    /// What the hypervisor's payload loader does with it.
    package enum Loading: Sendable, Equatable {
        case performed
        /// Performed without its addend: the symbol must be at the exact place.
        case withoutAddend
        case refused
        /// The loader accepts it but stores something else. The text says what goes wrong then.
        case wrong(String)
    }

    /// As the processor's ABI writes it: `R_X86_64_PC32`.
    package var name: String
    package var value: Value
    package var field: RelocationField
    package var limit: Limit
    package var loading: Loading
    /// What processors add to P before they count, in bytes. A branch's addend is smaller than its distance by this number. Where it
    /// depends on the instruction, this is the most common value.
    package var bias: Int64

    package init(
        _ name: String, _ value: Value, _ field: RelocationField, limit: Limit = .none, loading: Loading = .performed, bias: Int64 = 0
    ) {
        self.name = name
        self.value = value
        self.field = field
        self.limit = limit
        self.loading = loading
        self.bias = bias
    }

    /// How many bytes it fills, wholly or in part.
    package var width: Int { value == .nothing ? 0 : field.width }
    package var isPCRelative: Bool { value == .relative || value == .page }
    /// Whether only calls and jumps have it, so that it never takes an address (`R_X86_64_PLT32`, `R_AARCH64_CALL26`, `R_ARM_JUMP24`).
    package var isBranch: Bool { ["PLT32", "CALL", "JUMP"].contains { name.contains($0) } }
    /// Whether Xen's payload loader performs it as it is meant.
    package var isLoadable: Bool { loading == .performed || loading == .withoutAddend }

    private static let pageMask: UInt64 = 0xfff

    /// The value to store for S + A at P, before the field takes its bits from it; nil for `.nothing` and `.other`.
    package func result(_ target: UInt64, at place: UInt64) -> UInt64? {
        switch value {
        case .absolute: target
        case .relative: target &- place
        case .page: (target & ~Self.pageMask) &- (place & ~Self.pageMask)
        case .nothing, .other: nil
        }
    }

    /// Whether the field can hold a value that the function `result` returned.
    ///
    /// - Parameter addressSize: of the processor, in bytes. Results are numbers of that size.
    package func holds(_ result: UInt64, addressSize: Int) -> Bool {
        let number = Int64(bitPattern: addressSize == 4 ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: result))) : result)
        let bits = field.bits + field.shift
        guard bits < 64 else { return true }
        switch limit {
        case .none: return true
        case .signed: return number >= -(1 << (bits - 1)) && number < 1 << (bits - 1)
        case .signedOrUnsigned: return number >= -(1 << (bits - 1)) && number < 1 << bits
        }
    }

    /// What a filled field says about S + A: a value, and a mask of the bits that are known.
    ///
    /// - Parameter number: the bytes at the place, as a number.
    /// - Returns: nil for `.nothing` and `.other`.
    package func sighting(of number: UInt64, at place: UInt64) -> (value: UInt64, mask: UInt64)? {
        switch value {
        case .nothing, .other: return nil
        case .relative: return (field.signed(number) &+ place, .max)
        case .page: return (field.signed(number) &+ (place & ~Self.pageMask), ~Self.pageMask)
        case .absolute:
            let top = field.bits + field.shift
            if limit == .signed { return (field.signed(number), .max) }
            let above: UInt64 = top < 64 ? .max << UInt64(top) : 0
            return (field.unsigned(number), ~above & (field.dropsLowBits ? .max << UInt64(field.shift) : .max))
        }
    }
}

/// The bits that a relocation fills: of a word of data, or of an instruction.
package struct RelocationField: Sendable, Equatable {
    /// Bits of a value that are adjacent in the bytes.
    package struct BitGroup: Sendable, Equatable {
        package var count: Int
        /// The position of the group's lowest bit, counted from the number's lowest bit.
        package var at: Int

        package init(_ count: Int, at: Int) {
            self.count = count
            self.at = at
        }
    }

    /// In bytes: the size of the number that is read and written.
    package var width: Int
    /// How many of the value's low bits are not stored.
    package var shift: Int
    /// Whether the bits that are not stored may have any value, rather than zero: then another relocation stores them.
    package var dropsLowBits: Bool
    /// From the value's lowest stored bit up.
    package var groups: [BitGroup]
    /// How many of the addend's low bits are not stored, when the addend is in the field itself (`SHT_REL`).
    package var addendShift: Int

    package init(width: Int, shift: Int = 0, dropsLowBits: Bool = false, groups: [BitGroup], addendShift: Int? = nil) {
        self.width = width
        self.shift = shift
        self.dropsLowBits = dropsLowBits
        self.groups = groups
        self.addendShift = addendShift ?? shift
    }

    /// A number of whole bytes.
    package static func bytes(_ width: Int) -> RelocationField {
        RelocationField(width: width, groups: [BitGroup(8 * width, at: 0)])
    }

    /// How many bits of the value are stored.
    package var bits: Int { groups.reduce(0) { $0 + $1.count } }

    /// The bits of the number that the relocation fills.
    package var mask: UInt64 { groups.reduce(0) { $0 | Self.ones($1.count) << UInt64($1.at) } }

    /// `number` with the bits of `value` in the field.
    package func storing(_ value: UInt64, in number: UInt64) -> UInt64 { place(value >> UInt64(shift), in: number) }

    /// The value that the field of `number` holds. `unsigned` fills the upper bits with zeros, `signed` with the sign.
    package func unsigned(_ number: UInt64) -> UInt64 { collect(number) << UInt64(shift) }
    package func signed(_ number: UInt64) -> UInt64 { signExtended(collect(number)) << UInt64(shift) }

    /// The addend in a number whose field is not filled yet (`SHT_REL`).
    package func addend(in number: UInt64) -> Int64 { Int64(bitPattern: signExtended(collect(number)) << UInt64(addendShift)) }

    /// `number` with an addend in the field; nil when the addend does not fit.
    package func storing(addend: Int64, in number: UInt64) -> UInt64? {
        let stored = place(UInt64(bitPattern: addend) >> UInt64(addendShift), in: number)
        return self.addend(in: stored) == addend || (bits == 32 && UInt64(bitPattern: addend) >> 32 == 0) ? stored : nil
    }

    private func place(_ value: UInt64, in number: UInt64) -> UInt64 {
        var (rest, result) = (value, number & ~mask)
        for group in groups {
            result |= (rest & Self.ones(group.count)) << UInt64(group.at)
            rest >>= UInt64(group.count)
        }
        return result
    }

    private func collect(_ number: UInt64) -> UInt64 {
        var (value, position) = (UInt64(0), 0)
        for group in groups {
            value |= (number >> UInt64(group.at) & Self.ones(group.count)) << UInt64(position)
            position += group.count
        }
        return value
    }

    private func signExtended(_ value: UInt64) -> UInt64 {
        guard bits > 0, bits < 64, value >> UInt64(bits - 1) & 1 == 1 else { return value }
        return value | .max << UInt64(bits)
    }

    private static func ones(_ count: Int) -> UInt64 { count < 64 ? 1 << UInt64(count) - 1 : .max }
}

import ELFModel

/// How a relocation is read, compared, written and limited.
///
/// In the words of the processors' ABIs: S is the symbol's address, A the addend, P the address of the place that is filled.
package struct RelocationKind: Sendable, Equatable {
    /// What the place is filled with.
    package enum Value: Sendable, Equatable {
        /// Nothing.
        case nothing
        /// S + A.
        case absolute
        /// S + A - P.
        case relative
        /// The distance from P's page to that of S + A: pages of 4 KiB.
        case page
        /// Something that takes tables of a dynamic linker; nothing that a hypervisor has.
        case other
    }

    /// Which values fit.
    package enum Limit: Sendable, Equatable {
        /// All: what has no room is left to another relocation, or is never there.
        case none
        /// Those that the field holds as a signed number.
        case signed
        /// Those that it holds as a signed or as an unsigned number.
        case signedOrUnsigned
    }

    /// What the hypervisor's payload loader makes of it.
    package enum Loading: Sendable, Equatable {
        case performed
        /// Without its addend: the symbol has to be at the very place.
        case withoutAddend
        case refused
        /// The loader takes it and stores something else: what that is, as the end of a sentence.
        case wrong(String)
    }

    /// As the processor's ABI writes it: `R_X86_64_PC32`.
    package var name: String
    package var value: Value
    package var field: RelocationField
    package var limit: Limit
    package var loading: Loading
    /// What processors add to P before they count: a branch's addend is less than its distance by that, in bytes. Where it depends on
    /// the instruction, the most common one.
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

    /// The bytes that it fills, or fills bits of.
    package var width: Int { value == .nothing ? 0 : field.width }
    package var isPCRelative: Bool { value == .relative || value == .page }
    /// Whether Xen's payload loader performs it as it is meant.
    package var isLoadable: Bool { loading == .performed || loading == .withoutAddend }

    private static let pageMask: UInt64 = 0xfff

    /// What is stored for S + A at P, before the field takes its bits out of it; nil for `.nothing` and `.other`.
    package func result(_ target: UInt64, at place: UInt64) -> UInt64? {
        switch value {
        case .absolute: target
        case .relative: target &- place
        case .page: (target & ~Self.pageMask) &- (place & ~Self.pageMask)
        case .nothing, .other: nil
        }
    }

    /// Whether the field can hold a result, as `result` gives it.
    ///
    /// - Parameter addressSize: of the processor, in bytes: results are numbers of that size.
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

    /// What a filled field tells of S + A.
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
    /// Some bits of a value that stand together in the bytes.
    package struct BitGroup: Sendable, Equatable {
        package var count: Int
        /// The lowest one, counted from the number's lowest.
        package var at: Int

        package init(_ count: Int, at: Int) {
            self.count = count
            self.at = at
        }
    }

    /// In bytes: what is read and written as one number.
    package var width: Int
    /// How many of the value's low bits are not stored.
    package var shift: Int
    /// Whether those may be anything, rather than zero: another relocation stores them.
    package var dropsLowBits: Bool
    /// From the value's lowest stored bit up.
    package var groups: [BitGroup]
    /// How many of the addend's low bits are not stored, where the addend stands in the field itself (`SHT_REL`).
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

    /// The bits of the number that are filled.
    package var mask: UInt64 { groups.reduce(0) { $0 | Self.ones($1.count) << UInt64($1.at) } }

    /// The number with a value's bits in it.
    package func storing(_ value: UInt64, in number: UInt64) -> UInt64 { place(value >> UInt64(shift), in: number) }

    /// The value whose bits are in the number, its upper ones zero, or those of the sign.
    package func unsigned(_ number: UInt64) -> UInt64 { collect(number) << UInt64(shift) }
    package func signed(_ number: UInt64) -> UInt64 { signExtended(collect(number)) << UInt64(shift) }

    /// The addend that stands in a number whose field is not filled yet (`SHT_REL`).
    package func addend(in number: UInt64) -> Int64 { Int64(bitPattern: signExtended(collect(number)) << UInt64(addendShift)) }

    /// The number with an addend in it; nil when it has no room.
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

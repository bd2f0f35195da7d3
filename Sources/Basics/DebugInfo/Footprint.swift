/// Which scalars a type consists of and at which bits they lie: the layout of a type without its names, its nesting and its typedefs.
///
/// Two types have equal footprints if every scalar of each lies at the same bits with the same representation. Pointers are scalars; what
/// they point to does not matter here.
///
/// The value is a polynomial over the field of the integers modulo 2⁶¹ − 1, evaluated at two points: the scalar at bit n contributes its own
/// number times the point to the power of n. So a type's footprint is the sum of those of its members, each shifted to its place, and an
/// array of any length takes a few multiplications. That different types have the same value is possible, with a probability below 2⁻⁹⁰.
package struct Footprint: Sendable, Hashable {
    private var first: UInt64
    private var second: UInt64

    /// Of a type without any scalar, such as an empty struct.
    package static let empty = Footprint(first: 0, second: 0)

    /// How the bits of a scalar are to be read.
    package enum Representation: UInt64, Sendable {
        case signed = 1
        case unsigned, boolean, float, complex, pointer
        /// The elements of an array without a bound, from here to wherever the object ends.
        case openEnd
        /// What a pointer leads to, in a footprint that has nothing else.
        case target
        case other
    }

    private init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    /// One scalar at bit 0.
    ///
    /// - Parameters:
    ///   - bits: its size.
    ///   - detail: distinguishes scalars of one representation and size.
    package init(_ representation: Representation, bits: UInt64, detail: UInt64 = 0) {
        let number = Self.mixed(Self.mixed(Self.mixed(representation.rawValue) ^ bits) ^ detail)
        first = number % Field.modulus
        second = Self.mixed(number) % Field.modulus
    }

    /// An array without a bound. `char t[0]` and `char t[]` have the same.
    static func openEnd(of element: Footprint) -> Footprint {
        Footprint(.openEnd, bits: 0, detail: mixed(element.first) ^ element.second)
    }

    /// A pointer as a target: of two types whose pointers lead to the same kinds of objects, these footprints are equal.
    ///
    /// - Parameter spelling: how C writes what it points to, without typedefs and qualifiers.
    static func target(_ spelling: String) -> Footprint {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in spelling.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Footprint(.target, bits: 0, detail: hash)
    }

    static func + (a: Footprint, b: Footprint) -> Footprint {
        Footprint(first: Field.sum(a.first, b.first), second: Field.sum(a.second, b.second))
    }

    static func += (a: inout Footprint, b: Footprint) { a = a + b }

    /// The same scalars, `bits` further up.
    func shifted(by bits: UInt64) -> Footprint {
        guard self != .empty, bits > 0 else { return self }
        return Footprint(first: Field.product(first, Field.first.power(bits)), second: Field.product(second, Field.second.power(bits)))
    }

    /// As many copies as `count` says, each `stride` bits behind the one before.
    func repeated(_ count: UInt64, stride: UInt64) -> Footprint {
        // Doubling: the copies so far, followed by the same again.
        var result = Footprint.empty, block = self, blockLength = stride, place: UInt64 = 0, rest = count
        while rest > 0, self != .empty {
            if rest & 1 == 1 {
                result += block.shifted(by: place)
                place &+= blockLength
            }
            block += block.shifted(by: blockLength)
            blockLength = blockLength &* 2
            rest >>= 1
        }
        return result
    }

    /// Spreads the bits of a number (the finaliser of SplitMix64).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var x = number &+ 0x9e37_79b9_7f4a_7c15
        x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
        x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
        return x ^ (x >> 31)
    }
}

/// Arithmetic modulo 2⁶¹ − 1, and the powers of one number.
private struct Field: Sendable {
    static let modulus: UInt64 = (1 << 61) - 1
    static let first = Field(base: 0x0a3c_59ac_2f15_d1e7)
    static let second = Field(base: 0x1b87_3593_cc9e_2d51)

    /// The base to the power of 2ⁿ, for each n.
    private let squares: [UInt64]

    init(base: UInt64) {
        var squares: [UInt64] = [], square = base % Self.modulus
        for _ in 0..<64 {
            squares.append(square)
            square = Self.product(square, square)
        }
        self.squares = squares
    }

    func power(_ exponent: UInt64) -> UInt64 {
        var result: UInt64 = 1, rest = exponent
        while rest > 0 {
            result = Self.product(result, squares[rest.trailingZeroBitCount])
            rest &= rest - 1
        }
        return result
    }

    static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let sum = a + b
        return sum >= modulus ? sum - modulus : sum
    }

    static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (high, low) = a.multipliedFullWidth(by: b)
        return sum(low & modulus, (high << 3 | low >> 61))
    }
}

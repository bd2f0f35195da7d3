/// A place that an instruction of linked code names, and what the instruction does with it.
package struct PlaceUse: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A jump or a call: the code goes on there.
        case goesTo
        /// Memory there is read; also a jump or a call through a pointer that is there.
        case reads
        /// Memory there is written, whether it is read as well or not.
        case writes
        /// Only the address is made.
        case takesAddress
    }

    /// Of the instruction, in bytes from the code's start. Uses come in the order of their instructions.
    package var offset: Int
    package var place: UInt64
    package var kind: Kind
    /// For what is read, the number of the register that gets it. For what is written, that of the register with the value, if the code has not
    /// changed it since it began, or if it is a vector register. Nil if there is none.
    package var register: UInt8?
    /// The address that is written, if the code shows it.
    package var value: UInt64?
    /// For a call or a jump, the addresses in the registers of the first arguments, by the registers' numbers.
    package var arguments: [UInt8: UInt64]

    package init(
        offset: Int, place: UInt64, kind: Kind, register: UInt8? = nil, value: UInt64? = nil, arguments: [UInt8: UInt64] = [:]
    ) {
        self.offset = offset
        self.place = place
        self.kind = kind
        self.register = register
        self.value = value
        self.arguments = arguments
    }
}

/// The addresses that a processor's registers hold, while code is followed from instruction to instruction.
package struct HeldAddresses: Sendable {
    private var places: [UInt8: UInt64] = [:]
    /// The registers with arguments of the function that it has not changed yet.
    private var untouched: Set<UInt8>
    private let arguments: Set<UInt8>

    /// - Parameter arguments: the registers with the first arguments of a call.
    package init(arguments: Set<UInt8>) {
        self.arguments = arguments
        untouched = arguments
    }

    package subscript(register: UInt8) -> UInt64? {
        get { places[register] }
        set {
            places[register] = newValue
            untouched.remove(register)
        }
    }

    package func isUntouched(_ register: UInt8) -> Bool { untouched.contains(register) }

    /// What a call would get.
    package var inArguments: [UInt8: UInt64] { places.filter { arguments.contains($0.key) } }

    /// A function is called, which may change these registers.
    package mutating func forget(_ registers: some Sequence<UInt8>) {
        for register in registers { self[register] = nil }
    }
}

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
    /// The number of the register that gets the address or the value, or whose value is written; nil if there is none, or if it is not known.
    package var register: UInt8?

    package init(offset: Int, place: UInt64, kind: Kind, register: UInt8? = nil) {
        self.offset = offset
        self.place = place
        self.kind = kind
        self.register = register
    }
}

/// What a register or a stack slot may hold, as far as it matters for following one address.
struct TrackedValue: Equatable {
    /// It may point into the constant, or to its end.
    var mayBeAddress = false
    /// It may be something else.
    var mayBeOther = true
    /// How many of its low bytes are certainly something else.
    var cleanBytes = 0
    /// A call has left something undefined there, so it can't be meant as an argument.
    var isUndefined = false
    /// It may point into the function's stack frame.
    var isStack = false
    /// The exact place in the frame that it points to, in bytes from the return address; nil when unknown.
    var frame: Int64?

    static let other = TrackedValue()
    static let address = TrackedValue(mayBeAddress: true, mayBeOther: false)
    static let maybeAddress = TrackedValue(mayBeAddress: true)
    static let undefined = TrackedValue(isUndefined: true)
    static func stack(_ offset: Int64?) -> TrackedValue { .init(isStack: true, frame: offset) }

    var isAddressForSure: Bool { mayBeAddress && !mayBeOther }

    /// What the place may hold where two paths meet: either of the two values.
    func or(_ other: TrackedValue) -> TrackedValue {
        guard self != other else { return self }
        // A value that is not an address is clean in all of its bytes.
        let clean = [self, other].filter(\.mayBeAddress).map(\.cleanBytes).min() ?? 0
        return TrackedValue(
            mayBeAddress: mayBeAddress || other.mayBeAddress, mayBeOther: mayBeOther || other.mayBeOther, cleanBytes: clean,
            isUndefined: isUndefined && other.isUndefined, isStack: isStack || other.isStack,
            frame: frame == other.frame && isStack && other.isStack ? frame : nil)
    }
}

/// What is known at one point of a function.
struct AddressState: Equatable {
    /// By register number.
    private var registers = [TrackedValue](repeating: .other, count: 16)
    /// The stack slots of 8 bytes that may hold the address, by their distance from the return address.
    var slots: [Int64: TrackedValue] = [:]

    /// The state at a function's start. When `argumentCount` is nil, all six argument registers may hold arguments.
    init(argumentCount: Int?) {
        self[.rsp] = .stack(0)
        for register in Register.arguments.dropFirst(argumentCount ?? 6) { self[register] = .undefined }
    }

    subscript(register: Register) -> TrackedValue {
        get { registers.indices.contains(register) ? registers[register] : .maybeAddress }
        set { if registers.indices.contains(register) { registers[register] = newValue } }
    }

    func or(_ other: AddressState) -> AddressState {
        guard self != other else { return self }
        var result = self
        for register in 0..<16 { result[register] = self[register].or(other[register]) }
        result.slots = slots.merging(other.slots) { $0.or($1) }
        for offset in result.slots.keys where slots[offset] == nil || other.slots[offset] == nil {
            result.slots[offset]?.mayBeOther = true
        }
        return result
    }

    var holdsAddress: Bool { !slots.isEmpty || (0..<16).contains { self[$0].mayBeAddress } }

    /// Writes to the low bytes of a register, `width` of them. Writing 4 clears the upper half.
    mutating func write(_ value: TrackedValue, to register: Register, width: Int, isSecondByte: Bool) {
        guard width < 4 else {
            var value = value
            if width < 8, register != .rsp, value.isStack { value.frame = nil }
            self[register] = value
            return
        }
        var merged = self[register]
        merged.isUndefined = false
        merged.frame = nil
        if value.mayBeAddress {
            merged = merged.or(.maybeAddress)
            merged.cleanBytes = 0
        } else if merged.mayBeAddress, !isSecondByte {
            merged.mayBeOther = true
            merged.cleanBytes = max(merged.cleanBytes, width)
        }
        self[register] = merged
    }

    /// The low bytes of a register.
    func read(_ register: Register, width: Int, isSecondByte: Bool) -> TrackedValue {
        var value = self[register]
        if value.mayBeAddress, value.cleanBytes >= (isSecondByte ? 2 : width) { return .other }
        // Read as a whole, a partly overwritten address is no longer certainly an address.
        if value.cleanBytes > 0 { value.mayBeOther = true }
        value.isUndefined = false
        return value
    }

    // MARK: The stack

    /// What `width` bytes of the stack may hold. When `offset` is nil, the place is unknown and may be any slot.
    func load(_ offset: Int64?, width: Int) -> TrackedValue {
        guard !slots.isEmpty else { return .other }
        guard let offset else { return .maybeAddress }
        if width == 8, let exact = slots[offset] { return exact }
        return overlapping(offset, width).isEmpty ? .other : .maybeAddress
    }

    mutating func store(_ value: TrackedValue, at offset: Int64, width: Int) {
        for other in overlapping(offset, width) {
            if other >= offset, other + 8 <= offset + Int64(width) { slots[other] = nil } else { slots[other] = .maybeAddress }
        }
        if value.mayBeAddress { slots[offset] = value }
    }

    /// A store at an unknown place: any slot may hold something else now.
    mutating func storeSomewhere() {
        for offset in slots.keys { slots[offset]?.mayBeOther = true }
    }

    private func overlapping(_ offset: Int64, _ width: Int) -> [Int64] {
        slots.keys.filter { $0 + 8 > offset && $0 < offset + Int64(width) }
    }
}

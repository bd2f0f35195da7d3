/// Numbers for identifiers. The words of the language have the numbers of `Word`.
struct NameTable: Sendable {
    /// All names, one behind the other.
    private var bytes: [UInt8] = []
    /// Where each name ends in `bytes`.
    private var ends: [Int32] = []
    /// Open addressing: the number of a name, or -1.
    private var slots = [Int32](repeating: -1, count: 1 << 14)

    init() {
        for word in Word.allCases { _ = number(of: word.text) }
    }

    var count: Int { ends.count }

    func name(_ number: Int32) -> ArraySlice<UInt8> {
        let index = Int(number)
        return bytes[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
    }

    mutating func number(of name: String) -> Int32 {
        var name = name
        return name.withUTF8 { number(of: $0) }
    }

    mutating func number(of name: UnsafeBufferPointer<UInt8>) -> Int32 {
        var slot = slot(of: name)
        if slots[slot] >= 0 { return slots[slot] }
        if ends.count * 2 > slots.count {
            grow()
            slot = self.slot(of: name)
        }
        let number = Int32(ends.count)
        slots[slot] = number
        bytes.append(contentsOf: name)
        ends.append(Int32(bytes.count))
        return number
    }

    /// The number of a name that has one.
    func existing(_ name: some Collection<UInt8>) -> Int32? {
        Array(name).withUnsafeBufferPointer { name in
            let found = slots[slot(of: name)]
            return found >= 0 ? found : nil
        }
    }

    /// The slot that a name is in, or the free one for it.
    private func slot(of name: UnsafeBufferPointer<UInt8>) -> Int {
        var slot = Int(truncatingIfNeeded: Self.hash(name)) & (slots.count - 1)
        while slots[slot] >= 0, !equals(slots[slot], name) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func equals(_ number: Int32, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let index = Int(number)
        let start = index == 0 ? 0 : Int(ends[index - 1])
        guard Int(ends[index]) - start == name.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in name.indices.allSatisfy { bytes[start + $0] == name[$0] } }
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for number in ends.indices.map(Int32.init) {
            let home = Array(name(number)).withUnsafeBufferPointer { slot(of: $0) }
            slots[home] = number
        }
    }

    /// FNV-1a.
    private static func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
        name.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

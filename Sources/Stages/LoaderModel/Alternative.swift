import TargetArchitecture

/// One entry of a table of alternatives: code, and what the hypervisor writes over it on some processors (`struct alt_instr`).
package struct Alternative: Sendable {
    /// The addresses of the code and of its replacement.
    package var original: UInt64
    package var replacement: UInt64
    /// The number of the processors' feature, with flags.
    var feature: UInt16
    /// In bytes.
    var originalLength: UInt8
    package var newLength: UInt8
    /// How many bytes of NOPs follow the code, to be overwritten with it; 0 where the table does not count them.
    var padding: UInt8
    /// Whether the entry says that the hypervisor has dealt with it.
    var isDone: Bool

    /// How many bytes the hypervisor writes.
    var wholeLength: Int { Int(originalLength) + Int(padding) }

    /// - Parameters:
    ///   - bytes: the table, which is at address `start`.
    ///   - offset: of the entry, in bytes.
    init?(_ bytes: ArraySlice<UInt8>, _ offset: UInt64, _ layout: SpecialTable, at start: UInt64) {
        guard let end = layout.replacement?.lengthOffset.map(UInt64.init), offset + UInt64(layout.entrySize) <= UInt64(bytes.count),
            let toOriginal: UInt32 = bytes.number(at: offset), let toReplacement: UInt32 = bytes.number(at: offset + 4),
            let feature: UInt16 = bytes.number(at: offset + end - 3), let originalLength: UInt8 = bytes.number(at: offset + end - 1),
            let newLength: UInt8 = bytes.number(at: offset + end)
        else { return nil }
        func follow(_ distance: UInt32, from place: UInt64) -> UInt64 { place &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance))) }
        original = follow(toOriginal, from: start &+ offset)
        replacement = follow(toReplacement, from: start &+ offset &+ 4)
        (self.feature, self.originalLength, self.newLength) = (feature, originalLength, newLength)
        // Where the table counts padding separately, its length and the mark follow that of the replacement code.
        let hasPadding = Int(end) + 2 < layout.entrySize
        padding = hasPadding ? bytes.number(at: offset + end + 1) ?? 0 : 0
        let mark: UInt8? = hasPadding ? bytes.number(at: offset + end + 2) : nil
        isDone = mark ?? 0 != 0
    }

    /// Whether replacement code is a call or jump to itself: the hypervisor puts in where a pointer leads to.
    static func callsItself(_ code: ArraySlice<UInt8>) -> Bool {
        code.count >= 5 && code[code.startIndex] & 0xFE == 0xE8 && code.dropFirst().prefix(4).elementsEqual([0xFB, 0xFF, 0xFF, 0xFF])
    }
}

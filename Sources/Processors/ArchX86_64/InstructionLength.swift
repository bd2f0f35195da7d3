// How long is an instruction, and where in it are the bytes that a relocation may fill in.
//
// A PC-relative relocation is computed from the address of its slot, the processor computes from the end of the
// instruction. Usually the slot comes last and the addend holds the 4 bytes between; when an immediate operand
// follows (`cmpl $1, flag(%rip)`), more. Whoever wants to know which place a relocation means needs that difference.
//
// Source of the rules: Intel SDM volume 2, chapter 2 and appendix A; AMD APM volume 3, appendix A. Only 64-bit mode.

/// Where the parts of one instruction are, as byte offsets from its first byte.
package struct InstructionLayout: Sendable, Equatable {
    /// In bytes, prefixes included: 1 to 15.
    package var length: Int
    /// The displacement of a memory operand, or the absolute address of a `movabs`.
    package var displacement: Range<Int>?
    /// An immediate operand, or the offset of a branch. It always ends the instruction.
    package var immediate: Range<Int>?

    package init(length: Int, displacement: Range<Int>? = nil, immediate: Range<Int>? = nil) {
        self.length = length
        self.displacement = displacement
        self.immediate = immediate
    }
}

/// Decodes the instruction at the start of `bytes`, which may go on behind it.
///
/// - Returns: nil for an encoding that is invalid in 64-bit mode, that processors disagree on, or that this table does not
///   know, and for an instruction that `bytes` cuts short. It never guesses.
package func decodeInstruction(_ bytes: ArraySlice<UInt8>) -> InstructionLayout? {
    // No instruction is longer than 15 bytes; the processor refuses longer ones.
    var decoder = Decoder(bytes: bytes.prefix(15))
    return decoder.decode()
}

/// The number of bytes between the end of a relocation's slot and the end of the instruction that holds it.
///
/// - Parameters:
///   - slot: The bytes that the relocation fills in, as indices of `function`.
///   - function: The machine code from an instruction's start on, normally a whole function.
/// - Returns: nil when the code up to the slot can't be decoded, or when the slot is not exactly a displacement or an immediate.
package func trailingBytes(after slot: Range<Int>, in function: ArraySlice<UInt8>) -> Int? {
    var start = function.startIndex
    guard slot.lowerBound >= start, slot.upperBound <= function.endIndex else { return nil }
    while start <= slot.lowerBound {
        guard let instruction = decodeInstruction(function[start...]) else { return nil }
        let end = start + instruction.length
        if slot.lowerBound < end {
            let field = slot.lowerBound - start..<slot.upperBound - start
            guard field == instruction.displacement || field == instruction.immediate else { return nil }
            return end - slot.upperBound
        }
        start = end
    }
    return nil
}

/// What follows an opcode.
private enum Form {
    /// Nothing, or an immediate alone.
    case plain(Immediate)
    /// A ModRM byte with what it asks for, then an immediate.
    case modRM(Immediate)
    /// A ModRM byte that names registers whatever its mode bits say: moves to control and debug registers.
    case registers
    /// The address of a `movabs` to or from the accumulator.
    case address
    /// A ModRM byte whose `reg` field decides what the instruction is.
    case group((_ modRM: UInt8) -> Immediate?)
}

/// The size of an immediate operand.
private enum Immediate {
    case none, byte, word, threeBytes, double
    /// 2 bytes with the operand-size prefix, else 4.
    case operandSize
    /// As `operandSize`, but 8 bytes with REX.W.
    case fullOperandSize
    /// 4 bytes. With the operand-size prefix Intel and AMD disagree, so then it is not known.
    case branch
}

private struct Decoder {
    let bytes: ArraySlice<UInt8>
    private var position: Int
    private var operandSizePrefix = false
    private var addressSizePrefix = false
    private var repeatPrefix: UInt8?
    private var lockPrefix = false
    private var rex: UInt8?

    init(bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    private mutating func next() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func decode() -> InstructionLayout? {
        guard var opcode = next() else { return nil }
        while readLegacyPrefix(opcode) {
            guard let following = next() else { return nil }
            opcode = following
        }
        if opcode & 0xF0 == 0x40 {
            rex = opcode
            guard let following = next() else { return nil }
            opcode = following
        }
        switch opcode {
        case 0x0F: return decodeEscaped()
        case 0xC4, 0xC5: return decodeVEX(opcode)
        case 0x62: return decodeEVEX()
        case 0x8F:
            // The map field of an XOP prefix is at least 8, which as ModRM would be a POP with a reg field other than 0.
            guard position < bytes.endIndex else { return nil }
            return bytes[position] & 0x1F >= 8 ? decodeXOP() : finish(oneByte(opcode))
        default: return finish(oneByte(opcode))
        }
    }

    private mutating func readLegacyPrefix(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x66: operandSizePrefix = true
        case 0x67: addressSizePrefix = true
        case 0xF2, 0xF3: repeatPrefix = byte
        case 0xF0: lockPrefix = true
        case 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65: break
        default: return false
        }
        return true
    }

    private mutating func decodeEscaped() -> InstructionLayout? {
        guard let opcode = next() else { return nil }
        switch opcode {
        case 0x38:
            guard let third = next(), isKnown38(third) else { return nil }
            return finish(.modRM(.none))
        case 0x3A:
            guard let third = next(), isKnown3A(third) else { return nil }
            return finish(.modRM(.byte))
        default:
            return finish(twoByte(opcode))
        }
    }

    /// Prefixes that make an instruction with a vector prefix invalid.
    private var hasPrefixForbiddenBeforeVector: Bool {
        operandSizePrefix || repeatPrefix != nil || lockPrefix || rex != nil
    }

    private mutating func decodeVEX(_ first: UInt8) -> InstructionLayout? {
        guard !hasPrefixForbiddenBeforeVector, let second = next() else { return nil }
        var map: UInt8 = 1
        if first == 0xC4 {
            map = second & 0x1F
            guard next() != nil else { return nil }
        }
        guard let opcode = next() else { return nil }
        // VZEROUPPER and VZEROALL are the only ones without a ModRM byte.
        if map == 1 && opcode == 0x77 { return finish(.plain(.none)) }
        return map <= 3 ? finish(vector(map: map, opcode: opcode)) : nil
    }

    private mutating func decodeEVEX() -> InstructionLayout? {
        guard !hasPrefixForbiddenBeforeVector, let p0 = next(), let p1 = next(), next() != nil, let opcode = next() else {
            return nil
        }
        // Bits that are fixed in AVX-512; APX gives them a meaning, and other lengths with it.
        guard p0 & 0x08 == 0, p1 & 0x04 != 0 else { return nil }
        return finish(vector(map: p0 & 0x07, opcode: opcode))
    }

    private mutating func decodeXOP() -> InstructionLayout? {
        guard !hasPrefixForbiddenBeforeVector, let p0 = next(), next() != nil, next() != nil else { return nil }
        switch p0 & 0x1F {
        case 8: return finish(.modRM(.byte))
        case 9: return finish(.modRM(.none))
        case 10: return finish(.modRM(.double))
        default: return nil
        }
    }

    /// Reads what `form` asks for, and gives the whole.
    private mutating func finish(_ form: Form?) -> InstructionLayout? {
        guard let form else { return nil }
        var displacement: Range<Int>?
        let immediate: Immediate
        switch form {
        case .plain(let kind):
            immediate = kind
        case .modRM(let kind):
            guard readOperand(&displacement) else { return nil }
            immediate = kind
        case .registers:
            guard next() != nil else { return nil }
            immediate = .none
        case .address:
            guard take(addressSizePrefix ? 4 : 8, &displacement) else { return nil }
            immediate = .none
        case .group(let decide):
            guard position < bytes.endIndex, let kind = decide(bytes[position]), readOperand(&displacement) else { return nil }
            immediate = kind
        }
        var immediateRange: Range<Int>?
        guard let size = size(of: immediate), take(size, &immediateRange) else { return nil }
        return InstructionLayout(
            length: position - bytes.startIndex, displacement: displacement, immediate: immediateRange)
    }

    private func size(of immediate: Immediate) -> Int? {
        let wide = rex.map { $0 & 0x08 != 0 } ?? false
        switch immediate {
        case .none: return 0
        case .byte: return 1
        case .word: return 2
        case .threeBytes: return 3
        case .double: return 4
        case .operandSize: return operandSizePrefix && !wide ? 2 : 4
        case .fullOperandSize: return wide ? 8 : operandSizePrefix ? 2 : 4
        case .branch: return operandSizePrefix && !wide ? nil : 4
        }
    }

    /// Moves over `count` bytes; `range` becomes their place, counted from the instruction's start.
    private mutating func take(_ count: Int, _ range: inout Range<Int>?) -> Bool {
        guard count > 0 else { return true }
        guard bytes.endIndex - position >= count else { return false }
        let offset = position - bytes.startIndex
        range = offset..<offset + count
        position += count
        return true
    }

    /// ModRM, SIB and displacement.
    private mutating func readOperand(_ displacement: inout Range<Int>?) -> Bool {
        guard let modRM = next() else { return false }
        let mode = modRM >> 6
        guard mode != 3 else { return true }
        var base = modRM & 7
        if base == 4 {
            guard let sib = next() else { return false }
            base = sib & 7
        }
        switch mode {
        case 1: return take(1, &displacement)
        case 2: return take(4, &displacement)
        // No base register: an address relative to RIP, or with SIB an absolute one.
        default: return base == 5 ? take(4, &displacement) : true
        }
    }

    // MARK: The opcode maps

    private func oneByte(_ opcode: UInt8) -> Form? {
        switch opcode {
        case 0x00...0x3F:
            switch opcode & 7 {
            case 0...3: .modRM(.none)
            case 4: .plain(.byte)
            case 5: .plain(.operandSize)
            default: nil
            }
        case 0x50...0x5F, 0x6C...0x6F, 0x90...0x99, 0x9B...0x9F, 0xA4...0xA7, 0xAA...0xAF: .plain(.none)
        case 0x63, 0x84...0x8E, 0xD0...0xD3, 0xD8...0xDF: .modRM(.none)
        case 0x68, 0xA9: .plain(.operandSize)
        case 0x69, 0x81: .modRM(.operandSize)
        case 0x6A, 0x70...0x7F, 0xA8, 0xB0...0xB7, 0xCD, 0xE0...0xE7, 0xEB: .plain(.byte)
        case 0x6B, 0x80, 0x83, 0xC0, 0xC1: .modRM(.byte)
        case 0x8F: .group { $0 & 0x38 == 0 ? Immediate.none : nil }
        case 0xA0...0xA3: .address
        case 0xB8...0xBF: .plain(.fullOperandSize)
        case 0xC2, 0xCA: .plain(.word)
        case 0xC3, 0xC9, 0xCB, 0xCC, 0xCF, 0xD7, 0xEC...0xEF, 0xF1, 0xF4, 0xF5, 0xF8...0xFD: .plain(.none)
        // MOV, and XABORT or XBEGIN.
        case 0xC6: .group { $0 & 0x38 == 0 || $0 == 0xF8 ? .byte : nil }
        case 0xC7: .group { $0 & 0x38 == 0 ? .operandSize : $0 == 0xF8 ? .branch : nil }
        case 0xC8: .plain(.threeBytes)
        case 0xE8, 0xE9: .plain(.branch)
        // Only TEST, the first two of the group, has an immediate.
        case 0xF6: .group { $0 & 0x30 == 0 ? .byte : Immediate.none }
        case 0xF7: .group { $0 & 0x30 == 0 ? .operandSize : Immediate.none }
        case 0xFE: .group { $0 & 0x30 == 0 ? Immediate.none : nil }
        case 0xFF: .group { $0 & 0x38 == 0x38 ? nil : Immediate.none }
        default: nil
        }
    }

    private func twoByte(_ opcode: UInt8) -> Form? {
        switch opcode {
        case 0x00: .group { $0 & 0x38 <= 0x28 ? Immediate.none : nil }
        case 0x01...0x03, 0x0D, 0x10...0x1F, 0x28...0x2F, 0x40...0x6F, 0x74...0x76, 0x79, 0x7C...0x7F: .modRM(.none)
        case 0x05...0x09, 0x0B, 0x0E, 0x30...0x35, 0x37, 0x77, 0xA0...0xA2, 0xA8...0xAA, 0xC8...0xCF: .plain(.none)
        case 0x70...0x73, 0xA4, 0xAC, 0xC2, 0xC4...0xC6: .modRM(.byte)
        case 0x20...0x23: .registers
        // VMREAD; with a prefix it is EXTRQ or INSERTQ with two immediate bytes.
        case 0x78: .modRM(operandSizePrefix || repeatPrefix == 0xF2 ? .word : .none)
        case 0x80...0x8F: .plain(.branch)
        case 0x90...0x9F, 0xA3, 0xA5, 0xAB, 0xAD...0xB7, 0xB9, 0xBB...0xC1, 0xC3, 0xC7, 0xD0...0xFE: .modRM(.none)
        // POPCNT; without its prefix an instruction of another architecture's emulation.
        case 0xB8: repeatPrefix == 0xF3 ? .modRM(.none) : nil
        case 0xBA: .group { $0 & 0x20 != 0 ? .byte : nil }
        default: nil
        }
    }

    private func isKnown38(_ opcode: UInt8) -> Bool {
        switch opcode {
        case 0x00...0x0B, 0x10, 0x14, 0x15, 0x17, 0x1C...0x1E, 0x20...0x25, 0x28...0x2B, 0x30...0x35, 0x37...0x41,
            0x80...0x82, 0xC8...0xCD, 0xCF, 0xD8, 0xDB...0xDF, 0xF0, 0xF1, 0xF5, 0xF6, 0xF8, 0xF9:
            true
        default: false
        }
    }

    private func isKnown3A(_ opcode: UInt8) -> Bool {
        switch opcode {
        case 0x08...0x0F, 0x14...0x17, 0x20...0x22, 0x40...0x42, 0x44, 0x60...0x63, 0xCC, 0xCE, 0xCF, 0xDF, 0xF0: true
        default: false
        }
    }

    /// The maps of VEX and EVEX. Maps 2, 5 and 6 never have an immediate, map 3 always has a byte.
    private func vector(map: UInt8, opcode: UInt8) -> Form? {
        switch (map, opcode) {
        case (1, 0x70...0x73), (1, 0xC2), (1, 0xC4...0xC6): .modRM(.byte)
        case (1, 0x10...0x17), (1, 0x28...0x2F), (1, 0x41...0x6F), (1, 0x74...0x76), (1, 0x78...0x7F), (1, 0x90...0x93),
            (1, 0x98), (1, 0x99), (1, 0xAE), (1, 0xD0...0xFE):
            .modRM(.none)
        case (2, _), (5, _), (6, _): .modRM(.none)
        case (3, _): .modRM(.byte)
        default: nil
        }
    }
}

import CZydis

// How long an instruction is, and which of its bytes a relocation may fill.
//
// A PC-relative relocation is computed from the address of its slot; the processor computes from the end of the
// instruction. Usually the slot comes last, and the addend holds the 4 bytes between. When an immediate operand
// follows (`cmpl $1, flag(%rip)`), the addend holds more. That difference shows which place a relocation means.

/// Where the parts of one instruction are, as byte offsets from its first byte.
package struct InstructionLayout: Sendable, Equatable {
    /// In bytes, prefixes included: 1 to 15.
    package var length: Int
    /// The displacement of a memory operand, or the absolute address of a `movabs`.
    package var displacement: Range<Int>?
    /// All immediate operands, or the distance of a branch. They end the instruction.
    package var immediate: Range<Int>?
    /// Which of the two counts from the instruction's end; nil when neither does.
    package var relative: Relative?
    /// True when it does nothing, in one of the encodings that fill gaps: `90` and `0f 1f`, with any prefixes.
    package var isNOP: Bool

    package enum Relative: Sendable, Equatable {
        /// The immediate, which is the distance of a jump or a call.
        case branch
        /// The displacement, which is relative to RIP.
        case operand
    }

    package init(
        length: Int, displacement: Range<Int>? = nil, immediate: Range<Int>? = nil, relative: Relative? = nil, isNOP: Bool = false
    ) {
        self.length = length
        self.displacement = displacement
        self.immediate = immediate
        self.relative = relative
        self.isNOP = isNOP
    }

    /// The bytes that count from the instruction's end.
    var relativeField: Range<Int>? {
        switch relative {
        case .branch: immediate
        case .operand: displacement
        case nil: nil
        }
    }
}

/// Decodes the instruction at the start of `bytes`. There may be more code after it.
///
/// - Returns: nil for an encoding that is invalid in 64-bit mode, that processors disagree on, or that neither Zydis nor
///   `RecentInstruction` knows; also nil for an instruction that `bytes` cuts short. The decoder never guesses.
package func decodeInstruction(_ bytes: ArraySlice<UInt8>) -> InstructionLayout? {
    var found: InstructionLayout?
    _ = Decoder.walk(bytes) { _, layout in
        found = layout
        return false
    }
    return found
}

extension InstructionLayout {
    /// - Parameter bytes: the bytes that were decoded. The result is nil when processors disagree on the length.
    init?(_ instruction: Decoder.Decoded, _ bytes: UnsafeRawBufferPointer) {
        length = Int(instruction.pointee.length)
        let (start, bits) = (Int(instruction.pointee.raw.disp.offset), Int(instruction.pointee.raw.disp.size))
        if bits > 0 { displacement = start..<start + bits / 8 }
        let number = instruction.pointee.raw.imm.0
        if number.size > 0 { immediate = Int(number.offset)..<length }
        if instruction.pointee.attributes & UInt64(ZYDIS_ATTRIB_IS_RELATIVE) != 0 { relative = number.is_relative != 0 ? .branch : .operand }
        // The other encodings that Zydis calls NOP are reserved for future instructions.
        let opcode = instruction.pointee.opcode
        isNOP = instruction.pointee.mnemonic == ZYDIS_MNEMONIC_NOP && (opcode == 0x90 || opcode == 0x1f)
        // After a prefix 66, AMD's processors read a distance of 16 bits, Intel's one of 32.
        if relative == .branch, number.size > 8, instruction.pointee.raw.rex.W == 0,
            bytes.prefix(Int(instruction.pointee.raw.prefix_count)).contains(0x66)
        {
            return nil
        }
    }
}

/// The number of bytes between the end of each relocation's slot and the end of the instruction that holds the slot.
///
/// - Parameters:
///   - slots: the bytes that each relocation fills, as indices of `function`.
///   - function: the machine code from an instruction's start on, normally a whole function.
/// - Returns: one number for each slot. Nil when the code up to the slot can't be decoded, or when the slot is not exactly a
///   displacement or an immediate.
package func trailingBytes(after slots: [Range<Int>], in function: ArraySlice<UInt8>) -> [Int?] {
    var trailing = [Int?](repeating: nil, count: slots.count)
    let start = function.startIndex
    var waiting = slots.indices.filter { slots[$0].lowerBound >= start && slots[$0].upperBound <= function.endIndex }
        .sorted { slots[$0].lowerBound < slots[$1].lowerBound }[...]
    guard !waiting.isEmpty else { return trailing }
    _ = Decoder.walk(function) { offset, instruction in
        let end = offset + instruction.length
        while let next = waiting.first, slots[next].lowerBound - start < end {
            let field = slots[next].lowerBound - start - offset..<slots[next].upperBound - start - offset
            if field == instruction.displacement || field == instruction.immediate { trailing[next] = end + start - slots[next].upperBound }
            waiting.removeFirst()
        }
        return !waiting.isEmpty
    }
    return trailing
}

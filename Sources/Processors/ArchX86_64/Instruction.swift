import CZydis

/// An instruction with its operands, for code that needs to know what it does.
struct Instruction {
    /// From the start of the code, in bytes.
    let offset: Int
    /// Counted from the instruction's start.
    let layout: InstructionLayout
    /// What Zydis says about it; nil for an instruction that Zydis is too old to know.
    let kind: Kind?
    let recent: RecentInstruction?
    /// First those in the assembler's text, in Intel's order: the destination, then the sources. Then the implied ones.
    let operands: [Access]

    struct Kind {
        var mnemonic: ZydisMnemonic
        var category: ZydisInstructionCategory
        /// Whether it leads to another code segment.
        var isFar: Bool
        /// The operand size of all but byte instructions: 2, 4 or 8.
        var width: Int
        /// Whether one of REP, REPE and REPNE stands before it.
        var isRepeated: Bool
    }

    /// An operand, and what the instruction does with it.
    struct Access {
        /// Nil for registers that are not general-purpose ones.
        var operand: Operand?
        /// Whether it is in the assembler's text.
        var isNamed: Bool
        var isRead: Bool
        var isWritten: Bool
        /// Whether it may also keep its old value.
        var isWrittenMaybe: Bool
        var isFlagsOrProgramCounter: Bool
    }

    var end: Int { offset + layout.length }
    /// What compilers fill gaps with: NOP, INT3.
    var isFiller: Bool { layout.isNOP || kind?.mnemonic == ZYDIS_MNEMONIC_INT3 }
    /// The parts of the code that relocations may fill.
    var fields: [Range<Int>] {
        [layout.displacement, layout.immediate].compactMap { $0 }.map { Self.field($0.lowerBound, $0.count, at: offset) }
    }

    /// The instruction at an offset into the code.
    ///
    /// - Returns: nil when `decodeInstruction` returns nil, and for ENTER: the way it makes a frame pointer is not modelled, because
    ///   no compiler uses it.
    init?(at offset: Int, in code: ArraySlice<UInt8>) {
        let bytes = code.dropFirst(offset)
        let found = Decoder.full(bytes) { Instruction(offset, $0, $1, $2) }
        guard let found = found ?? RecentInstruction(bytes).map({ Instruction(offset, $0) }) else { return nil }
        self = found
    }

    private init(_ offset: Int, _ recent: RecentInstruction) {
        self.offset = offset
        self.recent = recent
        layout = recent.layout
        kind = nil
        operands = []
    }

    private init?(
        _ offset: Int, _ instruction: Decoder.Decoded, _ operands: UnsafeBufferPointer<ZydisDecodedOperand>, _ bytes: UnsafeRawBufferPointer
    ) {
        guard let layout = InstructionLayout(instruction, bytes), instruction.pointee.mnemonic != ZYDIS_MNEMONIC_ENTER else { return nil }
        self.offset = offset
        self.layout = layout
        recent = nil
        kind = Kind(
            mnemonic: instruction.pointee.mnemonic, category: instruction.pointee.meta.category,
            isFar: instruction.pointee.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR, width: Int(instruction.pointee.operand_width) / 8,
            isRepeated: bytes.prefix(Int(instruction.pointee.raw.prefix_count)).contains { $0 == 0xf2 || $0 == 0xf3 })
        let displacement = layout.displacement.map { Self.field($0.lowerBound, $0.count, at: offset) }
        let (first, second) = instruction.pointee.raw.imm
        var numbers: [Range<Int>] = []
        for number in [first, second] where number.size > 0 {
            numbers.append(Self.field(Int(number.offset), Int(number.size) / 8, at: offset))
        }
        var list: [Access] = []
        for operand in operands {
            // A shift by one bit has its count in the opcode.
            let isNumber = operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE
            let number = isNumber && !numbers.isEmpty ? numbers.removeFirst() : offset..<offset
            list.append(Access(operand, displacement: displacement, number: number))
        }
        self.operands = list
    }

    /// Converts a range within the instruction to a range within the code.
    private static func field(_ start: Int, _ count: Int, at offset: Int) -> Range<Int> { offset + start..<offset + start + count }
}

extension Instruction.Access {
    fileprivate init(_ operand: ZydisDecodedOperand, displacement: Range<Int>?, number: Range<Int>) {
        func does(_ action: ZydisOperandAction) -> Bool { UInt32(operand.actions) & action.rawValue != 0 }
        isNamed = operand.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN
        isRead = does(ZYDIS_OPERAND_ACTION_READ) || does(ZYDIS_OPERAND_ACTION_CONDREAD)
        isWrittenMaybe = does(ZYDIS_OPERAND_ACTION_CONDWRITE)
        isWritten = isWrittenMaybe || does(ZYDIS_OPERAND_ACTION_WRITE)
        let name = operand.type == ZYDIS_OPERAND_TYPE_REGISTER ? operand.reg.value : ZYDIS_REGISTER_NONE
        isFlagsOrProgramCounter = [ZYDIS_REGISTER_RFLAGS, ZYDIS_REGISTER_EFLAGS, ZYDIS_REGISTER_FLAGS, ZYDIS_REGISTER_RIP].contains(name)
        switch operand.type {
        case ZYDIS_OPERAND_TYPE_REGISTER: self.operand = Operand(name)
        case ZYDIS_OPERAND_TYPE_MEMORY: self.operand = .memory(Memory(operand, field: displacement), width: Int(operand.size) / 8)
        case ZYDIS_OPERAND_TYPE_IMMEDIATE:
            let unused = number.isEmpty ? 0 : Int64(64 - 8 * number.count)
            self.operand = .immediate(number, (operand.imm.value.s << unused) >> unused)
        default: self.operand = nil
        }
    }
}

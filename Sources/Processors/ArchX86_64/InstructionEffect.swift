// What an instruction does with the values in registers and memory, as far as it matters to whoever follows an address.
//
// Modelled is what compilers and Xen's inline assembly use around addresses. Anything else is `.opaque`: it may read what it names and
// what instructions without operands usually read. Flags are not followed. Source: Intel SDM volume 2.

enum InstructionEffect {
    /// Nothing with general registers or memory.
    case none
    case move(to: Operand, from: Operand)
    /// The destination gets a number that was made from the sources: no address, if these are none.
    case compute(to: [Operand], from: [Operand])
    /// As `compute`, but the destination may stay as it was.
    case computeMaybe(to: Operand, from: [Operand])
    /// The destination gets a number that has nothing to do with what was there.
    case set(Operand)
    case addressOf(Memory, to: Operand)
    case add(to: Operand, Operand)
    case subtract(from: Operand, Operand)
    case and(Operand, Operand)
    case compare(Operand, Operand)
    /// Whether bits are set; of one register with itself: whether it is zero.
    case test(Operand, Operand)
    case conditionalMove(to: Operand, from: Operand)
    case exchange(Operand, Operand)
    case compareExchange(Operand, with: Operand)
    case push(Operand)
    case pop(Operand)
    case leave
    /// Through RSI and RDI.
    case string(StringInstruction, width: Int)
    /// By a distance from the instruction's end, or to where a relocation of the field leads.
    case jump(field: Range<Int>, distance: Int64, isConditional: Bool)
    case call(field: Range<Int>, distance: Int64)
    case jumpThrough(Operand)
    case callThrough(Operand)
    case `return`
    /// Anything, with what it names and what instructions imply.
    case opaque(Memory?)

    enum StringInstruction { case move, compare, store, load, scan }
}

extension Instruction {
    var effect: InstructionEffect {
        switch map {
        case .one: oneByteEffect ?? .opaque(memory)
        case .two: twoByteEffect ?? .opaque(memory)
        case .three, .vector: .opaque(memory)
        }
    }

    private var accumulator: Operand { .register(.rax, width: width) }
    private var data: Operand { .register(.rdx, width: width) }
    private func one() -> Operand { .immediate(offset..<offset, 1) }

    // MARK: One byte

    private var oneByteEffect: InstructionEffect? {
        switch opcode {
        case 0x00...0x3f: return arithmeticOfTwo
        case 0x50...0x5f where hasOperandSizePrefix, 0x68 where hasOperandSizePrefix, 0x6a where hasOperandSizePrefix: return nil
        case 0x50...0x57: return .push(register(opcodeRegister, width: 8))
        case 0x58...0x5f: return .pop(register(opcodeRegister, width: 8))
        case 0x63: return placeOperand(width: 4).map { .move(to: registerOperand(), from: $0) }
        case 0x68, 0x6a: return immediateOperand.map { .push($0) }
        case 0x69, 0x6b: return placeOperand().map { .compute(to: [registerOperand()], from: [$0]) }
        case 0x70...0x7f, 0xe0...0xe3: return branch { .jump(field: $0, distance: $1, isConditional: true) }
        case 0xe9, 0xeb: return branch { .jump(field: $0, distance: $1, isConditional: false) }
        case 0xe8: return branch { .call(field: $0, distance: $1) }
        case 0x80, 0x81, 0x83:
            guard let place = placeOperand(width: opcode == 0x80 ? 1 : nil), let immediateOperand else { return nil }
            return arithmetic(group, place, immediateOperand)
        case 0x84, 0x85: return pair { .test($0, $1) }
        case 0x86, 0x87: return pair { .exchange($0, $1) }
        case 0x88, 0x89: return pair { .move(to: $0, from: $1) }
        case 0x8a, 0x8b: return pair { .move(to: $1, from: $0) }
        case 0x8d: return memory.map { .addressOf($0, to: registerOperand()) }
        case 0x8f: return placeOperand(width: 8).map { .pop($0) }
        case 0x90 where opcodeRegister == .rax: return InstructionEffect.none
        case 0x90...0x97: return .exchange(accumulator, register(opcodeRegister, width: width))
        case 0x98: return .compute(to: [accumulator], from: [.register(.rax, width: width / 2)])
        case 0x99: return .compute(to: [data], from: [accumulator])
        case 0x9c: return .push(one())
        case 0x9d: return .pop(.immediate(offset..<offset, 0))
        case 0xa0, 0xa1: return placeOperand(width: usualWidth).map { .move(to: .register(.rax, width: usualWidth), from: $0) }
        case 0xa2, 0xa3: return placeOperand(width: usualWidth).map { .move(to: $0, from: .register(.rax, width: usualWidth)) }
        case 0xa4, 0xa5: return .string(.move, width: usualWidth)
        case 0xa6, 0xa7: return .string(.compare, width: usualWidth)
        case 0xa8, 0xa9: return immediateOperand.map { .test(.register(.rax, width: usualWidth), $0) }
        case 0xaa, 0xab: return .string(.store, width: usualWidth)
        case 0xac, 0xad: return .string(.load, width: usualWidth)
        case 0xae, 0xaf: return .string(.scan, width: usualWidth)
        case 0xb0...0xb7: return immediateOperand.map { .move(to: register(opcodeRegister, width: 1), from: $0) }
        case 0xb8...0xbf: return immediateOperand.map { .move(to: register(opcodeRegister, width: width), from: $0) }
        case 0xc0, 0xc1, 0xd0...0xd3: return shift
        case 0xc2, 0xc3: return .return
        case 0xc6, 0xc7:
            guard group == 0, let place = placeOperand(width: opcode == 0xc6 ? 1 : nil), let immediateOperand else { return nil }
            return .move(to: place, from: immediateOperand)
        case 0xc9: return .leave
        // INT3; HLT; flags and interrupts.
        case 0xcc, 0xf4, 0xf5, 0xf8...0xfd, 0x9b: return InstructionEffect.none
        // FLDCW.
        case 0xd9 where group == 5 && memory != nil: return placeOperand(width: 2).map { .compute(to: [], from: [$0]) }
        case 0xe4, 0xe5: return .compute(to: [.register(.rax, width: opcode == 0xe4 ? 1 : 4)], from: [])
        case 0xec, 0xed: return .compute(to: [.register(.rax, width: opcode == 0xec ? 1 : 4)], from: [.register(.rdx, width: 2)])
        case 0xee, 0xef: return .compute(to: [], from: [.register(.rax, width: opcode == 0xee ? 1 : 4), .register(.rdx, width: 2)])
        case 0xf6, 0xf7: return unary
        case 0xfe, 0xff: return increments
        default: return nil
        }
    }

    /// One byte where the opcode is even.
    private var usualWidth: Int { opcode & 1 == 0 ? 1 : width }

    private func branch(_ make: (Range<Int>, Int64) -> InstructionEffect) -> InstructionEffect? {
        immediate.map { make($0.field, $0.value) }
    }

    /// The ModRM byte's operands, of one byte where the opcode is even.
    private func pair(_ make: (Operand, Operand) -> InstructionEffect) -> InstructionEffect? {
        placeOperand(width: usualWidth).map { make($0, registerOperand(width: usualWidth)) }
    }

    private var arithmeticOfTwo: InstructionEffect? {
        let operation = opcode >> 3
        switch opcode & 7 {
        case 0, 1: return pair { arithmetic(operation, $0, $1) }
        case 2, 3: return pair { arithmetic(operation, $1, $0) }
        case 4, 5: return immediateOperand.map { arithmetic(operation, .register(.rax, width: usualWidth), $0) }
        default: return nil
        }
    }

    /// ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, by their numbers in opcodes.
    private func arithmetic(_ operation: UInt8, _ target: Operand, _ source: Operand) -> InstructionEffect {
        // Idioms that give 0 or -1: x ^ x, x - x, x - x - carry, x & 0, x | -1.
        if target == source, [3, 5, 6].contains(operation) { return .set(target) }
        if case .immediate(_, let value) = source, operation == 1 && value == -1 || operation == 4 && value == 0, case .register = target {
            return .set(target)
        }
        return switch operation {
        case 0: .add(to: target, source)
        case 4: .and(target, source)
        case 5: .subtract(from: target, source)
        case 7: .compare(target, source)
        default: .compute(to: [target], from: [target, source])
        }
    }

    private var shift: InstructionEffect? {
        guard let place = placeOperand(width: usualWidth) else { return nil }
        let isByRegister = opcode == 0xd2 || opcode == 0xd3
        return .compute(to: [place], from: [place] + (isByRegister ? [.register(.rcx, width: 1)] : []))
    }

    /// TEST, NOT, NEG, MUL, IMUL, DIV, IDIV.
    private var unary: InstructionEffect? {
        guard let place = placeOperand(width: usualWidth) else { return nil }
        switch group {
        case 0, 1: return immediateOperand.map { .test(place, $0) }
        case 2, 3: return .compute(to: [place], from: [place])
        // Of bytes, all is in AX.
        case _ where opcode == 0xf6: return .compute(to: [.register(.rax, width: 2)], from: [place, .register(.rax, width: 2)])
        case 4, 5: return .compute(to: [accumulator, data], from: [place, .register(.rax, width: usualWidth)])
        default: return .compute(to: [accumulator, data], from: [place, accumulator, data])
        }
    }

    private var increments: InstructionEffect? {
        switch group {
        case 0: return placeOperand(width: usualWidth).map { .add(to: $0, one()) }
        case 1: return placeOperand(width: usualWidth).map { .subtract(from: $0, one()) }
        case 2 where opcode == 0xff: return placeOperand(width: 8).map { .callThrough($0) }
        case 4 where opcode == 0xff: return placeOperand(width: 8).map { .jumpThrough($0) }
        case 6 where opcode == 0xff: return placeOperand(width: 8).map { .push($0) }
        default: return nil
        }
    }

    // MARK: Two bytes

    private var twoByteEffect: InstructionEffect? {
        switch opcode {
        case 0x01: return system
        // UD2: Xen's BUG() stops there, its WARN() goes on.
        case 0x0b, 0x0d, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f: return InstructionEffect.none
        // CLTS, INVD, WBINVD.
        case 0x06, 0x08, 0x09: return InstructionEffect.none
        case 0x20, 0x21: return placeOperand(width: 8).map { .set($0) }
        case 0x22, 0x23: return placeOperand(width: 8).map { .compute(to: [], from: [$0]) }
        // WRMSR, RDTSC, RDMSR.
        case 0x30: return .compute(to: [], from: [Register.rax, .rcx, .rdx].map { .register($0, width: 4) })
        case 0x31: return .compute(to: [Register.rax, .rdx].map { .register($0, width: 4) }, from: [])
        case 0x32: return .compute(to: [Register.rax, .rdx].map { .register($0, width: 4) }, from: [.register(.rcx, width: 4)])
        case 0x40...0x4f: return placeOperand().map { .conditionalMove(to: registerOperand(), from: $0) }
        // VMREAD, VMWRITE.
        case 0x78 where repeatPrefix == nil && !hasOperandSizePrefix:
            return placeOperand(width: 8).map { .compute(to: [$0], from: [registerOperand(width: 8)]) }
        case 0x79 where repeatPrefix == nil && !hasOperandSizePrefix:
            return placeOperand(width: 8).map { .compute(to: [], from: [registerOperand(width: 8), $0]) }
        case 0x80...0x8f: return branch { .jump(field: $0, distance: $1, isConditional: true) }
        case 0x90...0x9f: return placeOperand(width: 1).map { .set($0) }
        // CPUID.
        case 0xa2:
            return .compute(
                to: [Register.rax, .rbx, .rcx, .rdx].map { .register($0, width: 4) },
                from: [Register.rax, .rcx].map { .register($0, width: 4) })
        // Bit tests read a bit by its number, also beyond the operand's width.
        case 0xa3: return placeOperand().map { .compute(to: [], from: [$0, registerOperand()]) }
        case 0xab, 0xb3, 0xbb: return placeOperand().map { .computeMaybe(to: $0, from: [$0, registerOperand()]) }
        case 0xba:
            guard let place = placeOperand() else { return nil }
            return .compute(to: group == 4 ? [] : [place], from: [place])
        case 0xa4, 0xa5, 0xac, 0xad:
            return placeOperand().map { .compute(to: [$0], from: [$0, registerOperand(), .register(.rcx, width: 1)]) }
        case 0xae: return fences
        case 0xaf: return placeOperand().map { .compute(to: [registerOperand()], from: [registerOperand(), $0]) }
        case 0xb0, 0xb1: return pair { .compareExchange($0, with: $1) }
        case 0xb6, 0xbe: return placeOperand(width: 1).map { .move(to: registerOperand(), from: $0) }
        case 0xb7, 0xbf: return placeOperand(width: 2).map { .move(to: registerOperand(), from: $0) }
        case 0xb8: return placeOperand().map { .compute(to: [registerOperand()], from: [$0]) }
        // They may leave the destination alone when the source is zero.
        case 0xbc, 0xbd: return placeOperand().map { .computeMaybe(to: registerOperand(), from: [$0]) }
        case 0xc0, 0xc1: return pair { .compute(to: [$0, $1], from: [$0, $1]) }
        case 0xc8...0xcf:
            let operand = register(opcodeRegister, width: width)
            return .compute(to: [operand], from: [operand])
        default: return nil
        }
    }

    private var system: InstructionEffect? {
        switch modRM {
        // CLAC, STAC, SWAPGS.
        case 0xca?, 0xcb?, 0xf8?: return InstructionEffect.none
        // XGETBV, RDTSCP.
        case 0xd0?: return .compute(to: [Register.rax, .rdx].map { .register($0, width: 4) }, from: [.register(.rcx, width: 4)])
        case 0xf9?: return .compute(to: [Register.rax, .rcx, .rdx].map { .register($0, width: 4) }, from: [])
        default: return nil
        }
    }

    /// LFENCE, MFENCE, SFENCE; LDMXCSR.
    private var fences: InstructionEffect? {
        guard let modRM, repeatPrefix == nil, !hasOperandSizePrefix else { return nil }
        if group == 2, memory != nil { return placeOperand(width: 4).map { .compute(to: [], from: [$0]) } }
        guard modRM >= 0xe8 else { return nil }
        return InstructionEffect.none
    }
}

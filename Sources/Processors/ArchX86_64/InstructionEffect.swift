import CZydis

// What an instruction does to the values in registers and memory, as far as it matters for following an address.
//
// Instructions that move, add or compare values have their own cases here. For all others, Zydis says what they read
// and write. Flags are not followed.

enum InstructionEffect {
    /// Does nothing to general-purpose registers or memory.
    case none
    case move(to: Operand, from: Operand)
    case compute(Computation)
    /// The destination gets a number that does not depend on what was there.
    case set(Operand)
    case addressOf(Memory, to: Operand)
    case add(to: Operand, Operand)
    case subtract(from: Operand, Operand)
    case and(Operand, Operand)
    case compare(Operand, Operand)
    /// Tests whether bits are set. With one register as both operands: whether it is zero.
    case test(Operand, Operand)
    case conditionalMove(to: Operand, from: Operand)
    case exchange(Operand, Operand)
    case compareExchange(Operand, with: Operand)
    case push(Operand)
    case pop(Operand)
    case leave
    /// Works through RSI and RDI.
    case string(StringInstruction, width: Int, isRepeated: Bool)
    /// By a distance in bytes from the instruction's end, or to the target of the relocation that fills the field.
    case jump(field: Range<Int>, distance: Int64, isConditional: Bool)
    case call(field: Range<Int>, distance: Int64)
    case jumpThrough(Operand)
    case callThrough(Operand)
    case `return`

    enum StringInstruction { case move, compare, store, load, scan }
}

/// Anything that computes numbers from what it reads. If it reads no address, its results are not addresses.
struct Computation {
    var reads: [Operand] = []
    var writes: [Operand] = []
    /// Operands that may also keep their old value.
    var mayWrite: [Operand] = []
    /// Whether what it reads goes where the analysis can't follow: vector and system registers, ports, other programs.
    var leadsElsewhere = false
}

extension Instruction {
    var effect: InstructionEffect {
        guard let kind else { return recent == .udb ? .none : .compute(anything) }
        return named(kind) ?? .compute(computation)
    }

    /// An immediate operand that has no bytes of its own in the code.
    private func number(_ value: Int64) -> Operand { .immediate(offset..<offset, value) }

    // MARK: Those with a meaning of their own

    /// The effect of an instruction that has its own case; nil for all others.
    private func named(_ kind: Kind) -> InstructionEffect? {
        switch kind.category {
        case ZYDIS_CATEGORY_NOP, ZYDIS_CATEGORY_WIDENOP, ZYDIS_CATEGORY_PREFETCH: return InstructionEffect.none
        case ZYDIS_CATEGORY_CMOV: return pair { .conditionalMove(to: $0, from: $1) }
        case ZYDIS_CATEGORY_STRINGOP: return string(kind)
        case ZYDIS_CATEGORY_PUSH, ZYDIS_CATEGORY_POP: return kind.width == 8 ? pushOrPop(kind.mnemonic) : .compute(anything)
        case ZYDIS_CATEGORY_COND_BR, ZYDIS_CATEGORY_UNCOND_BR, ZYDIS_CATEGORY_CALL, ZYDIS_CATEGORY_RET: return branch(kind)
        case ZYDIS_CATEGORY_INTERRUPT: return kind.mnemonic == ZYDIS_MNEMONIC_INT3 ? InstructionEffect.none : .compute(anything)
        case ZYDIS_CATEGORY_SYSCALL, ZYDIS_CATEGORY_SYSRET, ZYDIS_CATEGORY_SGX, ZYDIS_CATEGORY_UINTR: return .compute(anything)
        // Zydis 4.0 does not say that these change RSI and RDI, or that they write to where a register points.
        case ZYDIS_CATEGORY_IOSTRINGOP, ZYDIS_CATEGORY_MOVDIR, ZYDIS_CATEGORY_ENQCMD: return .compute(anything)
        default: return arithmetic(kind.mnemonic)
        }
    }

    private func arithmetic(_ mnemonic: ZydisMnemonic) -> InstructionEffect? {
        switch mnemonic {
        case ZYDIS_MNEMONIC_MOV, ZYDIS_MNEMONIC_MOVZX, ZYDIS_MNEMONIC_MOVSX, ZYDIS_MNEMONIC_MOVSXD: return pair { .move(to: $0, from: $1) }
        case ZYDIS_MNEMONIC_LEA:
            return pair { if case .memory(let memory, _) = $1 { .addressOf(memory, to: $0) } else { nil } }
        case ZYDIS_MNEMONIC_ADD: return pair { .add(to: $0, $1) }
        case ZYDIS_MNEMONIC_INC: return one { .add(to: $0, number(1)) }
        case ZYDIS_MNEMONIC_DEC: return one { .subtract(from: $0, number(1)) }
        case ZYDIS_MNEMONIC_SUB: return pair { $0 == $1 ? .set($0) : .subtract(from: $0, $1) }
        // x ^ x and x - x - carry do not depend on x. Neither do x & 0 and x | -1.
        case ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_SBB: return pair { $0 == $1 ? .set($0) : nil }
        case ZYDIS_MNEMONIC_AND: return pair { $0.isMemory || !isNumber($1, 0) ? .and($0, $1) : .set($0) }
        case ZYDIS_MNEMONIC_OR: return pair { $0.isMemory || !isNumber($1, -1) ? nil : .set($0) }
        case ZYDIS_MNEMONIC_CMP: return pair { .compare($0, $1) }
        case ZYDIS_MNEMONIC_TEST: return pair { .test($0, $1) }
        case ZYDIS_MNEMONIC_XCHG: return pair { .exchange($0, $1) }
        case ZYDIS_MNEMONIC_CMPXCHG: return pair { .compareExchange($0, with: $1) }
        case ZYDIS_MNEMONIC_LEAVE: return .leave
        // Other code runs during these: a guest, another hypervisor, firmware.
        case ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_VMLAUNCH, ZYDIS_MNEMONIC_VMRESUME, ZYDIS_MNEMONIC_VMRUN,
            ZYDIS_MNEMONIC_VMFUNC, ZYDIS_MNEMONIC_SKINIT, ZYDIS_MNEMONIC_GETSEC, ZYDIS_MNEMONIC_RSM, ZYDIS_MNEMONIC_PCONFIG:
            return .compute(anything)
        default: return nil
        }
    }

    /// The operands in the assembler's text; empty when one of them is not followed.
    private var namedOperands: [Operand] {
        let named = operands.filter(\.isNamed)
        let followed = named.compactMap(\.operand)
        return followed.count == named.count ? followed : []
    }

    private func one(_ make: (Operand) -> InstructionEffect?) -> InstructionEffect? { namedOperands.first.flatMap(make) }

    private func pair(_ make: (_ target: Operand, _ source: Operand) -> InstructionEffect?) -> InstructionEffect? {
        let named = namedOperands
        return named.count == 2 ? make(named[0], named[1]) : nil
    }

    private func isNumber(_ operand: Operand, _ value: Int64) -> Bool {
        if case .immediate(_, value) = operand { true } else { false }
    }

    private func pushOrPop(_ mnemonic: ZydisMnemonic) -> InstructionEffect {
        // Segment registers and flags are not followed.
        let operand = namedOperands.first ?? number(0)
        return [ZYDIS_MNEMONIC_PUSH, ZYDIS_MNEMONIC_PUSHFQ].contains(mnemonic) ? .push(operand) : .pop(operand)
    }

    private func string(_ kind: Kind) -> InstructionEffect? {
        let widths = operands.compactMap { if case .memory(_, let width)? = $0.operand { width } else { nil } }
        func effect(_ string: InstructionEffect.StringInstruction) -> InstructionEffect? {
            widths.first.map { .string(string, width: $0, isRepeated: kind.isRepeated) }
        }
        return switch kind.mnemonic {
        case ZYDIS_MNEMONIC_MOVSB, ZYDIS_MNEMONIC_MOVSW, ZYDIS_MNEMONIC_MOVSD, ZYDIS_MNEMONIC_MOVSQ: effect(.move)
        case ZYDIS_MNEMONIC_CMPSB, ZYDIS_MNEMONIC_CMPSW, ZYDIS_MNEMONIC_CMPSD, ZYDIS_MNEMONIC_CMPSQ: effect(.compare)
        case ZYDIS_MNEMONIC_STOSB, ZYDIS_MNEMONIC_STOSW, ZYDIS_MNEMONIC_STOSD, ZYDIS_MNEMONIC_STOSQ: effect(.store)
        case ZYDIS_MNEMONIC_LODSB, ZYDIS_MNEMONIC_LODSW, ZYDIS_MNEMONIC_LODSD, ZYDIS_MNEMONIC_LODSQ: effect(.load)
        case ZYDIS_MNEMONIC_SCASB, ZYDIS_MNEMONIC_SCASW, ZYDIS_MNEMONIC_SCASD, ZYDIS_MNEMONIC_SCASQ: effect(.scan)
        default: nil
        }
    }

    private func branch(_ kind: Kind) -> InstructionEffect? {
        if kind.isFar { return .compute(anything) }
        let isCall = kind.category == ZYDIS_CATEGORY_CALL
        switch kind.mnemonic {
        case ZYDIS_MNEMONIC_RET: return .return
        case _ where layout.relative == .branch:
            guard case .immediate(let field, let distance)? = operands.first?.operand else { return .compute(anything) }
            if isCall { return .call(field: field, distance: distance) }
            return .jump(field: field, distance: distance, isConditional: kind.category == ZYDIS_CATEGORY_COND_BR)
        case ZYDIS_MNEMONIC_CALL: return one { .callThrough($0) }
        case ZYDIS_MNEMONIC_JMP: return one { .jumpThrough($0) }
        default: return .compute(anything)
        }
    }

    // MARK: All others

    /// What the instruction reads and writes, according to its operands.
    private var computation: Computation {
        var all = Computation()
        let mnemonic = kind?.mnemonic ?? ZYDIS_MNEMONIC_INVALID
        for access in operands {
            if access.isWritten, access.operand == nil, !access.isFlagsOrProgramCounter { all.leadsElsewhere = true }
            guard let operand = access.operand else { continue }
            if case .memory(let memory, _) = operand, !access.isRead, !access.isWritten {
                // Neither read nor written: the instruction uses the address itself.
                all.reads += memory.registers.map { .register($0, width: 8) }
                all.reads += memory.field.map { [.immediate($0, memory.displacement)] } ?? []
                all.leadsElsewhere = true
            }
            // An implied stack pointer only says where the memory operand is.
            let isStackPointer = if case .register(.rsp, _, _) = operand { !access.isNamed } else { false }
            if access.isRead, !isStackPointer { all.reads.append(operand) }
            let mayStay =
                Self.searches.contains(mnemonic) || isVector(operand) || operand.isMemory && Self.bitOperations.contains(mnemonic)
            if access.isWrittenMaybe || access.isWritten && mayStay { all.mayWrite.append(operand) } else if access.isWritten { all.writes.append(operand) }
        }
        if all.writes.isEmpty, all.mayWrite.isEmpty { all.leadsElsewhere = true }
        return all
    }

    /// Whether it is a vector in memory: a mask may leave parts of it unchanged.
    private func isVector(_ operand: Operand) -> Bool {
        if case .memory(_, let width) = operand { width > 8 } else { false }
    }

    /// Zydis reports their destination as written, but it stays unchanged when a search finds no bit, or when there are no shadow stacks.
    private static let searches = [
        ZYDIS_MNEMONIC_BSF, ZYDIS_MNEMONIC_BSR, ZYDIS_MNEMONIC_TZCNT, ZYDIS_MNEMONIC_LZCNT, ZYDIS_MNEMONIC_RDSSPD, ZYDIS_MNEMONIC_RDSSPQ,
    ]
    /// The bit may be beyond the memory operand.
    private static let bitOperations = [ZYDIS_MNEMONIC_BTS, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC]

    /// For other code that runs during an instruction, and for unknown instructions: any use of the registers that a call may change, and
    /// of RBX, which hypercalls and firmware use.
    private var anything: Computation {
        var all = computation
        let registers = (Register.scratch + [.rbx]).map { Operand.register($0, width: 8) }
        all.reads += registers
        all.mayWrite += registers
        all.writes.append(.register(.rsp, width: 8))
        all.leadsElsewhere = true
        return all
    }
}

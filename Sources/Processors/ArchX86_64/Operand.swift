import CZydis

/// A general-purpose register by its number in instructions: 0 is RAX, 4 RSP, 5 RBP, 7 RDI, 8 R8.
typealias Register = Int

extension Register {
    static let rax = 0
    static let rcx = 1
    static let rdx = 2
    static let rbx = 3
    static let rsp = 4
    static let rbp = 5
    static let rsi = 6
    static let rdi = 7

    /// The registers that hold a call's arguments, in their order (psABI, figure 3.4).
    static let arguments: [Register] = [rdi, rsi, rdx, rcx, 8, 9]
    /// The registers that a function need not restore.
    static let scratch: [Register] = [rax, rcx, rdx, rsi, rdi, 8, 9, 10, 11]
}

/// What an instruction reads or writes.
enum Operand: Equatable {
    /// The low `width` bytes of a register, or its second byte.
    case register(Register, width: Int, isSecondByte: Bool = false)
    case memory(Memory, width: Int)
    /// The place of its bytes in the code, and its sign-extended value.
    case immediate(Range<Int>, Int64)

    var isMemory: Bool { if case .memory = self { true } else { false } }
}

/// A memory operand.
struct Memory: Equatable {
    var base: Register?
    var index: Register?
    var scale = 1
    /// Sign-extended.
    var displacement: Int64 = 0
    /// Where the code holds the displacement.
    var field: Range<Int>?
    /// Whether base, displacement and width say exactly which bytes the operand is.
    var isExact = true

    var registers: [Register] { [base, index].compactMap { $0 } }
}

// MARK: From Zydis

extension Operand {
    /// Nil for a register that is not a general-purpose one.
    init?(_ name: ZydisRegister) {
        guard let number = Register(name) else { return nil }
        let isSecondByte = (ZYDIS_REGISTER_AH.rawValue...ZYDIS_REGISTER_BH.rawValue).contains(name.rawValue)
        self = .register(number, width: Int(ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, name)) / 8, isSecondByte: isSecondByte)
    }
}

extension Register {
    /// The general-purpose register that contains the named one; nil if there is none.
    init?(_ name: ZydisRegister) {
        let whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name).rawValue
        guard (ZYDIS_REGISTER_RAX.rawValue...ZYDIS_REGISTER_R15.rawValue).contains(whole) else { return nil }
        self = Int(whole - ZYDIS_REGISTER_RAX.rawValue)
    }
}

extension Memory {
    /// - Parameter field: where the code holds the displacement, if the operand has one.
    init(_ operand: ZydisDecodedOperand, field: Range<Int>?) {
        let isNamed = operand.visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN
        base = Register(operand.mem.base)
        index = Register(operand.mem.index)
        if index != nil { scale = Int(operand.mem.scale) }
        displacement = operand.mem.disp.value
        self.field = isNamed ? field : nil
        // An implied operand is at a stack pointer that the instruction moves. The size of large operands depends on the processor, and a
        // vector of indices leads to many places.
        isExact = isNamed && (1...512).contains(operand.size) && operand.mem.type != ZYDIS_MEMOP_TYPE_VSIB
    }
}

// One instruction with its operands, for whoever asks what it does. Lengths and fields come from InstructionLength.swift; this file
// takes prefixes, opcode and ModRM byte apart (Intel SDM volume 2, chapter 2).

/// A general register by its number in instructions: 0 is RAX, 4 RSP, 5 RBP, 7 RDI, 8 R8.
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

    /// Those that carry a call's arguments, in their order (psABI, figure 3.4).
    static let arguments: [Register] = [rdi, rsi, rdx, rcx, 8, 9]
    /// Those that a function need not restore.
    static let scratch: [Register] = [rax, rcx, rdx, rsi, rdi, 8, 9, 10, 11]
}

/// What an instruction reads or writes.
enum Operand: Equatable {
    /// The low `width` bytes of a register; or its second byte.
    case register(Register, width: Int, isSecondByte: Bool = false)
    case memory(Memory, width: Int)
    /// Its bytes' place in the code, and its value, extended by its sign.
    case immediate(Range<Int>, Int64)
}

/// A memory operand.
struct Memory: Equatable {
    var base: Register?
    var index: Register?
    var scale = 1
    /// Extended by its sign.
    var displacement: Int64 = 0
    /// Where the code holds the displacement.
    var field: Range<Int>?

    var registers: [Register] { [base, index].compactMap { $0 } }
}

/// An instruction taken apart.
struct Instruction {
    /// From the start of the code, in bytes.
    let offset: Int
    let length: Int
    /// The last byte of the opcode.
    let opcode: UInt8
    let map: Map
    /// The operand size of all but byte instructions: 2, 4 or 8.
    let width: Int
    /// `66`, and the last of `f2` and `f3`.
    let hasOperandSizePrefix: Bool
    let repeatPrefix: UInt8?
    /// The ModRM byte where there is one.
    let modRM: UInt8?
    /// The operand that the ModRM byte's mode and `r/m` tell.
    let place: Place?
    let immediate: (field: Range<Int>, value: Int64)?
    private let rex: UInt8

    /// Opcode maps: of one byte, of two (`0f`), of three (`0f 38`, `0f 3a`), and those of vector prefixes.
    enum Map { case one, two, three, vector }

    /// A register or an address, before a width is given to it.
    enum Place {
        case register(Register)
        case memory(Memory)
    }

    var end: Int { offset + length }
    /// The `reg` field where it extends the opcode.
    var group: UInt8 { (modRM ?? 0) >> 3 & 7 }
    /// The register in the `reg` field.
    var registerNumber: Register { Int(group) | (rex & 4 != 0 ? 8 : 0) }
    /// The register in the opcode's low bits.
    var opcodeRegister: Register { Int(opcode & 7) | (rex & 1 != 0 ? 8 : 0) }

    func register(_ number: Register, width: Int) -> Operand {
        // Without REX, byte registers 4 to 7 are the second bytes of the first four.
        width == 1 && rex == 0 && (4...7).contains(number)
            ? .register(number - 4, width: 1, isSecondByte: true) : .register(number, width: width)
    }

    /// The register operand, of the given or the usual width.
    func registerOperand(width: Int? = nil) -> Operand { register(registerNumber, width: width ?? self.width) }

    /// The register or memory operand, of the given or the usual width.
    func placeOperand(width: Int? = nil) -> Operand? {
        let width = width ?? self.width
        return switch place {
        case .register(let number)?: register(number, width: width)
        case .memory(let memory)?: .memory(memory, width: width)
        case nil: nil
        }
    }

    var memory: Memory? { if case .memory(let memory)? = place { memory } else { nil } }
    var immediateOperand: Operand? { immediate.map { .immediate($0.field, $0.value) } }

    /// Every general register that the encoding may name.
    var namedRegisters: [Register] {
        guard map != .vector else { return Array(0...15) }
        var all = [opcodeRegister]
        guard modRM != nil else { return all }
        all.append(registerNumber)
        switch place {
        case .register(let number)?: all.append(number)
        case .memory(let memory)?: all += memory.registers
        case nil: break
        }
        return all
    }

    /// What compilers fill gaps with: NOP, INT3.
    var isFiller: Bool { map == .one && (opcode == 0x90 || opcode == 0xcc) || map == .two && opcode == 0x1f }

    /// The instruction at an offset into the code; nil where `decodeInstruction` gives nil.
    init?(at offset: Int, in code: ArraySlice<UInt8>) {
        let bytes = code.dropFirst(offset)
        guard let layout = decodeInstruction(bytes) else { return nil }
        self.offset = offset
        self.length = layout.length
        func byte(_ index: Int) -> UInt8 { index < layout.length ? bytes[bytes.startIndex + index] : 0 }
        func number(_ field: Range<Int>) -> Int64 {
            let shift = Int64(64 - 8 * field.count)
            let value = field.reversed().reduce(Int64(0)) { $0 << 8 | Int64(byte($1)) }
            return (value << shift) >> shift
        }
        func inCode(_ field: Range<Int>) -> Range<Int> { offset + field.lowerBound..<offset + field.upperBound }

        var position = 0
        var prefixes: [UInt8] = []
        while [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].contains(byte(position)) {
            prefixes.append(byte(position))
            position += 1
        }
        hasOperandSizePrefix = prefixes.contains(0x66)
        repeatPrefix = prefixes.last { $0 == 0xf2 || $0 == 0xf3 }
        rex = byte(position) & 0xf0 == 0x40 ? byte(position) : 0
        if rex != 0 { position += 1 }
        width = rex & 8 != 0 ? 8 : hasOperandSizePrefix ? 2 : 4
        immediate = layout.immediate.map { (inCode($0), number($0)) }

        let first = byte(position)
        position += 1
        let xop = first == 0x8f && byte(position) & 0x1f >= 8
        if [0xc4, 0xc5, 0x62].contains(first) || xop {
            (map, opcode, modRM, place) = (.vector, first, nil, nil)
            return
        }
        if first != 0x0f {
            (map, opcode) = (.one, first)
        } else if [0x38, 0x3a].contains(byte(position)) {
            (map, opcode) = (.three, byte(position + 1))
            position += 2
        } else {
            (map, opcode) = (.two, byte(position))
            position += 1
        }
        guard Self.hasModRM(map, opcode) else {
            modRM = nil
            let isAddress = map == .one && (0xa0...0xa3).contains(opcode)
            place =
                isAddress
                ? layout.displacement.map { .memory(Memory(displacement: number($0), field: inCode($0))) } : nil
            return
        }
        let modRM = byte(position)
        self.modRM = modRM
        let low = Int(modRM & 7)
        if modRM >> 6 == 3 || map == .two && (0x20...0x23).contains(opcode) {
            place = .register(low | (rex & 1 != 0 ? 8 : 0))
            return
        }
        var memory = Memory(displacement: layout.displacement.map(number) ?? 0, field: layout.displacement.map(inCode))
        var base = low
        if low == 4 {
            let sib = byte(position + 1)
            base = Int(sib & 7)
            let index = Int(sib >> 3 & 7) | (rex & 2 != 0 ? 8 : 0)
            if index != 4 { memory.index = index }
            memory.scale = 1 << Int(sib >> 6)
        }
        // Without a displacement byte, register 5 stands for an address of 32 bits.
        if !(modRM >> 6 == 0 && base == 5) { memory.base = base | (rex & 1 != 0 ? 8 : 0) }
        place = .memory(memory)
    }

    private static func hasModRM(_ map: Map, _ opcode: UInt8) -> Bool {
        switch map {
        case .three, .vector: true
        case .one:
            switch opcode {
            case 0x00...0x3f: opcode & 7 < 4
            case 0x63, 0x69, 0x6b, 0x80...0x8f, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0...0xd3, 0xd8...0xdf, 0xf6, 0xf7, 0xfe, 0xff: true
            default: false
            }
        case .two:
            switch opcode {
            case 0x05...0x09, 0x0b, 0x0e, 0x30...0x37, 0x77, 0x80...0x8f, 0xa0...0xa2, 0xa8...0xaa, 0xc8...0xcf: false
            default: true
            }
        }
    }
}

import ELFModel
import TargetArchitecture

extension ArchX86_64 {
    /// Looks for relative branches and RIP-relative operands that the assembler has already resolved and that lead out of `code`.
    package func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? {
        var start = code.startIndex
        var found: [ResolvedReference] = []
        while start < code.endIndex {
            guard let instruction = decodeInstruction(code[start...]) else { return nil }
            let end = start + instruction.length
            let base = start - code.startIndex
            func isResolved(_ field: Range<Int>) -> Bool {
                let place = base + field.lowerBound..<base + field.upperBound
                return !relocated.contains { $0.overlaps(place) }
            }
            for (field, isBranch) in [(instruction.immediate, true), (instruction.displacement, false)] {
                guard let field, isResolved(field) else { continue }
                let bytes = code[start + field.lowerBound..<start + field.upperBound]
                guard isBranch ? isRelativeBranch(code[start..<end]) : isRIPRelative(code[start..<end], field) else { continue }
                let target = end - code.startIndex + signed(bytes)
                guard target < 0 || target > code.count else { continue }
                found.append(ResolvedReference(field: base + field.lowerBound..<base + field.upperBound, target: target))
            }
            start = end
        }
        return found
    }

    /// Intel SDM volume 2, appendix A: Jcc, LOOP and JCXZ rel8, CALL and JMP rel32, JMP rel8, Jcc rel32.
    func isRelativeBranch(_ instruction: ArraySlice<UInt8>) -> Bool {
        let prefixes: Set<UInt8> = [0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]
        var rest = instruction.drop { prefixes.contains($0) }
        if let first = rest.first, first & 0xf0 == 0x40 { rest = rest.dropFirst() }
        guard let opcode = rest.first else { return false }
        if opcode == 0x0f { return rest.dropFirst().first.map { $0 & 0xf0 == 0x80 } ?? false }
        return opcode & 0xf0 == 0x70 || (0xe0...0xe3).contains(opcode) || opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb
    }

    /// Mode 0 with register 5 in the ModRM byte, which stands right before the displacement.
    func isRIPRelative(_ instruction: ArraySlice<UInt8>, _ displacement: Range<Int>) -> Bool {
        guard displacement.count == 4, displacement.lowerBound > 0 else { return false }
        return instruction[instruction.startIndex + displacement.lowerBound - 1] & 0xc7 == 0x05
    }

    func signed(_ bytes: ArraySlice<UInt8>) -> Int {
        let value = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let bits = bytes.count * 8
        return bits < 64 && value >= 1 << (bits - 1) ? value - 1 << bits : value
    }
}

import TargetArchitecture

extension ArchX86_64 {
    /// Intel SDM volume 2, appendix A: `jmp` is `eb` or `e9`, `jcc` `7x` or `0f 8x`; all other branches have one form.
    package func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? {
        var list: [CodeInstruction] = []
        var start = code.startIndex
        while start < code.endIndex {
            guard let layout = decodeInstruction(code[start...]) else { return nil }
            list.append(instruction(code[start..<start + layout.length], at: start - code.startIndex, layout))
            start += layout.length
        }
        return list
    }

    private func instruction(_ bytes: ArraySlice<UInt8>, at offset: Int, _ layout: InstructionLayout) -> CodeInstruction {
        var result = CodeInstruction(
            range: offset..<offset + bytes.count, meaning: Array(bytes), isFiller: nopLength(bytes) == bytes.count)
        func lead(by field: Range<Int>) {
            result.relative = offset + field.lowerBound..<offset + field.upperBound
            result.target = result.range.upperBound + signed(bytes[bytes.startIndex + field.lowerBound..<bytes.startIndex + field.upperBound])
        }
        if let field = layout.immediate, isRelativeBranch(bytes) {
            lead(by: field)
            result.meaning = longForm(Array(bytes.prefix(field.lowerBound)))
        } else if let field = layout.displacement, isRIPRelative(bytes, field) {
            lead(by: field)
            for index in field { result.meaning[index] = 0 }
        }
        return result
    }

    /// A branch's prefixes and opcode, as the form with a distance of 32 bits has them.
    private func longForm(_ opcode: [UInt8]) -> [UInt8] {
        guard let last = opcode.last, !opcode.dropLast().contains(0x0f) else { return opcode }
        if last == 0xeb { return opcode.dropLast() + [0xe9] }
        if last & 0xf0 == 0x70 { return opcode.dropLast() + [0x0f, 0x80 | last & 0x0f] }
        return opcode
    }
}

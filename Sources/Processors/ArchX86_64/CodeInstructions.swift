import TargetArchitecture

extension ArchX86_64 {
    /// Intel SDM volume 2, appendix A: `jmp` is `eb` or `e9`, `jcc` `7x` or `0f 8x`; all other branches have one form.
    package func instructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction]? {
        let list = leadingInstructions(code)
        return list.last?.range.upperBound ?? 0 == code.count ? list : nil
    }

    package func leadingInstructions(_ code: ArraySlice<UInt8>) -> [CodeInstruction] {
        var list: [CodeInstruction] = []
        _ = Decoder.walk(code) { offset, layout in
            list.append(instruction(code.dropFirst(offset).prefix(layout.length), at: offset, layout))
            return true
        }
        return list
    }

    private func instruction(_ bytes: ArraySlice<UInt8>, at offset: Int, _ layout: InstructionLayout) -> CodeInstruction {
        var result = CodeInstruction(range: offset..<offset + bytes.count, meaning: Array(bytes), isFiller: layout.isNOP)
        guard let relative = layout.relativeField else { return result }
        result.relative = offset + relative.lowerBound..<offset + relative.upperBound
        result.target = result.range.upperBound + signed(bytes.dropFirst(relative.lowerBound).prefix(relative.count))
        if layout.relative == .branch {
            result.meaning = longForm(Array(bytes.prefix(relative.lowerBound)))
        } else {
            for index in relative { result.meaning[index] = 0 }
        }
        return result
    }

    /// A branch's prefixes and opcode, as they are in the form with a 32-bit distance.
    private func longForm(_ opcode: [UInt8]) -> [UInt8] {
        guard let last = opcode.last, !opcode.dropLast().contains(0x0f) else { return opcode }
        if last == 0xeb { return opcode.dropLast() + [0xe9] }
        if last & 0xf0 == 0x70 { return opcode.dropLast() + [0x0f, 0x80 | last & 0x0f] }
        return opcode
    }
}

/// One instruction of machine code, in a form that lets two encodings of the same instruction be compared.
///
/// An assembler picks the short form of a branch when both ends are in one section and near enough. It has no such choice when the
/// compiler puts each function into a section of its own. So the same source gives the same instructions in two encodings.
package struct CodeInstruction: Sendable, Equatable {
    /// The bytes of the code that it takes.
    package var range: Range<Int>
    /// What it does, apart from where its relative operand leads. Equal for all encodings of one branch. For any other instruction: its
    /// own bytes, with zeros in those of the relative operand.
    package var meaning: [UInt8]
    /// The bytes that hold a distance from the instruction: a branch's, or that of an operand relative to the program counter.
    package var relative: Range<Int>?
    /// Where the distance leads, in bytes from the code's start, unless a relocation fills it: may be negative, or beyond the end.
    package var target: Int?
    /// Does nothing: compilers and assemblers insert it to align what follows.
    package var isFiller: Bool

    package init(range: Range<Int>, meaning: [UInt8], relative: Range<Int>? = nil, target: Int? = nil, isFiller: Bool = false) {
        self.range = range
        self.meaning = meaning
        self.relative = relative
        self.target = target
        self.isFiller = isFiller
    }

    /// The same instruction, counted from another place.
    package func moved(by distance: Int) -> CodeInstruction {
        func moved(_ range: Range<Int>) -> Range<Int> { range.lowerBound + distance..<range.upperBound + distance }
        return CodeInstruction(
            range: moved(range), meaning: meaning, relative: relative.map(moved), target: target.map { $0 + distance }, isFiller: isFiller)
    }
}

/// One instruction as a disassembler writes it.
package struct InstructionText: Sendable, Equatable {
    /// The bytes of the code that it takes.
    package var range: Range<Int>
    /// `call`, `mov`; nil when only its bytes are known.
    package var mnemonic: String?
    /// The whole instruction: `mov $0x1,%eax`.
    package var text: String

    package init(range: Range<Int>, mnemonic: String?, text: String) {
        self.range = range
        self.mnemonic = mnemonic
        self.text = text
    }
}

/// One instruction of machine code, told so that two encodings of the same instruction can be held against each other.
///
/// An assembler picks the short form of a branch where both ends are in one section and near enough, and a compiler that puts
/// each function into a section of its own leaves it no such choice: the same source gives the same instructions in two encodings.
package struct CodeInstruction: Sendable, Equatable {
    /// The bytes of the code that it takes.
    package var range: Range<Int>
    /// What it does, apart from where its relative operand leads: equal for all encodings of one branch, and otherwise the
    /// instruction's own bytes, with those of the relative operand zero.
    package var meaning: [UInt8]
    /// The bytes of a distance that counts from the instruction: of a branch, or of an operand relative to the program counter.
    package var relative: Range<Int>?
    /// Where that leads, counted from the code's start, as long as no relocation fills it: may be negative, or beyond the end.
    package var target: Int?
    /// Does nothing: what compilers and assemblers put in to align what follows.
    package var isFiller: Bool

    package init(range: Range<Int>, meaning: [UInt8], relative: Range<Int>? = nil, target: Int? = nil, isFiller: Bool = false) {
        self.range = range
        self.meaning = meaning
        self.relative = relative
        self.target = target
        self.isFiller = isFiller
    }
}

/// One instruction as a disassembler writes it.
package struct InstructionText: Sendable, Equatable {
    /// The bytes of the code that it takes.
    package var range: Range<Int>
    /// `call`, `mov`; nil where only its bytes are known.
    package var mnemonic: String?
    /// All of it: `mov $0x1,%eax`.
    package var text: String

    package init(range: Range<Int>, mnemonic: String?, text: String) {
        self.range = range
        self.mnemonic = mnemonic
        self.text = text
    }
}

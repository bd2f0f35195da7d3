import Testing

@testable import CodeListing

/// Lines as GNU objdump 2.35 to 2.44 writes them.
@Suite struct InstructionWordingTests {
    private let wording = InstructionWording(function: 0x10..<0x100)

    private func instruction(_ line: String, _ references: [(String, isLast: Bool)], at offset: Int = 0x20) -> ListedInstruction {
        wording.instruction(at: offset, line, references: references.map { NamedReference(name: $0.0, isLast: $0.isLast) })
    }

    private static let (first, last) = (false, true)

    @Test(arguments: [
        ("call   15 <f+0x15>", [("sink", last)], "call sink"), ("mov    $0x0,%rdi", [("\"hello\"", last)], "mov $\"hello\",%rdi"),
        ("movl   $0x5,0x0(%rip)        # 3a <f+0x3a>", [("count", first)], "movl $0x5,count(%rip)"),
        ("mov    0x0(%rip),%eax        # 5f <f+0x5f>", [("count+4", last)], "mov count+4(%rip),%eax"),
        ("mov    0x0(,%rax,8),%rdx", [("table", last)], "mov table(,%rax,8),%rdx"),
        // A zero of the source is no place for a name.
        ("movl   $0x0,0x0(%rip)        # 5f <f+0x5f>", [("a", first)], "movl $0x0,a(%rip)"),
        ("movq   $0x0,0x0(,%rax,8)", [("table", first)], "movq $0x0,table(,%rax,8)"),
        ("movb   $0x0,%fs:0x0", [("a", first)], "movb $0x0,%fs:0x0  [a]"),
        ("movq   $0x0,0x0(%rip)        # 5f <f+0x5f>", [("a", first), ("b", last)], "movq $b,a(%rip)"),
        ("movq   $0x0,0x8(%rax)", [("b(x", last)], "movq $b(x,0x8(%rax)"), ("shll   $1,0x0(%rip)", [("a", last)], "shll $1,0x0(%rip)  [a]"),
        ("bl\t0 <sink>", [("sink", last)], "bl sink"), ("adrp\tx0, 0 <f>", [("count", last)], "adrp x0, count"),
        ("add\tx0, x0, #0x0", [("count", last)], "add x0, x0, #0x0  [count]"), ("mov\tw21, #0x5                   \t// #5", [], "mov w21, #0x5"),
        ("lea    0x0(,%rbp,4),%rbp", [], "lea 0x0(,%rbp,4),%rbp"), ("cs nopw 0x0(%rax,%rax,1)", [], "cs nopw 0x0(%rax,%rax,1)"), ("ret", [], "ret"),
        (".word\t0x00000064", [], ".word 0x00000064"),
    ])
    func namesStandInThePlaceOfAddresses(line: String, references: [(String, isLast: Bool)], text: String) {
        let instruction = instruction(line, references)
        #expect(instruction.text == text)
        #expect(instruction.shape == text)
        #expect(instruction.offset == 0x10)
        #expect(instruction.target == nil)
    }

    @Test(
        arguments: [
            ("call   15 <f+0x15>", [("sink", last)], "sink"), ("je     15 <f+0x15>", [("a name", last)], "a name"), ("b.eq\t0 <f>", [("sink", last)], "sink"),
            ("cbz\tx0, 0 <f>", [("sink", last)], "sink"), ("adrp\tx0, 0 <f>", [("count", last)], nil), ("call   240 <other>", [], "other"),
            ("jmp    20 <f+0x10>", [], nil), ("mov    0x0(%rip),%eax        # 5f <f+0x5f>", [("count", last)], nil), ("call   *%rax", [], nil),
        ] as [(String, [(String, isLast: Bool)], String?)])
    func whatIsCalledIsKnown(line: String, references: [(String, isLast: Bool)], callee: String?) {
        #expect(instruction(line, references).callee == callee)
    }

    @Test(arguments: [
        ("jne    43 <f+0x33>", "jne +0x33", "jne ·", 0x33), ("b.ne\t5c <f+0x4c>  // b.any", "b.ne +0x4c", "b.ne ·", 0x4c),
        ("ldr\tr0, [pc, #108]\t@ 7c <f+0x6c>", "ldr r0, +0x6c", "ldr r0, ·", 0x6c), ("cbz\tw1, 44 <f+0x34>", "cbz w1, +0x34", "cbz w1, ·", 0x34),
        ("tbnz\tw0, #3, 44 <f+0x34>", "tbnz w0, #3, +0x34", "tbnz w0, #3, ·", 0x34),
    ])
    func placesInTheFunctionAreOffsets(line: String, text: String, shape: String, target: Int) {
        let instruction = wording.instruction(at: 0x10, line, references: [])
        #expect(instruction.text == text)
        #expect(instruction.shape == shape)
        #expect(instruction.target == target)
    }

    /// Before Xen 4.17 functions share a section, and calls within it need no relocation.
    @Test func anotherFunctionOfTheSectionIsNamed() {
        let instruction = wording.instruction(at: 0x10, "call   240 <other>", references: [])
        #expect(instruction.text == "call other")
        #expect(instruction.target == nil)
    }

    @Test(arguments: ["", " ", "<", "jmp <", "jmp zz <f>", "a  # ", "\u{1b}[31m", "call 99999999999999999999 <f>"]) func anyLineIsText(line: String) {
        _ = wording.instruction(at: 0x10, line, references: [])
        _ = instruction(line, [("x", true)])
        _ = instruction(line, [("x", false), ("y", true)])
    }
}

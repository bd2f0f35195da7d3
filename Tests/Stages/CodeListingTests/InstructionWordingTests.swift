import Testing

@testable import CodeListing

/// Lines as GNU objdump 2.35 to 2.44 writes them.
@Suite struct InstructionWordingTests {
    private let wording = InstructionWording(function: 0x10..<0x100)

    @Test(arguments: [
        ("call   15 <f+0x15>", ["sink"], "call sink"), ("mov    $0x0,%rdi", ["\"hello\""], "mov $\"hello\",%rdi"),
        ("movl   $0x5,0x0(%rip)        # 3a <f+0x3a>", ["count"], "movl $0x5,count(%rip)"),
        ("mov    0x0(%rip),%eax        # 5f <f+0x5f>", ["count+4"], "mov count+4(%rip),%eax"),
        ("mov    0x0(,%rax,8),%rdx", ["table"], "mov table(,%rax,8),%rdx"),
        ("movq   $0x0,0x0(%rip)        # 5f <f+0x5f>", ["a", "b"], "movq $0x0,0x0(%rip)  [a, b]"), ("bl\t0 <sink>", ["sink"], "bl sink"),
        ("adrp\tx0, 0 <f>", ["count"], "adrp x0, count"), ("add\tx0, x0, #0x0", ["count"], "add x0, x0, #0x0  [count]"),
        ("mov\tw21, #0x5                   \t// #5", [], "mov w21, #0x5"), ("lea    0x0(,%rbp,4),%rbp", [], "lea 0x0(,%rbp,4),%rbp"),
        ("cs nopw 0x0(%rax,%rax,1)", [], "cs nopw 0x0(%rax,%rax,1)"), ("ret", [], "ret"), (".word\t0x00000064", [], ".word 0x00000064"),
    ])
    func namesStandInThePlaceOfAddresses(line: String, references: [String], text: String) {
        let instruction = wording.instruction(at: 0x20, line, references: references)
        #expect(instruction.text == text)
        #expect(instruction.shape == text)
        #expect(instruction.offset == 0x10)
        #expect(instruction.target == nil)
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
        _ = wording.instruction(at: 0x10, line, references: ["x"])
        _ = wording.instruction(at: 0x10, line, references: ["x", "y"])
    }
}

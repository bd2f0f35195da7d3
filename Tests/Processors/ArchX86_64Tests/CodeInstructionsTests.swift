import ArchX86_64
import TargetArchitecture
import Testing

@Suite struct CodeInstructionsTests {
    private func instructions(_ bytes: [UInt8]) throws -> [CodeInstruction] {
        try #require(ArchX86_64().instructions(bytes[...]))
    }

    @Test(
        arguments: [
            ([0xeb, 0x10], [0xe9, 0x10, 0, 0, 0]), ([0x74, 0xfe], [0x0f, 0x84, 0xfa, 0xff, 0xff, 0xff]),
            ([0x7f, 0x02], [0x0f, 0x8f, 0x02, 0, 0, 0]),
        ] as [([UInt8], [UInt8])])
    func bothFormsOfABranchMeanTheSame(short: [UInt8], long: [UInt8]) throws {
        let (a, b) = (try instructions(short)[0], try instructions(long)[0])
        #expect(a.meaning == b.meaning)
        #expect(a.relative == 1..<2 && b.relative == long.count - 4..<long.count)
    }

    @Test func otherConditionsMeanSomethingElse() throws {
        #expect(try instructions([0x74, 0])[0].meaning != instructions([0x75, 0])[0].meaning)
        #expect(try instructions([0xeb, 0])[0].meaning != instructions([0xe8, 0, 0, 0, 0])[0].meaning)
    }

    @Test func targetsCountFromTheStartOfTheCode() throws {
        // nop; jmp to the nop; call behind the end
        let list = try instructions([0x90, 0xeb, 0xfd, 0xe8, 0x10, 0, 0, 0])
        #expect(list.map(\.target) == [nil, 0, 24])
    }

    @Test func anOperandRelativeToTheInstructionIsNoPartOfTheMeaning() throws {
        // lea 0x10(%rip), %rax
        let lea = try instructions([0x48, 0x8d, 0x05, 0x10, 0, 0, 0])[0]
        #expect(lea.meaning == [0x48, 0x8d, 0x05, 0, 0, 0, 0])
        #expect(lea.relative == 3..<7 && lea.target == 23)
        // mov 0x10(%rax), %rax: the distance is from a register.
        let load = try instructions([0x48, 0x8b, 0x80, 0x10, 0, 0, 0])[0]
        #expect(load.relative == nil && load.meaning == [0x48, 0x8b, 0x80, 0x10, 0, 0, 0])
    }

    @Test(
        arguments: [
            ([0x90], true), ([0x66, 0x90], true), ([0x0f, 0x1f, 0x40, 0], true), ([0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], true),
            // pause, xchg %r8,%rax, int3, ret
            ([0xf3, 0x90], false), ([0x49, 0x90], false), ([0xcc], false), ([0xc3], false),
            // xchg %r8d,%eax; nopl (%rip); nopl 0; nopl (%rax,%rax); nopl 0(,%rax,2); nop %eax; nopw with five prefixes; REX.W nop
            ([0x41, 0x90], false), ([0x0f, 0x1f, 0x05, 0, 0, 0, 0], true), ([0x0f, 0x1f, 0x04, 0x25, 0, 0, 0, 0], true),
            ([0x0f, 0x1f, 0x04, 0x00], true), ([0x0f, 0x1f, 0x04, 0x45, 0, 0, 0, 0], true), ([0x0f, 0x1f, 0xc0], true),
            ([0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], true), ([0x48, 0x90], true),
            // endbr64, prefetcht0 (%rax), UDB
            ([0xf3, 0x0f, 0x1e, 0xfa], false), ([0x0f, 0x18, 0x08], false), ([0xd6], false),
        ] as [([UInt8], Bool)])
    func onlyWhatDoesNothingIsFiller(bytes: [UInt8], isFiller: Bool) throws {
        #expect(try instructions(bytes).map(\.isFiller) == [isFiller])
        #expect(ArchX86_64().isPadding(bytes[...]) == (isFiller || bytes == [0xcc]))
    }

    @Test func paddingIsWholeInstructions() {
        let architecture = ArchX86_64()
        #expect(architecture.isPadding([0x66, 0x90, 0x0f, 0x1f, 0x05, 1, 2, 3, 4, 0x90]))
        #expect(!architecture.isPadding([0x66, 0x90, 0x0f, 0x1f, 0x05, 1, 2, 3]))
        #expect(architecture.isPadding([0xcc, 0, 0xcc]) && architecture.isPadding([]))
    }

    /// A base and an index before the displacement are no operand relative to the instruction, whatever the registers' numbers.
    @Test func displacementsFromRegistersArePartOfTheMeaning() throws {
        // mov 0x1000(%rbp,%rax), %eax, and with 0x2000
        let near = try instructions([0x8b, 0x84, 0x05, 0, 0x10, 0, 0])[0]
        let far = try instructions([0x8b, 0x84, 0x05, 0, 0x20, 0, 0])[0]
        #expect(near.relative == nil && near.meaning != far.meaning)
        #expect(ArchX86_64().resolvedReferences([0x8b, 0x84, 0x05, 0, 0x10, 0, 0], relocated: []) == [])
    }

    @Test func branchesOutOfTheCodeAreFound() {
        // jmp to itself; call behind the end; lea before the start; xbegin behind the end; jne, which a relocation fills
        let code: [UInt8] = [
            0xeb, 0xfe, 0xe8, 0x20, 0, 0, 0, 0x48, 0x8d, 0x05, 0xc0, 0xff, 0xff, 0xff, 0xc7, 0xf8, 0x40, 0, 0, 0, 0x0f, 0x85, 0, 1, 0, 0,
        ]
        #expect(
            ArchX86_64().resolvedReferences(code[...], relocated: [22..<26]) == [
                ResolvedReference(field: 3..<7, target: 39), ResolvedReference(field: 10..<14, target: -50),
                ResolvedReference(field: 16..<20, target: 84),
            ])
        // UDB ends nothing: what follows is looked at.
        #expect(ArchX86_64().resolvedReferences([0xd6, 0xe9, 0x20, 0, 0, 0], relocated: [])?.map(\.target) == [38])
    }

    @Test func codeThatIsCutShortIsNotDecoded() {
        #expect(ArchX86_64().instructions([0xe9, 0, 0]) == nil)
    }
}

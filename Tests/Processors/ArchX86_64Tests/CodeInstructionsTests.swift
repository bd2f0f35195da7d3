import ArchX86_64
import TargetArchitecture
import Testing

@Suite struct CodeInstructionsTests {
    private func instructions(_ bytes: [UInt8]) throws -> [CodeInstruction] {
        try #require(ArchX86_64().instructions(bytes[...]))
    }

    @Test(arguments: [
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

    @Test(arguments: [
        ([0x90], true), ([0x66, 0x90], true), ([0x0f, 0x1f, 0x40, 0], true), ([0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], true),
        // pause, xchg %r8,%rax, int3, ret
        ([0xf3, 0x90], false), ([0x49, 0x90], false), ([0xcc], false), ([0xc3], false),
    ] as [([UInt8], Bool)])
    func onlyWhatDoesNothingIsFiller(bytes: [UInt8], isFiller: Bool) throws {
        #expect(try instructions(bytes).map(\.isFiller) == [isFiller])
    }

    @Test func codeThatIsCutShortIsNotDecoded() {
        #expect(ArchX86_64().instructions([0xe9, 0, 0]) == nil)
    }
}

import ArchARM32
import ArchARM64
import ELFModel
import TargetArchitecture
import Testing

@Suite struct CodePlaceTests {
    private static func words(_ words: [UInt64]) -> ArraySlice<UInt8> { words.flatMap { ByteOrder.little.bytes($0, count: 4) }[...] }

    private static let nop: UInt64 = 0xd503_201f
    /// adrp x0, .
    private static let adrp: UInt64 = 0x9000_0000

    @Test("no ADRP comes to lie in the last two words of a page")
    func erratum() {
        let code = Self.words([Self.nop, Self.nop, Self.adrp, Self.nop])
        #expect(ArchARM64().mayStand(code, at: 0))
        #expect(!ArchARM64().mayStand(code, at: 0xff0))
        #expect(ArchARM64().mayStand(code, at: 0xfe0))
        #expect(!ArchARM64().mayStand(code, at: 0x7ff0))
        let long = Self.words(Array(repeating: Self.nop, count: 0x400) + [Self.adrp])
        #expect(!ArchARM64().mayStand(long, at: 0xff8 + 0x1000))
        #expect(!ArchARM64().mayStand(long, at: 0xffc))
        #expect(ArchARM64().mayStand(long, at: 0))
        #expect(ArchARM32().mayStand(code, at: 0xff0))
    }

    /// v is farther away than ADR reaches, or near.
    @Test("what the linker does about the erratum is undone", arguments: ["0x5000000", "0x280000"])
    func linkerFixes(data: String) async throws {
        let source = """
            .text
            .balign 4096
            .space 0xff0
            .global f
            .type f, %function
            f:  nop
                nop
                adrp x0, v
                ldr x1, [x2]
                ldr x1, [x0, #:lo12:v]
                ret
            .size f, . - f
            .data
            .space 24
            v: .quad 0

            """
        let fixed = try await LinkedCode.make(source, for: ArchARM64(), flags: ["--fix-cortex-a53-843419"], data: data)
        let plain = try await LinkedCode.make(source, for: ArchARM64(), data: data)
        let compiled = try #require(fixed.object.sections.first { $0.name == ".text" }).data[0xff0..<0xff0 + 24]
        let (address, text) = fixed.linkedBytes(".text")
        let expected = Array(plain.linkedBytes(".text").bytes[0xff0..<0xff0 + 24])
        let running = Array(text[0xff0..<0xff0 + 24])
        #expect(running != expected)
        let start = address + 0xff0
        func read(_ at: UInt64, _ count: Int) -> ArraySlice<UInt8>? {
            guard at >= address, Int(at - address) + count <= text.count else { return nil }
            return text[Int(at - address)..<Int(at - address) + count]
        }
        #expect(ArchARM64().withoutLinkerFixes(running, like: Array(compiled), at: start, read: read) == expected)
        // Somebody else's jump stays.
        var other = running
        other.replaceSubrange(12..<16, with: [1, 0, 0, 0x14])
        #expect(Array(ArchARM64().withoutLinkerFixes(other, like: Array(compiled), at: start, read: read)[12..<16]) == [1, 0, 0, 0x14])
    }

    @Test("jumps to neighbours that the assembler has settled are found")
    func resolved() async throws {
        let arm64 = try await LinkedCode.make(
            ".text\nbefore: nop\nnop\nf: bl before\nb f\ncbz x0, after\ntbnz x1, #3, before\nadr x2, after\nldr x3, before\nadrp x4, f\nafter: nop\n",
            for: ArchARM64())
        let code = try #require(arm64.object.sections.first { $0.name == ".text" }).data[8..<36]
        let found = try #require(ArchARM64().resolvedReferences(code, relocated: [24..<28]))
        #expect(found.map(\.target) == [-8, 28, -8, 28, -8])
        #expect(found.map(\.field.lowerBound) == [0, 8, 12, 16, 20])
        // The distance does not count, all else does.
        #expect(found[0].rest == 0x9400_0000 && found[1].rest == 0xb400_0000)

        let arm32 = try await LinkedCode.make(
            ".arm\n.text\nbefore: nop\nnop\nf: bl before\nb f\nbne after\nldr r0, before\nadr r1, after\nldr r2, [r3, #4]\nafter: nop\n", for: ArchARM32())
        let words = try #require(arm32.object.sections.first { $0.name == ".text" }).data[8..<32]
        let jumps = try #require(ArchARM32().resolvedReferences(words, relocated: []))
        #expect(jumps.map(\.target) == [-8, 24, -8, 24])
        #expect(jumps.map(\.field.lowerBound) == [0, 8, 12, 16])
    }

    @Test("what fills gaps, and what is only a mark")
    func fillers() {
        #expect(ArchARM64().isPadding(Self.words([Self.nop, 0, Self.nop])))
        #expect(!ArchARM64().isPadding(Self.words([Self.adrp])))
        #expect(ArchARM32().isPadding(Self.words([0xe320_f000, 0xe1a0_0000, 0])))
        #expect(ArchARM64().isMappingSymbol("$x") && ArchARM64().isMappingSymbol("$d.1") && !ArchARM64().isMappingSymbol("$a"))
        #expect(ArchARM32().isMappingSymbol("$a.0") && ArchARM32().isMappingSymbol("$t") && !ArchARM32().isMappingSymbol("$x"))
    }
}

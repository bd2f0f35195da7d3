import ArchX86_64
import Diagnostics
import ELFModel
import PayloadLinker
import TestTools
import Testing
import XenSource
import XenVersions

/// What an entry of the functions section can hold beside two addresses, and the payload's words about itself.
@Suite struct EntryTests {
    private func link(
        _ original: String, _ patched: String, abi: PayloadABI = .livepatchV2, expect: Bool = false, nops: [LinkOptions.NOPs] = [],
        metadata: [LinkOptions.Metadata] = []
    ) async throws -> (outcome: LinkOutcome, image: XenImage) {
        try await PayloadLinkerTests.link(
            [("test.c", original, patched)], options: LinkOptions(name: "test", abi: abi, xen: .ofFixtures, expect: expect, metadata: metadata, nops: nops))
    }

    private func entries(_ outcome: LinkOutcome, size: Int = 104) throws -> [ArraySlice<UInt8>] {
        let file = try PayloadLinkerTests.file(outcome)
        let data = try #require(file.sections.first { $0.name == ".livepatch.funcs" }).data
        return stride(from: 0, to: data.count, by: size).map { data[$0..<$0 + size] }
    }

    private static func source(_ n: Int) -> String { "u32 f(u32 x) { printk(\"x\"); return x * \(n); }" }

    @Test func theFirstBytesAreExpected() async throws {
        let (outcome, image) = try await link(Self.source(1_000_003), Self.source(1_000_005), expect: true)
        let symbol = try #require(image.global("f"))
        let count = min(31, Int(symbol.size))
        let entry = try #require(try entries(outcome).first)
        let field = Array(entry.suffix(32))
        #expect(field[0] == UInt8(count << 1 | 1))
        let bytes = try #require(image.bytes(at: symbol.address, count: count))
        #expect(Array(field[1...count]) == Array(bytes))
        #expect(field.dropFirst(1 + count).allSatisfy { $0 == 0 })
    }

    @Test func withoutTheOptionNothingIsExpected() async throws {
        let (outcome, _) = try await link(Self.source(1_000_003), Self.source(1_000_005))
        let entry = try #require(try entries(outcome).first)
        #expect(entry.suffix(32).allSatisfy { $0 == 0 })
    }

    @Test func codeThatIsPatchedAtBootIsNotExpected() async throws {
        let source = { (n: Int) in "u32 f(u32 x) { x *= \(n); ALTERNATIVE(\"nop\", \"nop\"); printk(\"x\"); return x; }" }
        let (outcome, image) = try await link(source(1_000_003), source(1_000_005), expect: true)
        let entry = try #require(try entries(outcome).first)
        let field = Array(entry.suffix(32))
        let symbol = try #require(image.global("f"))
        let start = Array(try #require(image.bytes(at: symbol.address, count: min(31, Int(symbol.size)))))
        let alternative = try #require(start.firstIndex(of: 0x90))
        #expect(field[0] == UInt8(alternative << 1 | 1) && alternative > 0)
        #expect(Array(field[1...alternative]) == Array(start.prefix(alternative)))
    }

    @Test func nothingIsExpectedBehindAMarkForIndirectCalls() async throws {
        let source = { (n: Int) in "u32 f(u32 x) { asm volatile ( \"endbr64\" ); return x * \(n); }" }
        let (outcome, image) = try await link(source(1_000_003), source(1_000_005), expect: true)
        let symbol = try #require(image.global("f"))
        let start = Array(try #require(image.bytes(at: symbol.address, count: 4)))
        try #require(start == [0xf3, 0x0f, 0x1e, 0xfa])
        let entry = try #require(try entries(outcome).first)
        #expect(entry.suffix(32).allSatisfy { $0 == 0 })
        #expect(outcome.diagnostics.map(\.id) == [.expectationLeftOut])
        #expect(outcome.payload != nil)
    }

    @Test func nopsAreAnEntryWithoutNewCode() async throws {
        let g = "u32 g(u32 x) { x += 0x12345678; printk(\"g\"); return x * 1000003; }\n"
        let (plain, image) = try await link(g + Self.source(1_000_003), g + Self.source(1_000_003))
        #expect(plain.payload?.fileName == nil)
        let symbol = try #require(image.global("g"))
        let code = try #require(image.bytes(at: symbol.address, count: Int(symbol.size)))
        let first = try #require(ArchX86_64().instructions(code)?.first?.range.upperBound)

        let (outcome, _) = try await link(
            g + Self.source(1_000_003), g + Self.source(1_000_003), nops: [.init(function: "g", count: first)])
        let file = try PayloadLinkerTests.file(outcome)
        let table = try #require(file.sections.firstIndex { $0.name == ".livepatch.funcs" })
        let relocations = file.sections.filter { $0.info == UInt32(table) }.flatMap(\.relocations)
        // The name only: the new address stays zero.
        #expect(relocations.map(\.offset) == [0])
        let entry = try #require(try entries(outcome).first)
        #expect(entry[24] == UInt8(first))
        #expect(outcome.payload?.functions.map(\.isNOPs) == [true])
    }

    /// The hypervisor takes the mark off the size that the entry has, and writes to what is left: from 4 bytes off 3 it would write for ever.
    @Test("the size of NOPs behind a mark for indirect calls counts the mark, which stays")
    func nopsBehindALandingPad() async throws {
        let g = "u32 g(u32 x) { asm volatile ( \"endbr64; movl $5, %%eax\" ::: \"eax\" ); return x * 1000003; }\n"
        let (outcome, image) = try await link(g + Self.source(1_000_003), g + Self.source(1_000_003), nops: [.init(function: "g", count: 5)])
        let symbol = try #require(image.global("g"))
        try #require(image.bytes(at: symbol.address, count: 5).map(Array.init) == [0xf3, 0x0f, 0x1e, 0xfa, 0xb8])
        let entry = try #require(try entries(outcome).first)
        #expect(entry[24] == 9)
        #expect(outcome.payload?.functions.map(\.newSize) == [5])
        let (tooMany, _) = try await link(g + Self.source(1_000_003), g + Self.source(1_000_003), nops: [.init(function: "g", count: 28)])
        #expect(tooMany.diagnostics.first?.message.contains("takes 1 to 27") == true, "\(tooMany.diagnostics)")
    }

    @Test(arguments: [
        ("g", 2, "in the middle of an instruction"), ("g", 0, "1 to 31"), ("g", 32, "1 to 31"), ("nowhere", 3, "no function, or more than one,"),
        ("f", 3, "replaces it"),
    ])
    func nopsThatCantBe(function: String, count: Int, reason: String) async throws {
        let g = "u32 g(u32 x) { asm volatile ( \"movl $0x12345678, %%eax\" ::: \"eax\" ); printk(\"g\"); return x * 1000003; }\n"
        let (outcome, _) = try await link(
            g + Self.source(1_000_003), g + Self.source(1_000_005), nops: [.init(function: function, count: count)])
        #expect(outcome.payload?.fileName == nil)
        #expect(outcome.diagnostics.map(\.id) == [.nopsNotPossible])
        #expect(outcome.diagnostics.first?.message.contains(reason) == true, "\(outcome.diagnostics)")
    }

    @Test func oldFormatsHaveNeither() async throws {
        let metadata = [LinkOptions.Metadata("patch", "a.patch")]
        let (outcome, _) = try await link(Self.source(1_000_003), Self.source(1_000_005), abi: .livepatchV1, expect: true, metadata: metadata)
        let file = try PayloadLinkerTests.file(outcome)
        #expect(file.sections.first { $0.name == ".livepatch.funcs" }?.size == 64)
        #expect(!file.sections.contains { $0.name == ".modinfo" || $0.name == ".livepatch.xen_depends" })
    }

    @Test func metadataIsTextWithZeroBytes() async throws {
        let metadata = [LinkOptions.Metadata("patch", "a\nb.patch"), .init("tool", "x 1")]
        let (outcome, _) = try await link(Self.source(1_000_003), Self.source(1_000_005), metadata: metadata)
        let file = try PayloadLinkerTests.file(outcome)
        let section = try #require(file.sections.first { $0.name == ".modinfo" })
        #expect(String(decoding: section.data, as: UTF8.self) == "patch=a b.patch\0tool=x 1\0")
        #expect(section.isAllocated && !section.isWritable)
    }
}

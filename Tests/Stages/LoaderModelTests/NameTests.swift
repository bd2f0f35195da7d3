import ELFModel
import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// Names of symbols, and of functions in entries.
@Suite struct NameTests {
    private let image: Range<UInt64> = 0xffff_82d0_4020_0000..<0xffff_82d0_4060_0000

    @Test("names are bytes: what is not UTF-8 tells them apart, and so do two spellings of an accent")
    func bytes() async throws {
        var payload = SamplePayload()
        payload.more = ".section .rodata.more, \"a\"\nname_QQ: .long 0\n"
        let bytes = try await payload.assembled()
        var hypervisor = SampleHypervisor()
        for (own, other) in [([0xFF, 0x41], [0xFE, 0x41]), ([0xC3, 0xA9], [0x65, 0xCC])] as [([UInt8], [UInt8])] {
            let file = try replacing("name_QQ", with: Array("name_".utf8) + own, in: bytes)
            hypervisor.names = [SymbolName((Array("name_".utf8) + other)[...]): 0xffff_82d0_4020_4000]
            #expect(load(file, into: hypervisor).isAccepted)
            hypervisor.names = [SymbolName((Array("name_".utf8) + own)[...]): 0xffff_82d0_4020_4000]
            #expect(load(file, into: hypervisor).isRefused(.symbolTable, .exists))
        }
        #expect(SymbolName("\u{e9}") != SymbolName("e\u{301}"))
        #expect(SymbolName([0xFF][...]).exactText == nil && SymbolName([0xFF][...]).text == "\u{fffd}")
    }

    @Test("the loader copies all names to memory in one piece")
    func memoryForNames() async throws {
        var payload = SamplePayload()
        payload.more = ".section .rodata.more, \"a\"\n" + (0..<2100).map { "many_\($0): " }.joined(separator: "\n") + ".long 0\n"
        let bytes = try await payload.assembled()
        #expect(load(try withOneName(ofLength: 1_000_000, forSymbols: "many_", bytes)).isRefused(.symbolTable, .outOfMemory, logged: false, "2002 MiB"))
        #expect(load(try withOneName(ofLength: 100_000, forSymbols: "many_", bytes)).isAccepted)
    }

    @Test("an entry's name may be one of the hypervisor's own texts")
    func nameInTheHypervisor() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.memory = image
        hypervisor.code[0xffff_82d0_4030_0000] = Array("victim\0".utf8)
        let source = SamplePayload()
        let bytes = try await assemble(source.source.replacing(".8byte name,", with: ".8byte 0xffff82d040300000,"))
        let result = load(bytes, into: hypervisor)
        #expect(result.isAccepted && result.functions.first?.oldAddress == hypervisor.symbols["victim"])
        // What the hypervisor writes while it runs is not known.
        hypervisor.code[0xffff_82d0_4030_0000] = nil
        guard case .notModelled = load(bytes, into: hypervisor).verdict else {
            Issue.record("a name in zero-filled memory was taken for known")
            return
        }
        let wild = try await assemble(source.source.replacing(".8byte name,", with: ".8byte 0xdead000000000000,"))
        #expect(load(wild, into: hypervisor).crashes("neither an address nor a readable name"))
    }

    @Test("with an address the name is only printed: when an expectation is not met")
    func printedName() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.memory = image
        func payload(_ name: String, expecting byte: String) async throws -> LoadResult {
            var payload = SamplePayload()
            payload.oldAddress = "0xffff82d040202000"
            payload.expectation = ".byte 1 | 1 << 1, \(byte)\n.skip 30"
            return load(try await assemble(payload.source.replacing(".8byte name,", with: ".8byte \(name),")), into: hypervisor)
        }
        #expect(try await payload("0xdead000000000000", expecting: "0x55").isAccepted)
        let printed = try await payload("0xdead000000000000", expecting: "0x56")
        #expect(printed.crashes("prints a name") && printed.ruin == .apply)
        // A null pointer is printed as such.
        #expect(try await payload("0", expecting: "0x56").unmetExpectation?.error == .invalid)
        #expect(try await payload("name", expecting: "0x56").unmetExpectation?.error == .invalid)
    }
}

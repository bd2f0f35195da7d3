import ELFModel
import PayloadSamples
import Testing

@testable import LoaderModel

/// Sound payloads with single fields of their raw headers overwritten.
@Suite struct BrokenHeaderTests {
    @Test func headerFields() async throws {
        let good = try await SamplePayload().assembled()
        #expect(load([]).isRefused(.upload, .invalid, logged: false))
        #expect(load([UInt8](repeating: 0, count: (2 << 20) + 1)).isRefused(.upload, .invalid, logged: false))
        #expect(load(Array(good[..<63])).isRefused(.header, .invalid))
        #expect(load(with(UInt8(0), at: 0, good)).isRefused(.header, .invalid, "not an ELF"))
        #expect(load(with(UInt8(3), at: 7, good)).isRefused(.header, .notSupported))
        #expect(load(with(UInt8(9), at: 7, good)).isAccepted)
        #expect(load(with(UInt8(1), at: 8, good)).isRefused(.header, .notSupported))
        #expect(load(with(UInt16(2), at: 16, good)).isRefused(.header, .notSupported))
        #expect(load(with(UInt16(1), at: 56, good)).isRefused(.header, .notSupported))
        #expect(load(with(UInt16(183), at: 18, good)).isRefused(.header, .notSupported, "machine"))
        #expect(load(with(UInt16(0), at: 62, good)).isRefused(.header, .invalid))
        #expect(load(with(UInt16(1024), at: 60, good)).isRefused(.header, .notSupported, "1024"))
        #expect(load(with(UInt16(500), at: 62, good)).isRefused(.header, .invalid, "500"))
        #expect(load(with(UInt64(good.count), at: 40, good)).isRefused(.header, .invalid, "start past"))
        #expect(load(with(UInt16(40), at: 58, good)).isRefused(.header, .invalid, "40 bytes"))
        #expect(load(with(UInt16(900), at: 60, good)).isRefused(.header, .invalid, "go past"))
    }

    @Test func sectionFields() async throws {
        let good = try await SamplePayload().assembled()
        let text = try header(good) { $0.name == ".text.new_victim" }
        #expect(load(with(UInt64(63), at: text + 24, good)).isRefused(.sections, .invalid, "over the ELF header"))
        #expect(load(with(UInt64(good.count), at: text + 32, good)).isRefused(.sections, .invalid, "past the file"))
        #expect(load(with(UInt64.max, at: text + 32, good)).crashes)
        #expect(load(with(UInt64(3), at: text + 48, good)).isRefused(.sections, .notSupported, "power of two"))
        #expect(load(with(UInt64(5), at: text + 16, with(UInt64(4), at: text + 48, good))).isRefused(.sections, .invalid))
        let bss = try header(good) { $0.name == ".bss.counter" }
        #expect(load(with(UInt64(2 << 20) + 1, at: bss + 32, good)).isRefused(.sections, .invalid, logged: false))
        #expect(load(with(UInt64(2 << 20), at: bss + 32, good)).isAccepted)
        #expect(load(with(UInt32.max, at: text, good)).isRefused(.sectionNames, .invalid))
    }

    @Test func zeroAlignmentLandsOnWhatIsThere() async throws {
        let good = try await SamplePayload().assembled()
        let xenDepends = try header(good) { $0.name == ".livepatch.xen_depends" }
        let result = load(with(UInt64(0), at: xenDepends + 48, good))
        #expect(result.has(.zeroAlignment))
        let readOnly = try #require(result.regions.last)
        #expect(result.sections.first { $0.name == ".livepatch.xen_depends" }?.address == readOnly.address)
        // The function's name was there.
        #expect(!result.isAccepted)
    }

    @Test func aNameWithoutAnEndIsCut() {
        var memory = PayloadMemory(base: 0x1000, regions: [], pages: 3, used: [(0x1000, 0x3000)])
        let isStored = memory.store([UInt8](repeating: 0x6e, count: 10_000), at: 0x1000)
        #expect(isStored)
        #expect(memory.string(at: 0x1000)?.bytes.count == 4096)
        #expect(memory.string(at: 0x1000 + 9_998) == "nn")
        #expect(memory.string(at: 0x4000) == nil)
    }

    @Test func symbolTable() async throws {
        let good = try await SamplePayload().assembled()
        let table = try header(good) { $0.type == ELF.SectionType.symtab }
        #expect(load(with(UInt32(1), at: table + 4, good)).isRefused(.sections, .invalid, "no symbol table"))
        #expect(load(with(UInt32(999), at: table + 40, good)).isRefused(.sections, .invalid, "999"))
        #expect(load(with(UInt32(0), at: table + 40, good)).crashes)
        #expect(load(with(UInt64(23), at: table + 56, good)).isRefused(.sections, .invalid))
        #expect(load(with(UInt64(0), at: table + 32, good)).isRefused(.sections, .invalid))
        let strings = try header(good) { $0.name == ".strtab" }
        #expect(load(with(UInt32(1), at: strings + 4, good)).isRefused(.sections, .invalid, "string table"))
        let another = try header(good) { $0.name == ".rodata.message" }
        let twice = with(UInt32(ELF.SectionType.symtab), at: another + 4, good)
        #expect(load(twice).isRefused(.sections, .notSupported, "second"))
    }

    @Test func symbols() async throws {
        let good = try await SamplePayload().assembled()
        let table = try header(good) { $0.type == ELF.SectionType.symtab }
        let start: UInt64 = try #require(good.number(at: table + 24))
        #expect(load(with(UInt32.max, at: start + 24, good)).isRefused(.symbols, .invalid))
        #expect(load(with(UInt16(0xFF10), at: start + 24 + 6, good)).isRefused(.symbolResolution, .notSupported))
        #expect(load(with(UInt16(500), at: start + 24 + 6, good)).isRefused(.symbolResolution, .invalid, "500"))
    }

    @Test func relocations() async throws {
        let good = try await SamplePayload().assembled()
        let table = try header(good) { $0.name == ".rela.text.new_victim" }
        let start: UInt64 = try #require(good.number(at: table + 24))
        #expect(load(with(UInt64(4), at: start + 8, good)).isRefused(.relocation, .notSupported, "no symbol"))
        #expect(load(with(UInt64(60000) << 32 | 4, at: start + 8, good)).isRefused(.relocation, .invalid, "60000"))
        #expect(load(with(UInt64(25), at: start, good)).isRefused(.relocation, .invalid, "outside"))
        #expect(load(with(UInt64.max, at: start, good)).isRefused(.relocation, .invalid, "outside"))
        #expect(load(with(UInt32(9), at: table + 4, good)).isRefused(.relocation, .notSupported, "SHT_REL"))
        #expect(load(with(UInt32(1), at: table + 40, good)).isRefused(.relocation, .invalid, "link"))
        #expect(load(with(UInt64(25), at: table + 56, good)).isRefused(.relocation, .invalid, "size"))
        #expect(load(with(UInt32(0), at: table + 44, good)).crashes)
        // Past the last section: the hypervisor leaves such relocations out.
        #expect(load(with(UInt32(999), at: table + 44, good)).isAccepted)
    }

    /// Whatever the file holds, the model ends with a verdict.
    @Test func anyDamageEndsInAVerdict() async throws {
        let good = try await SamplePayload().assembled()
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var refused = 0
        for _ in 0..<4000 {
            var bytes = good
            for _ in 0...random(6) { bytes[random(bytes.count)] = UInt8(truncatingIfNeeded: random(256)) }
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            if !load(bytes).isAccepted { refused += 1 }
        }
        #expect(refused > 100)
    }
}

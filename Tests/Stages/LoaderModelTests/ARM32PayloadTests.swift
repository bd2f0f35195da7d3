import ELFModel
import PayloadSamples
import Testing

@testable import LoaderModel

/// What is particular to the loader of arm32: it reads addends from the place, checks less than others, and has three faults.
@Suite struct ARM32PayloadTests {
    /// A payload with one more section, of text unless said otherwise.
    private func loaded(
        _ code: String, into hypervisor: SampleHypervisor? = nil, section: String = ".section .text.more, \"ax\"\n.p2align 3"
    ) async throws -> LoadResult {
        var payload = SamplePayload(.arm32)
        payload.more = "\(section)\nmore: \(code)\n"
        return try await payload.loaded(into: hypervisor)
    }

    @Test func flagsOfTheHeader() async throws {
        let good = try await SamplePayload(.arm32).assembled()
        #expect(load(with(UInt32(0x0400_0000), at: 36, good), machine: .arm32).isRefused(.header, .notSupported, "0x4000000"))
        // Only the version of the ABI is looked at.
        #expect(load(with(UInt32(0x0500_0400), at: 36, good), machine: .arm32).isAccepted)
    }

    @Test func headers() async throws {
        let good = try await SamplePayload(.arm32).assembled()
        func refused(_ bytes: [UInt8], _ step: LoadResult.Step, _ error: LoadResult.ErrorNumber, _ mention: String) -> Bool {
            load(bytes, machine: .arm32).isRefused(step, error, mention)
        }
        #expect(refused(with(UInt16(1), at: 44, good), .header, .notSupported, "program headers"))
        #expect(refused(with(UInt16(39), at: 46, good), .header, .invalid, "40 are needed"))
        #expect(refused(with(UInt16(900), at: 48, good), .header, .invalid, "go past"))
        #expect(refused(with(UInt16(500), at: 50, good), .header, .invalid, "500"))
        #expect(refused(with(UInt32(good.count), at: 32, good), .header, .invalid, "start past"))
        let text = try header(good, .arm32) { $0.name == ".text.new_victim" }
        #expect(refused(with(UInt32(51), at: text + 16, good), .sections, .invalid, "over the ELF header"))
        #expect(refused(with(UInt32(good.count), at: text + 20, good), .sections, .invalid, "past the file"))
        #expect(refused(with(UInt32(3), at: text + 32, good), .sections, .notSupported, "power of two"))
        #expect(load(with(UInt32.max, at: text + 20, good), machine: .arm32).crashes("wrap around"))
        let table = try header(good, .arm32) { $0.type == ELF.SectionType.symtab }
        #expect(refused(with(UInt32(15), at: table + 36, good), .sections, .invalid, "symbol table"))
        let relocations = try header(good, .arm32) { $0.name == ".rel.text.new_victim" }
        #expect(refused(with(UInt32(7), at: relocations + 36, good), .relocation, .invalid, "entry size"))
        #expect(refused(with(UInt32(1), at: relocations + 24, good), .relocation, .invalid, "link"))
    }

    @Test func thumbIsRefused() async throws {
        #expect(try await loaded("\"$t\": nop").isRefused(.symbols, .invalid, "'$t'"))
        #expect(try await loaded("\"$t.5\": nop").isRefused(.symbols, .invalid, "'$t.5'"))
        #expect(try await loaded("\"$tea\": nop").isAccepted)
    }

    /// The lowest bit of a branch's distance in words is lost.
    @Test(arguments: [("bl", "R_ARM_CALL"), ("b", "R_ARM_JUMP24")]) func branchOverAnOddNumberOfWords(branch: String, type: String) async throws {
        #expect(try await loaded("\(branch) printk").isAccepted)
        let odd = try await loaded("nop\n\(branch) printk")
        #expect(odd.crashes("relocation 0 of .rel.text.more: a branch over an odd number of words lands one word short, so 'printk' is missed"))
        // What stands there leads one word too low; the linker's leads to the place.
        var payload = SamplePayload(.arm32)
        payload.more = ".section .text.more, \"ax\"\n.p2align 3\nmore: nop\n\(branch) printk\n"
        let linked = try await link(payload.assembled(), at: odd, for: .arm32)
        let text = try #require(odd.sections.first { $0.name == ".text.more" })
        let stored: UInt32 = try #require(text.bytes.number(at: 4))
        let meant: UInt32 = try #require(linked[".text.more"]?.number(at: 4))
        #expect(stored == meant - 1)
        for section in odd.sections where linked[section.name] != nil && section.name != ".text.more" {
            #expect(linked[section.name] == section.bytes)
        }
    }

    @Test func branchesReach32MiB() async throws {
        var hypervisor = Machine.arm32.hypervisor
        // At the third instruction of the first text; the processor counts from two instructions further on.
        hypervisor.symbols["printk"] = hypervisor.payloadArea + 8 + 8 + (32 << 20) - 8
        var payload = SamplePayload(.arm32)
        payload.text = payload.text.replacing(".4byte printk, ", with: ".4byte ")
        #expect(try await payload.loaded(into: hypervisor).isAccepted)
        hypervisor.symbols["printk"] = hypervisor.payloadArea + 8 + 8 + (32 << 20)
        #expect(try await payload.loaded(into: hypervisor).isRefused(.relocation, .overflow, "R_ARM_CALL"))
    }

    /// The addend of a half of an address is cleared away and not added.
    @Test func halvesLoseTheirAddend() async throws {
        #expect(try await loaded("movw r0, #:lower16:counter + 4").crashes("the addend is left out, so 'counter' + 4 is missed"))
        #expect(try await loaded("movt r0, #:upper16:counter - 0x8000").crashes("the addend is left out, so 'counter' - 32768 is missed"))
        // The upper half is the same with and without.
        #expect(try await loaded("movt r0, #:upper16:message + 4").isAccepted)
        #expect(try await loaded("movw r0, #:lower16:counter\nmovt r0, #:upper16:counter").isAccepted)
    }

    @Test(arguments: [("R_ARM_TARGET1", "R_ARM_TARGET1"), ("R_ARM_PREL31", "R_ARM_PREL31"), ("R_ARM_ABS16", "take type 5")])
    func refusedTypes(type: String, mention: String) async throws {
        #expect(try await loaded(".reloc 0, \(type), second\nnop").isRefused(.relocation, .notSupported, mention))
    }

    /// Unwinding marks do no harm where they are not loaded, and none need a place.
    @Test func nothing() async throws {
        #expect(try await loaded(".reloc 0, R_ARM_NONE, second\nnop").isAccepted)
        #expect(try await loaded("bx lr\n.reloc 0, R_ARM_NONE, absent\nnop").isRefused(.symbolResolution, .notFound, "'absent'"))
    }

    /// Nobody holds a relocation's place against its section.
    @Test func placeOutsideItsSection() async throws {
        let good = try await SamplePayload(.arm32).assembled()
        let table = try header(good, .arm32) { $0.name == ".rel.text.new_victim" }
        let start: UInt32 = try #require(good.number(at: table + 16))
        // The word behind both texts, which is nobody's; the page before the payload; one far behind.
        #expect(load(with(UInt32(0x100), at: UInt64(start), good), machine: .arm32).crashes("what follows section .text.new_victim is overwritten"))
        #expect(load(with(UInt32.max - 3, at: UInt64(start), good), machine: .arm32).crashes("past the payload's pages"))
        #expect(load(with(UInt32(0x4000), at: UInt64(start), good), machine: .arm32).crashes("past the payload's pages"))
        // The symbol is looked at in between, and a type that is not taken touches nothing.
        let absent = with(UInt32(0x00ff_ff02), at: UInt64(start) + 4, good)
        #expect(load(absent, machine: .arm32).isRefused(.relocation, .invalid, "symbol 65535"))
        #expect(load(with(UInt32(0x4000), at: UInt64(start), absent), machine: .arm32).crashes("past the payload's pages"))
        let unknown = with(UInt32(0x0000_01ff), at: UInt64(start) + 4, with(UInt32(0x4000), at: UInt64(start), good))
        #expect(load(unknown, machine: .arm32).isRefused(.relocation, .notSupported, "type 255"))
    }

    /// Words at other than multiples of 4 are fatal: in the payload's sections.
    @Test func alignment() async throws {
        let odd = ".section .odd, \"a\"\n.p2align 2\n.byte 1\n"
        for section in [".note.gnu.build-id", ".livepatch.depends", ".livepatch.xen_depends"] {
            var payload = SamplePayload(.arm32)
            let note = odd + SamplePayload.note(section == ".note.gnu.build-id" ? "0x91" : nil, section)
            switch section {
            case ".livepatch.depends": payload.depends = note
            case ".livepatch.xen_depends": payload.xenDepends = note
            default: payload.buildID = note
            }
            #expect(try await payload.loaded().crashes("the note in section \(section)"))
        }
        var payload = SamplePayload(.arm32)
        payload.data += "\nodd: .skip 1\n"
        #expect(try await payload.loaded().isAccepted)
        payload.alignment = ""
        #expect(try await payload.loaded().crashes("relocation 0 of .rel.livepatch.funcs: its place lies at"))
        // NOPs for an address, without a name: nothing to relocate. The version, one byte, is looked at before.
        (payload.newAddress, payload.newSize, payload.oldAddress) = ("0", "4", "0x202000")
        func unrelocated() async throws -> LoadResult {
            let source = payload.source.replacing(".4byte name,", with: ".4byte 0,")
            return load(try await assemble(source, for: .arm32), machine: .arm32)
        }
        #expect(try await unrelocated().crashes("section .livepatch.funcs lies at"))
        payload.version = "1"
        #expect(try await unrelocated().isRefused(.functions, .notSupported, "version 1"))
        let frames = odd + ".section .bug_frames.1, \"a\"\n.skip 16"
        #expect(try await loaded(".byte 0", section: frames).isRefused(.tables, .invalid, "multiple of 16"))
        #expect(try await loaded("", section: frames).crashes(".bug_frames.1"))
        let alternatives = odd + ".section .altinstructions, \"a\"\n.skip 12\n.section .altinstr_replacement, \"ax\"\nnop\n"
        #expect(try await loaded("", section: alternatives).crashes(".altinstructions"))
        #expect(try await loaded(".byte 1\n.4byte second").crashes("relocation 0 of .rel.text.more: its place lies at"))
        #expect(try await loaded("", section: odd + ".section .livepatch.hooks.load, \"a\"\n.4byte 0").crashes(".livepatch.hooks.load"))
    }

    /// …and in the file, before it is loaded.
    @Test func alignmentInTheFile() async throws {
        let good = try await SamplePayload(.arm32).assembled()
        /// The section's bytes once more, at the end of the file and one byte off.
        func moved(_ name: String, minor: Int) throws -> LoadResult {
            let place = try header(good, .arm32) { $0.name == name }
            let file = RawELF(bytes: good, elfClass: .bits32)
            let section = try #require(file.section(at: place))
            let contents = try #require(file.contents(section))
            let bytes = good + [UInt8](repeating: 0, count: 5 - good.count % 4) + contents
            return load(with(UInt32(bytes.count - contents.count), at: place + 16, bytes), minor: minor, machine: .arm32)
        }
        #expect(try moved(".symtab", minor: 17).crashes("symbol 1"))
        #expect(try moved(".rel.text.new_victim", minor: 17).crashes("relocation 0 of .rel.text.new_victim"))
        #expect(try moved(".text.new_victim", minor: 17).isAccepted)
        // Since 4.20 this note is read where it stands in the file.
        #expect(try moved(".livepatch.xen_depends", minor: 17).isAccepted)
        #expect(try moved(".livepatch.xen_depends", minor: 20).crashes("the note in section .livepatch.xen_depends"))
        #expect(load([0, 0, 0, 0] + good, machine: .arm32).isRefused(.header, .invalid, "not an ELF"))
    }

    /// Tables with addends are taken, too. What stands in an instruction is cleared away only where the addend is not zero.
    @Test func tablesWithAddends() async throws {
        var payload = SamplePayload(.arm32)
        payload.more = ".section .text.more, \"ax\"\n.p2align 3\nmore: bl printk\n.4byte second + 4\n"
        let good = try await payload.assembled()
        /// The table of the section, with addends.
        func loaded(branch: Int32, word: Int32) throws -> LoadResult {
            let place = try header(good, .arm32) { $0.name == ".rel.text.more" }
            let start: UInt32 = try #require(good.number(at: place + 16))
            var bytes = good + [UInt8](repeating: 0, count: 4 - good.count % 4)
            let table = UInt32(bytes.count)
            for (index, addend) in [branch, word].enumerated() {
                bytes += good[Int(start) + 8 * index..<Int(start) + 8 * index + 8]
                bytes += (0..<4).map { UInt8(truncatingIfNeeded: addend >> (8 * $0)) }
            }
            bytes = with(ELF.SectionType.rela, at: place + 4, bytes)
            bytes = with(table, at: place + 16, bytes)
            bytes = with(UInt32(24), at: place + 20, bytes)
            return load(with(UInt32(12), at: place + 36, bytes), machine: .arm32)
        }
        let same = try loaded(branch: -8, word: 4)
        #expect(same.isAccepted)
        #expect(same.sections == load(good, machine: .arm32).sections)
        #expect(try loaded(branch: 0, word: 4).crashes("mixed with 'printk'"))
        #expect(try loaded(branch: -8, word: 0).isAccepted)
    }
}

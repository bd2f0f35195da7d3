import ELFModel
import PayloadSamples
import Testing

@testable import LoaderModel

/// What is particular to the loader of arm64.
@Suite struct ARM64PayloadTests {
    /// A payload with one more section of text.
    private func loaded(text: String, into hypervisor: SampleHypervisor? = nil) async throws -> LoadResult {
        var payload = SamplePayload(.arm64)
        payload.more = ".section .text.more, \"ax\"\n.p2align 4\nmore: \(text)\n"
        return try await payload.loaded(into: hypervisor)
    }

    @Test func tablesWithoutAddendsAreNotImplemented() async throws {
        let good = try await SamplePayload(.arm64).assembled()
        let table = try header(good, .arm64) { $0.name == ".rela.text.new_victim" }
        #expect(
            load(with(ELF.SectionType.rel, at: table + 4, good), machine: .arm64)
                .isRefused(.relocation, .notImplemented, logged: false, "SHT_REL"))
    }

    /// Bits are tested with a reach of 32 KiB, and the loader checks for 1 MiB.
    @Test func testBranchIsStoredInPart() async throws {
        #expect(try await loaded(text: "tbz w2, #3, there\n.section .text.x, \"ax\"\n.skip 0x7000\nthere: ret").isAccepted)
        let far = try await loaded(text: "tbz w2, #3, there\n.section .text.x, \"ax\"\n.skip 0x9000\nthere: ret")
        #expect(far.crashes("relocation 0 of .rela.text.more: .text.x + 36864 is too far away for R_AARCH64_TSTBR14"))
        #expect(try await loaded(text: "tbz w2, #3, printk").isRefused(.relocation, .overflow, "R_AARCH64_TSTBR14"))
    }

    @Test(arguments: [
        ("cbz x0, printk", "CONDBR19"), ("adr x0, printk", "ADR_PREL_LO21"), (".4byte printk", "ABS32"),
        (".2byte printk, 0", "ABS16"), (".2byte printk - ., 0", "PREL16"), ("bl distant", "CALL26"), ("b distant", "JUMP26"),
        ("adrp x0, distant", "ADR_PREL_PG_HI21"), (".4byte distant - .", "PREL32"),
    ]) func overflow(text: String, type: String) async throws {
        var hypervisor = Machine.arm64.hypervisor
        hypervisor.symbols["distant"] = hypervisor.payloadArea + (1 << 40)
        #expect(try await loaded(text: text, into: hypervisor).isRefused(.relocation, .overflow, "R_AARCH64_\(type)"))
    }

    @Test func reachOfACall() async throws {
        var hypervisor = Machine.arm64.hypervisor
        hypervisor.symbols["distant"] = hypervisor.payloadArea + (128 << 20)
        var payload = SamplePayload(.arm64)
        payload.text = payload.text.replacing("bl printk", with: "bl distant")
        #expect(try await payload.loaded(into: hypervisor).isAccepted)
        hypervisor.symbols["distant"] = hypervisor.payloadArea + 8 + (128 << 20)
        #expect(try await payload.loaded(into: hypervisor).isRefused(.relocation, .overflow, "R_AARCH64_CALL26"))
    }

    /// The low bits that an instruction has no room for are dropped.
    @Test func placeThatALoadCannotName() async throws {
        let text = "adrp x0, counter\nldr x1, [x0, :lo12:counter + 4]"
        #expect(try await loaded(text: text).crashes("R_AARCH64_LDST64_ABS_LO12_NC can lead to, at a multiple of 8"))
    }

    @Test(arguments: [
        ("adrp x0, :got:printk", "ADR_GOT_PAGE"), ("ldr x0, printk", "LD_PREL_LO19"), (".reloc 0, R_AARCH64_NONE, printk\nnop", "NONE"),
    ]) func refusedTypes(text: String, type: String) async throws {
        #expect(try await loaded(text: text).isRefused(.relocation, .notSupported, "R_AARCH64_\(type)"))
    }

    @Test func typesThatAreNotModelled() async throws {
        guard case .notModelled(let reason) = try await loaded(text: "movz x0, #:prel_g0:second").verdict else {
            Issue.record("a relocation that the loader takes and nobody needs")
            return
        }
        #expect(reason == "relocation 0 of .rela.text.more: this program does not know type 287")
    }

    /// Four bytes are asked for before the type is looked at, eight for an address.
    @Test func placeOutsideItsSection() async throws {
        #expect(try await loaded(text: "nop\n.2byte 0\n.2byte second - .").isRefused(.relocation, .invalid, "outside section .text.more"))
        let good = try await SamplePayload(.arm64).assembled()
        let table = try header(good, .arm64) { $0.name == ".rela.text.second" }
        let start: UInt64 = try #require(good.number(at: table + 24))
        // ABS64 in the last 4 of 28 bytes; behind them; an unknown type there.
        #expect(load(with(UInt64(24), at: start, good), machine: .arm64).isRefused(.relocation, .invalid, "outside"))
        #expect(load(with(UInt64(20), at: start, good), machine: .arm64).isAccepted)
        let behind = with(UInt64.max - 1, at: start, good)
        #expect(load(behind, machine: .arm64).isRefused(.relocation, .invalid, "outside"))
        #expect(load(with(UInt32(9999), at: start + 8, behind), machine: .arm64).isRefused(.relocation, .invalid, "outside"))
        #expect(load(with(UInt32(9999), at: start + 8, good), machine: .arm64).isRefused(.relocation, .notSupported, "9999"))
    }

    /// Alignment is no matter, nor are Thumb's marks.
    @Test func whatOnlyArm32Refuses() async throws {
        var payload = SamplePayload(.arm64)
        payload.alignment = ""
        payload.buildID = ".section .odd, \"a\"\n.byte 1\n" + SamplePayload.note("0x91", ".note.gnu.build-id")
        payload.more = ".section .data.odd, \"a\"\n.byte 1\n.8byte second\n\"$t\": .byte 0\n"
        let result = try await payload.loaded()
        #expect(result.isAccepted)
        #expect(result.newSymbols.contains { $0.name == "$t" })
    }
}

import ELFModel
import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// The bytes that entries overwrite, and the code that their jumps lead to.
@Suite struct PatchTests {
    private let victim: UInt64 = 0xffff_82d0_4020_2000
    private let landingPad: [UInt8] = [0xf3, 0x0f, 0x1e, 0xfa]

    /// A payload with another entry for an address.
    private func loaded(
        _ first: (old: String, new: String, size: Int), then second: (old: String, new: String, size: Int)?, code: [UInt8]? = nil,
        _ change: (inout SampleHypervisor) -> Void = { _ in }
    ) async throws -> LoadResult {
        var hypervisor = SampleHypervisor()
        hypervisor.code[victim] = code ?? [UInt8](repeating: 0x90, count: 64)
        change(&hypervisor)
        var payload = SamplePayload()
        (payload.oldAddress, payload.newAddress, payload.newSize, payload.oldSize) = (first.old, first.new, "\(first.size)", "40")
        if let second {
            payload.more = ".section .livepatch.funcs\n.quad name, \(second.new), \(second.old)\n.long \(second.size), 40\n.byte 2\n.skip 39\n.skip 32\n"
        }
        return load(try await payload.assembled(), into: hypervisor)
    }

    @Test("two entries for the same bytes, although not for the same address")
    func sameBytes() async throws {
        let pad = landingPad + [UInt8](repeating: 0x90, count: 60)
        let ends = try await loaded(("0xffff82d040202000", "new_victim", 27), then: ("0xffff82d040202004", "new_victim", 27), code: pad)
        #expect(ends.crashes("patch the same bytes") && ends.ruin == .revert)
        #expect(try await loaded(("0xffff82d040202000", "new_victim", 27), then: ("0xffff82d040202009", "new_victim", 27), code: pad).isAccepted)
        // NOPs in the middle of a jump break it; under a jump they come back with the revert.
        let broken = try await loaded(("0xffff82d040202000", "new_victim", 27), then: ("0xffff82d040202002", "0", 4))
        #expect(broken.crashes("only a part of the first one's jump") && broken.ruin == .call)
        let order = try await loaded(("0xffff82d040202002", "0", 4), then: ("0xffff82d040202000", "new_victim", 27))
        #expect(order.crashes("when they are reverted") && order.ruin == .revert)
        #expect(try await loaded(("0xffff82d040202005", "0", 4), then: ("0xffff82d040202000", "new_victim", 27)).isAccepted)
        #expect(try await loaded(("0xffff82d040202002", "0", 0), then: ("0xffff82d040202000", "new_victim", 27)).isAccepted)
    }

    @Test("a part of the jump of a payload below")
    func jumpBelow() async throws {
        let below = CodePatch(function: "victim", address: victim, size: 5, target: 0xffff_82d0_4080_0000, bytes: [0xe9, 1, 2, 3, 4])
        func on(_ old: String, _ new: String, _ size: Int) async throws -> LoadResult {
            try await loaded((old, new, size), then: nil) { $0.patches = [below] }
        }
        #expect(try await on("0xffff82d040202000", "new_victim", 27).isAccepted)
        #expect(try await on("0xffff82d040202000", "0", 8).isAccepted)
        let half = try await on("0xffff82d040202003", "new_victim", 27)
        #expect(half.crashes("a part of that jump stays") && half.ruin == .call)
        #expect(try await on("0xffff82d040201ffe", "new_victim", 27).crashes("a part of that jump stays"))
    }

    @Test("code that can't run")
    func newCode() async throws {
        let data = try await loaded(("0xffff82d040202000", "message", 6), then: nil)
        #expect(data.crashes("in section .rodata.message, which is not executable") && data.ruin == .call)
        let freed = try await loaded(("0xffff82d040202000", "0xffff82d040300000", 6), then: nil) { $0.freed = 0xffff_82d0_4030_0000..<0xffff_82d0_4030_1000 }
        #expect(freed.crashes("has freed after boot") && freed.ruin == .call)
        let table = try await loaded(("0xffff82d040202000", "0xffff82d040300000", 6), then: nil) { $0.data = 0xffff_82d0_4030_0000..<0xffff_82d0_4030_1000 }
        #expect(table.crashes("0xffff82d040300000, which is not executable"))
    }

    @Test("jumps that lead back to themselves")
    func loops() async throws {
        let itself = try await loaded(("0xffff82d040202000", "0xffff82d040202000", 10), then: nil)
        #expect(itself.crashes("leads back to itself") && itself.ruin == .call)
        let pad = landingPad + [UInt8](repeating: 0x90, count: 60)
        #expect(try await loaded(("0xffff82d040202000", "0xffff82d040202000", 10), then: nil, code: pad).crashes("leads back to itself"))
        #expect(
            try await loaded(("0xffff82d040202000", "0xffff82d040202010", 10), then: ("0xffff82d040202010", "0xffff82d040202000", 10)).crashes("back to itself")
        )
        #expect(try await loaded(("0xffff82d040202000", "0xffff82d040202010", 10), then: ("0xffff82d040202010", "new_victim", 10)).isAccepted)
        #expect(try await loaded(("0xffff82d040202000", "0xffff82d040202002", 10), then: nil).crashes("in the middle of the jump"))
    }

    @Test("the payload's own text can be patched, and what follows the hypervisor's on its last page")
    func oddPlaces() async throws {
        let own = try await loaded(("new_victim + 8", "new_victim", 27), then: nil) { $0.memory = 0xffff_82d0_4020_0000..<0xffff_82d0_4060_0000 }
        #expect(own.isAccepted)
    }

    @Test("code that names what is freed after boot: certain to be called, or not")
    func freedCalls() async throws {
        func loaded(_ code: String) async throws -> LoadResult {
            var hypervisor = SampleHypervisor()
            hypervisor.symbols["boot"] = 0xffff_82d0_4030_0000
            hypervisor.freed = 0xffff_82d0_4030_0000..<0xffff_82d0_4030_1000
            var payload = SamplePayload()
            payload.text = ".section .text.new_victim, \"ax\"\nnew_victim: \(code)\nret\n"
            payload.newSize = "10"
            return load(try await payload.assembled(), into: hypervisor)
        }
        let certain = try await loaded("xor %eax, %eax\ncall boot")
        #expect(certain.crashes("calls 'boot', which the hypervisor has freed after boot") && certain.ruin == .call)
        for code in ["test %eax, %eax\njne 1f\ncall boot\n1:", "lea boot(%rip), %rax"] {
            let result = try await loaded(code)
            #expect(result.isAccepted && result.has(.usesFreed))
        }
    }

    @Test("a payload that replaces others must not use them")
    func replaced() async throws {
        var payload = SamplePayload(), hypervisor = SampleHypervisor()
        payload.text += "\n.section .text.more, \"ax\"\ncall helper\n"
        hypervisor.symbols["helper"] = 0xffff_82d0_4070_0000
        hypervisor.foreign = 0xffff_82d0_4070_0000..<0xffff_82d0_4070_1000
        hypervisor.payloadBuildIDs = [[UInt8](repeating: 0x44, count: 20)]
        let result = load(try await payload.assembled(), into: hypervisor)
        #expect(result.crashes("uses 'helper' of a payload that it replaces") && result.ruin == .unloadReplaced)
        payload.depends = SamplePayload.note("0x44", ".livepatch.depends")
        #expect(load(try await payload.assembled(), into: hypervisor).isAccepted)
    }
}

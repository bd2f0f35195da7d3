import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// What a sound payload becomes in memory.
@Suite struct AcceptedPayloadTests {
    @Test func regionsFollowEachOtherOnPages() async throws {
        let result = try await SamplePayload().loaded()
        #expect(result.verdict == .accepted)
        #expect(result.regions.map(\.region) == [.text, .writable, .readOnly])
        let area = SampleHypervisor().payloadArea
        #expect(result.regions.map(\.address) == [area, area + 4096, area + 8192])
        #expect(result.regions[0].size == 28)
        // .bss.counter, then the functions at a multiple of 1.
        #expect(result.regions[1].size == 4 + 104)
        #expect(result.sections.first { $0.name == ".livepatch.funcs" }?.address == area + 4096 + 4)
        #expect(result.sections.first { $0.name == ".bss.counter" }?.bytes == [0, 0, 0, 0])
    }

    @Test func relocationsArePerformed() async throws {
        let result = try await SamplePayload().loaded()
        let text = try #require(result.sections.first { $0.name == ".text.new_victim" })
        let message = try #require(result.sections.first { $0.name == ".rodata.message" })
        let counter = try #require(result.sections.first { $0.name == ".bss.counter" })
        func target(_ slot: UInt64, trailing: UInt64 = 0) -> UInt64? {
            let distance: UInt32? = text.bytes.number(at: slot)
            return distance.map {
                text.address &+ slot &+ 4 &+ trailing &+ UInt64(bitPattern: Int64(Int32(bitPattern: $0)))
            }
        }
        #expect(target(3) == message.address)
        #expect(target(8) == SampleHypervisor().symbols["printk"])
        #expect(target(13) == SampleHypervisor().symbols["common/kernel.c#hidden"])
        #expect(target(19, trailing: 4) == counter.address)
    }

    @Test func functionsAndIdentitiesAreTold() async throws {
        let result = try await SamplePayload().loaded()
        #expect(
            result.functions == [
                LoadResult.Function(
                    name: "victim", oldAddress: 0xffff_82d0_4020_2000, oldSize: 10,
                    newAddress: SampleHypervisor().payloadArea, newSize: 27)
            ])
        #expect(result.buildID == [UInt8](repeating: 0x91, count: 20))
        #expect(result.depends == SampleHypervisor().buildID)
        #expect(result.newSymbols.map(\.name).sorted() == ["counter", "message", "name"])
    }

    @Test func writableDataForbidsASecondApply() async throws {
        let with = try await SamplePayload().loaded()
        #expect(!with.isSafeToReapply)
        #expect(with.findings.contains { $0.kind == .notReappliable && $0.text.contains(".bss.counter") })

        var payload = SamplePayload()
        payload.text = payload.text.replacing("movl $1, counter(%rip)", with: "nop")
        payload.data = ".section .data.empty, \"aw\"\n"
        let without = try await payload.loaded()
        #expect(without.isSafeToReapply)
        #expect(without.findings == [])
        payload.functionFlags = "a"
        #expect(try await payload.loaded().isSafeToReapply)
    }

    @Test func stackedPayloadIsNoted() async throws {
        var payload = SamplePayload()
        payload.depends = SamplePayload.note("0x44", ".livepatch.depends")
        let result = try await payload.loaded()
        #expect(result.isAccepted)
        #expect(result.has(.stacked))
    }

    @Test func nopsInsteadOfAReplacement() async throws {
        var payload = SamplePayload()
        payload.newAddress = "0"
        payload.newSize = "5"
        let result = try await payload.loaded()
        #expect(result.verdict == .accepted)
        #expect(result.functions.first?.newAddress == 0)
        // The text belongs to no replaced function then, so its name counts as new.
        #expect(result.newSymbols.map(\.name).contains("new_victim"))
        payload.text = payload.text.replacing("new_victim", with: "victim")
        #expect(try await payload.loaded().isRefused(.symbolTable, .exists, "'victim'"))
    }

    @Test("a hook that does the applying is reported: the hypervisor stops itself when it leaves out a function")
    func actionHooks() async throws {
        var payload = SamplePayload()
        payload.more = ".section .livepatch.hooks.apply, \"a\"\n.quad new_victim\n"
        let result = try await payload.loaded()
        #expect(result.isAccepted && result.has(.actionHook))
        payload.more = payload.more.replacing("apply", with: "load")
        #expect(try await !payload.loaded().has(.actionHook))
    }

    @Test func hooksAloneAreAPayload() async throws {
        var payload = SamplePayload()
        payload.more = ".section .livepatch.hooks.load, \"a\"\n.quad new_victim, new_victim\n"
        #expect(try await payload.loaded().isAccepted)
    }

    @Test func tablesOfAFunction() async throws {
        var payload = SamplePayload()
        payload.more = SamplePayload.tables
        let result = try await payload.loaded()
        #expect(result.verdict == .accepted)
    }

    @Test func olderFormats() async throws {
        var payload = SamplePayload()
        payload.xenDepends = ""
        payload.version = "1"
        payload.expectation = ""
        payload.more = ""
        let source = payload.source.replacing(".skip 39", with: ".skip 31")
        let v1 = try await assemble(source)
        #expect(load(v1, abi: .livepatchV1).isAccepted)
        #expect(load(v1, abi: .livepatchV2).isRefused(.requiredSections, .invalid, ".livepatch.xen_depends"))
        // Before 4.8 nothing was said about a second apply.
        #expect(!load(v1, abi: .livepatchV1).isSafeToReapply && load(v1, abi: .livepatchV1Of47).isSafeToReapply)
        payload.newAddress = "0"
        payload.newSize = "5"
        let nops = try await assemble(payload.source.replacing(".skip 39", with: ".skip 31"))
        #expect(load(nops, abi: .livepatchV1).isAccepted)
        #expect(load(nops, abi: .livepatchV1Of47).isRefused(.functions, .invalid, "zero"))
        let xsplice = try await assemble(source.replacing(".livepatch.", with: ".xsplice."))
        #expect(load(xsplice, abi: .xspliceV1).isAccepted)
        #expect(load(xsplice, abi: .livepatchV1).isRefused(.requiredSections, .invalid, ".livepatch.funcs"))
    }
}

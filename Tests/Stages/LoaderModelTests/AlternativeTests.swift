import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// What the loader, and the hypervisor after it, do with alternatives.
@Suite struct AlternativeTests {
    private func payload(feature: Int, _ lengths: String = "7, 3, 0, 0") -> SamplePayload {
        var payload = SamplePayload()
        payload.more = """
            .section .altinstructions, "a"
            .long new_victim - ., replacement - .
            .word \(feature)
            .byte \(lengths)
            .section .altinstr_replacement, "ax"
            replacement: .byte 0x0f, 0x1f, 0x00
            """
        return payload
    }

    @Test("a feature behind the last stops the hypervisor, or is refused")
    func features() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.sizes["known_features"] = 19 * 4
        for (feature, isKnown) in [(671, true), (672, false), (0x8000 | 671, true), (0x8000 | 672, false), (0x4000 | 3, false), (0xFFFF, false)] {
            let result = try await payload(feature: feature).loaded(into: hypervisor)
            #expect(isKnown ? result.isAccepted : result.crashes("the last one is 671") && !result.ruinsLater, "\(feature)")
        }
        // The number of features comes from the hypervisor, or else from its version.
        #expect(try await payload(feature: 671).loaded(minor: 17).isAccepted)
        #expect(try await payload(feature: 672).loaded(minor: 17).crashes)
        hypervisor.sizes["known_features"] = 16 * 4
        #expect(try await payload(feature: 600).loaded(into: hypervisor).crashes("the last one is 575"))
        #expect(try await payload(feature: 704).loaded(minor: 22).isRefused(.tables, .outOfRange, "the last one is 703"))
        #expect(try await payload(feature: 0x8003).loaded(minor: 17, point: 2).crashes("feature 32771"))
        #expect(try await payload(feature: 3, "2, 3, 0, 0").loaded(minor: 22).isRefused(.tables, .noSpace, "3 bytes for a place of 2"))
    }

    @Test("padding that is not the alternative's own")
    func padding() async throws {
        #expect(try await payload(feature: 3, "7, 3, 4, 0").loaded().isAccepted)
        let over = try await payload(feature: 3, "7, 3, 200, 0").loaded()
        #expect(over.crashes("is written over section .altinstr_replacement") && over.ruin == .call)
        // At the end of the text, whose last page is full.
        var full = payload(feature: 3, "7, 3, 200, 0")
        full.text += "\n.section .text.zz, \"ax\"\n.skip 4096 - 28 - 7\nlast: .skip 7\n"
        full.more = full.more.replacing("new_victim - .", with: "last - .")
            .replacing(".section .altinstr_replacement, \"ax\"", with: ".section .altinstr_replacement, \"a\"")
        let functions = try await full.loaded()
        #expect(functions.crashes("over section") && functions.ruin == .apply)
        // What the hypervisor has dealt with is left alone.
        #expect(try await payload(feature: 3, "7, 3, 200, 1").loaded().isAccepted)
    }

    private func call(_ code: String, pointer: String = ".quad printk", feature: Int = 93, freed: Range<UInt64>? = nil) async throws -> LoadResult {
        var hypervisor = SampleHypervisor()
        hypervisor.freed = freed
        hypervisor.symbols["boot_pointers"] = freed?.lowerBound
        hypervisor.variables["boot_pointers"] = freed
        hypervisor.memory = 0xffff_82d0_4020_0000..<0xffff_82d0_4060_0000
        var payload = SamplePayload()
        payload.text += "\n.section .text.more, \"ax\"\n.type in_function, @function\nin_function:\nindirect: \(code)\n"
        payload.data = ".section .data.rel.ro, \"a\"\npointer: \(pointer)\n" + payload.data
        payload.more = """
            .section .altinstructions, "a"
            .long indirect - ., replacement - .
            .word \(feature)
            .byte 6, 5, 0, 0
            .section .altinstr_replacement, "ax"
            replacement: .byte 0xe8, 0xfb, 0xff, 0xff, 0xff
            """
        return load(try await payload.assembled(), into: hypervisor)
    }

    @Test("the pointer of a call that becomes a direct one is followed at upload")
    func calls() async throws {
        #expect(try await call("call *pointer(%rip)").isAccepted)
        let slot = try await call(".byte 0xff, 0x15\n.long 0x70000000")
        #expect(slot.crashes("where nothing is") && !slot.ruinsLater)
        let target = try await call("call *pointer(%rip)", pointer: ".quad 0xdead000000000000")
        #expect(target.crashes("0xdead000000000000, where nothing is") && !target.ruinsLater)
        // A variable of __initdata: the hypervisor itself looks there while it boots only.
        let boot = try await call("call *boot_pointers+8(%rip)\n.size in_function, . - in_function", freed: 0xffff_82d0_4030_0000..<0xffff_82d0_4030_0100)
        #expect(boot.crashes("0, in 'in_function', calls through a pointer at 0xffff82d040300008 (boot_pointers+8), which the hypervisor has freed after boot"))
        // Only for the feature that all processors have, and only for calls through pointers.
        #expect(try await call(".byte 0xff, 0x15\n.long 0x70000000", feature: 3).isAccepted)
        #expect(try await call(".byte 0xff, 0x25\n.long 0x70000000").isAccepted)
    }

    @Test("replacement code that is not loaded is nowhere")
    func notLoaded() async throws {
        var payload = payload(feature: 3)
        payload.more = payload.more.replacing(".long new_victim - ., replacement - .", with: ".long new_victim - ., new_victim - .")
            .replacing(".section .altinstr_replacement, \"ax\"", with: ".section .altinstr_replacement, \"\"")
        #expect(try await payload.loaded().isRefused(.tables, .invalid, "replacement of alternative 0"))
    }
}

import ELFModel
import PayloadSamples
import Testing
import XenSource

@testable import LoaderModel

/// One fault at a time: the step that finds it, and the error that an operator sees.
@Suite struct RefusedPayloadTests {
    @Test func symbolUnknownToTheHypervisor() async throws {
        var payload = SamplePayload()
        payload.text = payload.text.replacing("call printk", with: "call prinkt")
        #expect(try await payload.loaded().isRefused(.symbolResolution, .notFound, "'prinkt'"))
    }

    @Test func commonSymbol() async throws {
        var payload = SamplePayload()
        payload.data = ".comm counter, 4\n"
        #expect(try await payload.loaded().isRefused(.symbolResolution, .invalid, "'counter'"))
    }

    @Test func writableAndExecutable() async throws {
        var payload = SamplePayload()
        payload.more = ".section .both, \"awx\"\n.byte 1\n"
        #expect(try await payload.loaded().isRefused(.layout, .notSupported, logged: false, ".both"))
    }

    @Test(arguments: [".long new_victim", ".short new_victim - .", ".quad new_victim - .", ".byte new_victim"])
    func relocationTypes(directive: String) async throws {
        var payload = SamplePayload()
        payload.more = ".section .rodata.more, \"a\"\n\(directive)\n"
        #expect(try await payload.loaded().isRefused(.relocation, .notSupported, "R_X86_64_"))
    }

    /// The assembler names the table that does not exist.
    @Test func globalOffsetTable() async throws {
        var payload = SamplePayload()
        payload.more = ".section .rodata.more, \"a\"\n.long message@GOTPCREL\n"
        #expect(try await payload.loaded().isRefused(.symbolResolution, .notFound, "_GLOBAL_OFFSET_TABLE_"))
    }

    @Test func relocationsOfUnloadedSectionsAreIgnored() async throws {
        var payload = SamplePayload()
        payload.more = ".section .unloaded\n.long new_victim\n.byte new_victim\n"
        #expect(try await payload.loaded().isAccepted)
    }

    @Test func relocationAgainstAnUnloadedSection() async throws {
        var payload = SamplePayload()
        payload.more = ".section .unloaded\nthing: .long 0\n.section .rodata.more, \"a\"\n.quad thing\n"
        #expect(try await payload.loaded().isRefused(.relocation, .invalid, "not loaded"))
    }

    @Test func relocationOverflow() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.symbols["printk"] = 0x1000
        #expect(try await SamplePayload().loaded(into: hypervisor).isRefused(.relocation, .overflow, "'printk'"))
    }

    @Test func requiredSections() async throws {
        var payload = SamplePayload()
        payload.depends = ""
        #expect(try await payload.loaded().isRefused(.requiredSections, .invalid, ".livepatch.depends"))
        payload = SamplePayload()
        payload.xenDepends = ".section .livepatch.xen_depends, \"a\", @note\n"
        #expect(try await payload.loaded().isRefused(.requiredSections, .invalid, "empty"))
        payload = SamplePayload()
        payload.buildID = ""
        #expect(try await payload.loaded().isRefused(.requiredSections, .invalid, ".note.gnu.build-id"))
    }

    @Test func nothingToPatch() async throws {
        let source = SamplePayload().source.replacing(".livepatch.funcs", with: ".livepatch.other")
        #expect(load(try await assemble(source)).isRefused(.patchingSections, .invalid, "neither"))
    }

    @Test func functionEntries() async throws {
        var payload = SamplePayload()
        payload.version = "1"
        #expect(try await payload.loaded().isRefused(.functions, .notSupported, "version 1"))
        payload = SamplePayload()
        payload.oldSize = "0"
        #expect(try await payload.loaded().isRefused(.functions, .invalid, "zero"))
        payload = SamplePayload()
        payload.name = "absent"
        #expect(try await payload.loaded().isRefused(.functions, .notFound, "'absent'"))
        payload = SamplePayload()
        payload.expectation = ".skip 31"
        #expect(try await payload.loaded().isRefused(.functions, .invalid, "multiple of 104"))
        payload = SamplePayload()
        payload.newAddress = "0"
        payload.newSize = "32"
        payload.oldSize = "40"
        #expect(try await payload.loaded().isRefused(.functions, .notSupported, logged: false, "31"))
        payload.newSize = "31"
        payload.oldSize = "30"
        #expect(try await payload.loaded().isRefused(.functions, .invalid, logged: false, "more NOPs"))
    }

    @Test func roomForTheTrampoline() async throws {
        var payload = SamplePayload()
        payload.oldSize = "4"
        #expect(try await payload.loaded().isRefused(.functions, .invalid, logged: false, "needs 5"))
        payload.oldSize = "5"
        #expect(try await payload.loaded().isAccepted)
        var hypervisor = SampleHypervisor()
        hypervisor.code[0xffff_82d0_4020_2000] = [0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x90, 0x90, 0x90, 0xc3]
        payload.oldSize = "8"
        #expect(try await payload.loaded(into: hypervisor).isRefused(.functions, .invalid, logged: false, "needs 9"))
        payload.oldSize = "9"
        #expect(try await payload.loaded(into: hypervisor).isAccepted)
    }

    @Test func reachOfTheTrampoline() async throws {
        var payload = SamplePayload()
        payload.oldAddress = "0xffff82d140800000"
        #expect(try await payload.loaded().isRefused(.functions, .overflow, logged: false, "too far"))
    }

    @Test("an address where nothing is: read by the upload since Xen 4.16, by applying before")
    func addressOfNothing() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.memory = 0xffff_82d0_4020_0000..<0xffff_82d0_4060_0000
        var payload = SamplePayload()
        payload.oldAddress = "0xffff82d140800000"
        let far = try await payload.loaded(into: hypervisor)
        #expect(far.crashes("0xffff82d140800000, which belongs neither") && !far.ruinsLater)
        #expect(try await payload.loaded(into: hypervisor, minor: 15).isRefused(.functions, .overflow, logged: false, "too far"))
        payload.oldAddress = "0xffff82d040700000"
        let near = try await payload.loaded(into: hypervisor, minor: 15)
        #expect(near.crashes("which belongs neither") && near.ruinsLater)
    }

    @Test func hooks() async throws {
        var payload = SamplePayload()
        payload.more = ".section .livepatch.hooks.apply, \"a\"\n.quad new_victim, new_victim\n"
        #expect(try await payload.loaded().isRefused(.hooks, .invalid, logged: false, "one hook only"))
        payload.more = ".section .livepatch.hooks.unload, \"a\"\n.quad new_victim\n.byte 0\n"
        #expect(try await payload.loaded().isRefused(.hooks, .invalid, "multiple of 8"))
        payload.more = ".section .livepatch.hooks.revert, \"a\"\n"
        #expect(try await payload.loaded().isRefused(.patchingSections, .invalid, "empty"))
    }

    @Test("what is freed after boot still has a name, and nothing is there: read by the upload since Xen 4.16, by applying before")
    func freedAfterBoot() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.freed = 0xffff_82d0_4020_2000..<0xffff_82d0_4020_3000
        var payload = SamplePayload()
        let now = try await payload.loaded(into: hypervisor)
        #expect(now.crashes("freed it after boot") && !now.ruinsLater)
        let later = try await payload.loaded(into: hypervisor, minor: 15)
        #expect(later.crashes("freed it after boot") && later.ruinsLater)
        (payload.newAddress, payload.newSize) = ("0", "5")
        let nops = try await payload.loaded(into: hypervisor)
        #expect(nops.crashes("freed it after boot") && nops.ruinsLater)
    }

    @Test("NOPs that end within the mark for indirect calls", arguments: [0, 3, 4, 5])
    func nopsWithinALandingPad(size: Int) async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.code[0xffff_82d0_4020_2000] = [0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3]
        var payload = SamplePayload()
        (payload.newAddress, payload.newSize) = ("0", "\(size)")
        let result = try await payload.loaded(into: hypervisor)
        #expect(size < 4 ? result.crashes("overwrites memory") && result.ruinsLater : result.isAccepted)
        #expect(try await payload.loaded(into: hypervisor, minor: 15).isAccepted)
        #expect(try await payload.loaded().isAccepted)
    }

    @Test("the second of two entries for a function keeps the jump of the first for its original")
    func patchedTwice() async throws {
        let entry = "\n.section .livepatch.funcs\n.quad name, new_victim, 0\n.long 27, 10\n.byte 2\n.skip 39\n.skip 32\n"
        let result = load(try await assemble(SamplePayload().source + entry))
        #expect(result.crashes("two entries patch the function 'victim'") && result.ruinsLater)
    }

    @Test("hooks that are not there, or not loaded")
    func hooksThatAreNothing() async throws {
        var payload = SamplePayload()
        payload.more = ".section .livepatch.hooks.load, \"a\"\n.quad new_victim, 0\n"
        let null = try await payload.loaded()
        #expect(null.crashes("null pointer, which is called") && null.ruinsLater)
        payload.more = ".section .livepatch.hooks.load, \"\"\n.quad new_victim\n"
        let unloaded = try await payload.loaded()
        #expect(unloaded.crashes("not loaded (no SHF_ALLOC), but the loader follows it") && unloaded.ruinsLater)
        for more in [".section .livepatch.hooks.preapply, \"a\"\n.quad 0\n", ".section .livepatch.hooks.preapply, \"\"\n.quad new_victim\n"] {
            payload.more = more
            let result = try await payload.loaded()
            #expect(result.isAccepted && result.hooks.isEmpty && result.has(.tableIgnored))
        }
        #expect(try await payload.loaded(minor: 20).crashes("but the loader follows it"))
    }

    @Test("tables that are not loaded")
    func tablesThatAreNotLoaded() async throws {
        var payload = SamplePayload()
        payload.more = ".section .bug_frames.1, \"\"\n.skip 8\n"
        let bugs = try await payload.loaded()
        #expect(bugs.crashes("not loaded") && bugs.ruinsLater)
        // A single entry is sorted, too.
        for size in [8, 16] {
            payload.more = ".section .ex_table, \"\"\n.skip \(size)\n"
            let sorted = try await payload.loaded()
            #expect(sorted.crashes("null pointer") && !sorted.ruinsLater)
        }
        payload.more = ".section .ex_table, \"\"\n"
        #expect(try await payload.loaded().isAccepted)
    }

    @Test("a build-id that a payload has already")
    func sameBuildID() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.payloadBuildIDs = [[UInt8](repeating: 0x91, count: 20)]
        #expect(try await SamplePayload().loaded(into: hypervisor).isRefused(.notes, .exists, logged: false, "loaded already"))
    }

    @Test func notes() async throws {
        var payload = SamplePayload()
        payload.depends = SamplePayload.note(nil, ".livepatch.depends", type: 4)
        #expect(try await payload.loaded().isRefused(.notes, .invalid, logged: false, ".livepatch.depends"))
        payload.depends = SamplePayload.note(nil, ".livepatch.depends", owner: "XEN")
        #expect(try await payload.loaded().isRefused(.notes, .invalid, logged: false, "GNU"))
        payload.depends = ".section .livepatch.depends, \"a\", @note\n.long 4, 20, 3\n.asciz \"GNU\"\n.skip 19\n"
        #expect(try await payload.loaded().isRefused(.notes, .invalid, logged: false, "sizes"))
        payload.depends = ".section .livepatch.depends, \"a\", @note\n.long 4, 20, 3\n"
        #expect(try await payload.loaded().isRefused(.notes, .invalid, logged: false, "shorter"))
    }

    @Test func anotherHypervisor() async throws {
        var payload = SamplePayload()
        payload.xenDepends = SamplePayload.note("0x44", ".livepatch.xen_depends")
        #expect(try await payload.loaded().isRefused(.hypervisorDependency, .invalid, "4444"))
    }

    @Test func theHypervisorComesFirstFrom420On() async throws {
        var payload = SamplePayload()
        payload.xenDepends = SamplePayload.note("0x44", ".livepatch.xen_depends")
        payload.more = ".comm shared, 4\n"
        let bytes = try await assemble(payload.source)
        for (minor, point, comesFirst) in [(17, 5, false), (18, 3, false), (18, 4, true), (19, 0, false), (19, 1, true), (19, nil, true), (20, 0, true)] {
            #expect(load(bytes, minor: minor, point: point).isRefused(.hypervisorDependency, .invalid, "4444") == comesFirst, "4.\(minor)")
        }
        let unnamed = try await assemble(payload.source.replacing(".livepatch.xen_depends", with: ".other"))
        #expect(load(unnamed, minor: 20).isRefused(.hypervisorDependency, .invalid, ".livepatch.xen_depends"))
        #expect(load(try await assemble(SamplePayload().source), minor: 20).isAccepted)
    }

    @Test func alternativesWereNotHeldToThePayloadBefore417() async throws {
        var payload = SamplePayload()
        payload.more = """
            .section .altinstructions, "a"
            .long new_victim - ., replacement - .
            .word 3
            .byte 7, 3, 0, 0
            .section .altinstr_replacement, "ax"
            nothing: .byte 0
            .section .other, "ax"
            replacement: .byte 0x0f, 0x1f, 0x00
            """
        let bytes = try await assemble(payload.source)
        #expect(load(bytes, minor: 17).isRefused(.tables, .invalid, "replacement"))
        #expect(load(bytes, minor: 16).isAccepted && load(bytes, minor: 17, point: 3).isAccepted && load(bytes, minor: 18, point: 0).refusal != nil)
        let outside = try await assemble(payload.source.replacing(".long new_victim - .,", with: ".long victim - .,"))
        #expect(load(outside, minor: 16).crashes)
    }

    @Test func alternativeCalls() async throws {
        func calls(_ place: String) async throws -> LoadResult {
            var payload = SamplePayload()
            payload.text += "\n.section .text.more, \"ax\"\nplain: call printk\n.byte 0\nindirect: call *pointer(%rip)\n"
            payload.data = ".section .data.rel.ro, \"a\"\npointer: .quad printk\n" + payload.data
            payload.more = ".section .alt_call_sites, \"a\"\n.long \(place) - .\n"
            return load(try await assemble(payload.source), minor: 21)
        }
        #expect(try await calls("indirect").isAccepted)
        #expect(try await calls("plain").isRefused(.tables, .invalid, "through a pointer"))
        #expect(try await calls("victim").isRefused(.tables, .invalid, "outside"))
    }

    @Test func duplicateSymbol() async throws {
        var hypervisor = SampleHypervisor()
        hypervisor.symbols["counter"] = 0xffff_82d0_4020_4000
        #expect(try await SamplePayload().loaded(into: hypervisor).isRefused(.symbolTable, .exists, "'counter'"))
        // The name of a replaced function may exist.
        hypervisor.symbols["counter"] = nil
        hypervisor.symbols["new_victim"] = 0xffff_82d0_4020_4000
        #expect(try await SamplePayload().loaded(into: hypervisor).isAccepted)
    }

    @Test func tables() async throws {
        var payload = SamplePayload()
        payload.more = ".section .bug_frames.3, \"a\"\n.skip 12\n"
        #expect(try await payload.loaded().isRefused(.tables, .invalid, ".bug_frames.3"))
        payload.more = ".section .ex_table, \"a\"\n.long new_victim - .\n"
        #expect(try await payload.loaded().isRefused(.tables, .invalid, ".ex_table"))
        payload.more = ".section .modinfo, \"a\"\n.ascii \"a=b\"\n"
        #expect(try await payload.loaded().isRefused(.metadata, .invalid, ".modinfo"))
    }

    @Test func alternatives() async throws {
        func payload(_ original: String, _ lengths: String, _ replacement: String = "replacement - .") -> SamplePayload {
            var payload = SamplePayload()
            payload.more = """
                .section .altinstructions, "a"
                .long \(original), \(replacement)
                .word 3
                .byte \(lengths), 0, 0
                .section .altinstr_replacement, "ax"
                replacement: .byte 0x0f, 0x1f, 0x00
                """
            return payload
        }
        #expect(try await payload("new_victim - .", "7, 3").loaded().isAccepted)
        #expect(try await payload("victim - .", "7, 3").loaded().isRefused(.tables, .invalid, "outside the payload"))
        #expect(try await payload("new_victim - .", "7, 4").loaded().isRefused(.tables, .invalid, "replacement"))
        #expect(
            try await payload("new_victim - .", "7, 3", "new_victim - .").loaded().isRefused(.tables, .invalid, "replacement"))
        #expect(try await payload("new_victim - .", "2, 3").loaded().crashes)
        var without = payload("new_victim - .", "7, 0", "new_victim - .")
        without.more = without.more.replacing("altinstr_replacement", with: "other")
        #expect(try await without.loaded().isRefused(.tables, .invalid, ".altinstr_replacement"))
    }

    @Test func unloadedSectionIsReadThroughNull() async throws {
        let source = SamplePayload().source.replacing(".livepatch.funcs, \"aw\"", with: ".livepatch.funcs, \"\"")
        #expect(load(try await assemble(source)).crashes)
    }

    @Test func expectationIsCompared() async throws {
        var payload = SamplePayload()
        payload.expectation = ".byte 1 | 3 << 1, 0x55, 0x48, 0x89\n.skip 28"
        #expect(try await !payload.loaded().has(.expectationFails))
        payload.expectation = ".byte 1 | 3 << 1, 0x55, 0x48, 0x88\n.skip 28"
        var result = try await payload.loaded()
        #expect(result.has(.expectationFails) && result.unmetExpectation?.error == .invalid)
        payload.expectation = ".byte 1 | 11 << 1\n.skip 31"
        result = try await payload.loaded()
        #expect(result.has(.expectationFails) && result.unmetExpectation?.error == .outOfRange)
        payload.expectation = ".byte 1 | 11 << 1 | 1 << 6\n.skip 31"
        #expect(try await payload.loaded().unmetExpectation?.error == .invalid)
    }

    @Test func ignoredTable() async throws {
        var payload = SamplePayload()
        payload.more = ".section .ex_table.pre, \"a\"\n.long new_victim - ., new_victim - .\n"
        let result = try await payload.loaded()
        #expect(result.isAccepted)
        #expect(result.has(.tableIgnored))
    }

    @Test func noText() async throws {
        var payload = SamplePayload()
        payload.text = ""
        payload.newAddress = "0"
        payload.newSize = "5"
        let result = try await payload.loaded()
        #expect(result.isAccepted)
        #expect(result.has(.noExecutableSection))
    }
}

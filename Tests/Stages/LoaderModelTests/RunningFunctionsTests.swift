import PayloadSamples
import Testing
import XenSource
import XenVersions

@testable import LoaderModel

/// Which functions make processors run where payloads are applied.
@Suite struct RunningFunctionsTests {
    private func kinds(_ name: String, minor: Int = 17, _ machine: Machine = .x86_64) -> [LoadResult.Finding.Kind] {
        RunningFunctions(version: XenVersion(major: 4, minor: minor), rules: machine.architecture.loaderRules(of: XenVersion(major: 4, minor: minor)))
            .findings(on: name).map(\.kind)
    }

    @Test func ordinaryFunctionsAreNotAmongThem() {
        for machine in Machine.allCases {
            #expect(kinds("do_domctl", machine) == [])
            #expect(kinds("common/kernel.c#idle_loops", machine) == [])
        }
    }

    @Test func endlessOnes() {
        #expect(kinds("idle_loop") == [.neverReturns])
        #expect(kinds("arch/x86/domain.c#idle_loop") == [.neverReturns])
        #expect(kinds("idle_loop", .arm64) == [.neverReturns, .onWaitingStacks])
    }

    @Test func thoseThatApply() {
        #expect(kinds("check_for_livepatch_work") == [.runsWhilePatching])
        #expect(kinds("check_for_xsplice_work", minor: 7) == [.runsWhilePatching])
        #expect(kinds("livepatch.c#livepatch_do_action") == [.runsWhilePatching])
        // Not before there was such a one.
        #expect(kinds("livepatch_check_expectations", minor: 13) == [])
        #expect(kinds("livepatch_check_expectations", minor: 14) == [.runsWhilePatching])
    }

    @Test func thoseThatSwitchVirtualProcessors() {
        #expect(kinds("context_switch") == [])
        for machine in Machine.arm { #expect(kinds("context_switch", machine) == [.onWaitingStacks]) }
    }

    @Test func aPayloadThatReplacesOneIsAcceptedWithAFinding() async throws {
        var payload = SamplePayload(), hypervisor = SampleHypervisor()
        payload.name = "idle_loop"
        hypervisor.symbols["idle_loop"] = hypervisor.symbols["victim"]
        let result = try await payload.loaded(into: hypervisor)
        #expect(result.isAccepted && result.has(.neverReturns))
        #expect(result.findings.compactMap(\.diagnostic).map(\.id) == [.neverReturns])
    }
}

import TestDrive
import Testing
import XenRig

/// What the report says about when new code runs, held against a hypervisor that runs it. Each function logs a line when it is called.
@Suite(.timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct EffectTests {
    private static let names = ["E1-xen-processor-up", "E3-xen-only-at-boot", "E7-xen-mixed"]

    @Test("new code runs when the report says so: when a processor comes up, when a key is pressed, and not at all")
    func verdicts() async throws {
        var scenario = Scenario()
        for name in Self.names {
            let change = try #require(RealXen.everyCase.first { $0.name == name })
            let outcome = try await RealXen.outcome(of: change)
            let payload = try #require(outcome.payload, "\(name): \(outcome.error)")
            scenario.files["\(name).livepatch"] = payload
            try scenario.hostTool("\(name).load", .load, name)
            scenario.step("\(name).wait", "sleep 2; xl debug-keys h; xl debug-keys r; cat /sys/hypervisor/version/extra")
            scenario.step("\(name).key", "xl debug-keys d")
            scenario.step("\(name).processor", "xen-hptool cpu-offline 1 && xen-hptool cpu-online 1")
            try scenario.hostTool("\(name).revert", .revert, name)
            scenario.step("\(name).again", "xl debug-keys d; xen-hptool cpu-offline 1 && xen-hptool cpu-online 1")
            try scenario.hostTool("\(name).unload", .unload, name)
        }
        scenario.step("alive", "xen-livepatch list")
        let machine = try await RealXen.boot(scenario)
        try machine.requireFinished()
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))

        func logged(_ step: String, _ text: String) -> Bool { machine[step].xenLog.contains { $0.contains("effect: \(text)") } }
        for name in Self.names {
            #expect(machine["\(name).processor"].succeeded, "\(name): \(machine["\(name).processor"].output)")
            // Nothing of it before somebody does something, and nothing after the revert.
            #expect(!logged("\(name).wait", "") && !logged("\(name).again", ""), "\(name)")
            #expect(logged("\(name).processor", "init_amd on CPU1") == (name != "E3-xen-only-at-boot"), "\(name): \(machine["\(name).processor"].xenLog)")
            #expect(logged("\(name).key", "dumping registers") == (name == "E7-xen-mixed"), "\(name): \(machine["\(name).key"].xenLog)")
            #expect(!logged("\(name).key", "init_amd"))
        }
        #expect(["wait", "key", "processor"].allSatisfy { !logged("E3-xen-only-at-boot.\($0)", "cmdline_strcmp") })
    }
}

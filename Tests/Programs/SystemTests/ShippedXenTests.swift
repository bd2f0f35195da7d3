import TestDrive
import TestTools
import Testing
import XenRig

/// The hypervisor that Debian ships: no one here compiled it, and it is what people run.
@Suite(
    .timeLimit(.minutes(150)),
    .enabled(if: RealXen.program != nil && RealXen.isThorough, "builds the payloads of all changes; 'make test-all' runs it"))
struct ShippedXenTests {
    /// Those for its configuration, which is the default one.
    private static let changes = RealXen.cases.filter { !$0.isForDebugBuild && $0.expected.configuration == nil && $0.name != ofTheDate }
    /// It changes the function that says when the hypervisor was compiled, and no source has Debian's date.
    private static let ofTheDate = "X1-xen-warn"

    private static func hypervisor() async throws -> HypervisorBuild {
        try await hypervisors.value(of: "") { try await Turns.work.one { try await DebianXen.standard.shipped(cache: RealXen.cache) } }
    }
    private static let hypervisors = Once<HypervisorBuild>()

    private static func outcome(of change: ChangeCase) async throws -> ChangeOutcome {
        try await outcomes.value(of: change.name) {
            try await RealXen.run(change.patches.flatMap { ["-p", $0.string] } + change.options, for: try await hypervisor())
        }
    }
    private static let outcomes = Once<ChangeOutcome>()

    @Test("every change comes out as for our own build, and what it replaces is what was shipped, byte for byte", arguments: changes)
    func expected(change: ChangeCase) async throws {
        let outcome = try await Self.outcome(of: change)
        #expect(try outcome.deviations(from: change.expected) == [])
        guard change.expected.exit == 0 else { return }
        let original = try #require(outcome.report?.original)
        #expect(original.equal == original.replaced && original.equalInInstructions == 0)
    }

    @Test("a change of what depends on the day of Debian's build is refused, and both days are named")
    func date() async throws {
        let change = try #require(RealXen.cases.first { $0.name == Self.ofTheDate })
        let outcome = try await Self.outcome(of: change)
        #expect(outcome.code == 6 && outcome.payload == nil)
        #expect(outcome.report?.diagnostics.map(\.id) == [.originalDiffers])
        #expect(outcome.error.contains("'xen_compile_date' as compiled here is not what the hypervisor runs"))
    }

    @Test("the payloads work in the shipped hypervisor: applied, seen, reverted")
    func booted() async throws {
        let booted = Self.changes.filter { $0.expected.boot != nil && $0.expected.exit == 0 }
        #expect(booted.count >= 20)
        var scenario = Scenario()
        for change in booted {
            let outcome = try await Self.outcome(of: change)
            let payload: [UInt8] = try #require(outcome.payload, "\(change.name)")
            scenario.files["\(change.name).livepatch"] = payload
            try BootedChange.addSteps(of: change, to: &scenario)
        }
        scenario.step("alive", "xen-livepatch list")
        var boot = Boot(hypervisor: try await Self.hypervisor().image, dom0: try await DebianXen.standard.debian.dom0(cache: RealXen.cache))
        boot.timeLimit = .seconds(1800)
        let machine = try await Turns.boot.one { [boot, scenario] in try await boot.run(scenario) }
        try machine.requireFinished()
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        for change in booted { #expect(try BootedChange.deviations(of: change, in: machine) == [], "\(change.name)") }
        #expect(BootedChange.complaints(in: machine, without: booted) == [])
    }
}

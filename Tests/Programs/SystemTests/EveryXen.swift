import FoundationEssentials
import Subprocess
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The hypervisors of Debian's suites, and the same changes for each of them: built, and tried in one boot each.
enum EveryXen {
    /// A dozen more builds of Xen, and a boot of each.
    static let isWanted = RealXen.isThorough

    /// The change of the demo, and those that say that they are for other versions or machines, too.
    static let changes = RealXen.everyCase.filter { $0.expected.versions != nil }

    /// All of them; or for runs by hand those that `XSPLICE_MATRIX` names: `4.17-rich 4.20-gcc-15`.
    static let targets = (XenTarget.debian + XenTarget.flavoured).filter { wanted?.contains($0.name) ?? true }
    private static let wanted = getenv("XSPLICE_MATRIX").map { String(cString: $0).split(separator: " ").map(String.init) }

    static let trials: [Trial] = {
        do {
            return try Trial.all(of: changes, with: targets)
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    static func hypervisor(_ target: XenTarget) async throws -> HypervisorBuild {
        try await builds.value(of: target.name) {
            try await Turns.work.one { try await target.build(cache: RealXen.cache) }
        }
    }
    private static let builds = Once<HypervisorBuild>()

    // MARK: Payloads

    static func outcome(of trial: Trial) async throws -> ChangeOutcome {
        try await outcomes.value(of: "\(trial)") { try await run(trial.change, trial.target) }
    }
    private static let outcomes = Once<ChangeOutcome>()

    /// With the compiler that the hypervisor came of.
    ///
    /// - Parameter depends: the build-id of the payload below, in hexadecimal; nil is the hypervisor.
    private static func run(_ change: ChangeCase, _ target: XenTarget, depends: String? = nil) async throws -> ChangeOutcome {
        let hypervisor = try await hypervisor(target)
        return try await RealXen.run(
            change.patches.flatMap { ["-p", $0.string] } + change.options + (depends.map { ["--depends", $0] } ?? []), for: hypervisor)
    }

    // MARK: A stack

    static let hello = ChangeCase.demo
    /// All three replace the function of `hello`.
    static let bye = stacked("bye-world", "Bye World")
    static let replacement = stacked("replace-world", "Replaced World")

    private static func stacked(_ name: String, _ answer: String) -> ChangeCase {
        ChangeCase(
            name: name,
            expected: .init(
                exit: 0, changed: ["xen_extra_version"],
                boot: .init(look: "cat /sys/hypervisor/version/extra", applied: answer)),
            patches: [ChangeCase.fixtures.appending("patches/stack/\(name).patch")])
    }

    /// The first on the hypervisor, the second on the first, the third on the hypervisor in their stead.
    static func stack(_ target: XenTarget) async throws -> [(change: ChangeCase, outcome: ChangeOutcome)] {
        let first = try await outcomes.value(of: "\(hello.name) in \(target)") { try await run(hello, target) }
        let below = try #require(first.report?.payload?.buildID, "no payload: \(first.error)")
        let second = try await outcomes.value(of: "\(bye.name) in \(target)") { try await run(bye, target, depends: below) }
        let third = try await outcomes.value(of: "\(replacement.name) in \(target)") { try await run(replacement, target) }
        return [(hello, first), (bye, second), (replacement, third)]
    }

    private static func addSteps(ofStack names: [String], to scenario: inout Scenario) throws {
        guard let look = hello.expected.boot?.look, names.count == 3 else { return }
        let (first, second, third) = (names[0], names[1], names[2])
        func step(_ id: String, _ action: Scenario.HostToolAction, _ name: String) throws {
            try scenario.hostTool("stack.\(id)", action, name)
        }
        scenario.step("stack.before", look)
        for (id, name) in [("upload-first", first), ("upload-second", second), ("upload-third", third)] { try step(id, .upload, name) }
        try step("too-early", .apply, second)
        try step("first", .apply, first)
        scenario.step("stack.first-seen", look)
        try step("second", .apply, second)
        scenario.step("stack.second-seen", look)
        scenario.step("stack.both", "xen-livepatch list")
        try step("revert-second", .revert, second)
        scenario.step("stack.second-reverted", look)
        try step("second-again", .apply, second)
        try step("replace", .replace, third)
        scenario.step("stack.replaced", look)
        scenario.step("stack.one", "xen-livepatch list")
        try step("revert-third", .revert, third)
        scenario.step("stack.after", look)
        for (id, name) in [("unload-first", first), ("unload-second", second), ("unload-third", third)] { try step(id, .unload, name) }
    }

    /// What was not as it should be with the stack, a line each.
    static func deviationsOfStack(in machine: MachineRun) -> [String] {
        var found = machine.steps.filter { $0.id.hasPrefix("stack.") && $0.id != "stack.too-early" && !$0.succeeded }
            .map { "\($0.id): exit code \($0.exitCode.map { "\($0)" } ?? "none"): \($0.output) \($0.xenLog)" }
        func step(_ id: String) -> Console.StepResult { machine["stack.\(id)"] }
        // Refused by the hypervisor: what it depends on is not there yet.
        if step("too-early").exitCode == 0 || step("too-early").exitCode == nil { found.append("applied without what it depends on") }
        let before = step("before").output
        let seen = [
            ("first-seen", "Hello World"), ("second-seen", "Bye World"), ("second-reverted", "Hello World"), ("replaced", "Replaced World"),
            ("after", before),
        ]
        for (id, answer) in seen where step(id).output != answer || step(id).exitCode != 0 { found.append("\(id): \(step(id).output), not \(answer)") }
        func state(_ name: String, _ list: String, _ wanted: String) {
            if BootedChange.entry(of: name, in: step(list))?.contains(wanted) != true { found.append("\(list): \(step(list).output)") }
        }
        for name in [hello.name, bye.name] {
            state(name, "both", "APPLIED")
            state(name, "one", "CHECKED")
        }
        state(replacement.name, "one", "APPLIED")
        return found
    }

    // MARK: Boots

    static func machine(_ target: XenTarget) async throws -> MachineRun {
        try await machines.value(of: target.name) {
            var scenario = Scenario()
            for trial in trials where trial.target == target {
                guard let bytes = try await outcome(of: trial).payload else { continue }
                scenario.files["\(trial.change.name).livepatch"] = bytes
                try BootedChange.addSteps(of: trial.change, to: &scenario)
            }
            let stack = try await stack(target)
            for (change, outcome) in stack {
                let bytes = try #require(outcome.payload, "no payload for \(change.name): \(outcome.error)")
                scenario.files["\(change.name).livepatch"] = bytes
            }
            try addSteps(ofStack: stack.map(\.change.name), to: &scenario)
            scenario.step("alive", "cat /sys/hypervisor/version/extra && xen-livepatch list")
            var boot = Boot(
                hypervisor: try await hypervisor(target).image, dom0: try await target.xen.debian.dom0(for: target.machine, cache: RealXen.cache))
            boot.timeLimit = .seconds(1800)
            return try await Turns.boot.one { [boot, scenario] in try await boot.run(scenario) }
        }
    }
    private static let machines = Once<MachineRun>()

    /// What is wrong with a change in a version: with what the program made of it, else with what the hypervisor did.
    static func deviations(_ trial: Trial) async throws -> [String] {
        // A point release moves lines.
        let ofProgram = try await outcome(of: trial).deviations(from: trial.change.expected, ignoring: ["hunk-offset"])
        guard ofProgram.isEmpty, trial.change.expected.exit == 0 else { return ofProgram }
        return try BootedChange.deviations(of: trial.change, in: try await machine(trial.target))
    }
}

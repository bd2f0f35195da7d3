import Diagnostics
import SystemPackage
import TestDrive
import TestTools
import Testing
import XenRig

/// Every change of the small tree in `Fixtures/changes`, run through the program for every machine that it can exist for.
@Suite struct ChangeClassTests {
    @Test(arguments: SmallTree.trials)
    func comesOutAsExpected(_ trial: Trial) async throws {
        let deviations = try await SmallTree.outcome(of: trial).deviations(from: trial.change.expected)
        #expect(deviations == [])
    }

    private static func changes() throws -> [ChangeCase] { try ChangeCase.all().filter { $0.expected.tree == MiniXen.name } }

    /// For whoever reads the log.
    @Test func table() async throws {
        let changes = try Self.changes()
        var lines: [String] = []
        for change in changes {
            lines.append(change.name)
            for target in XenTarget.small { lines.append("    \(target.machine)\t\(try await entry(of: change, target))") }
        }
        print(lines.joined(separator: "\n"))
        #expect(changes.count >= 50)
    }

    private func entry(of change: ChangeCase, _ target: XenTarget) async throws -> String {
        guard let variant = try target.variant(of: change) else { return "none: \(change.reasonAgainst(machine: target.machine.name) ?? "")" }
        let result = try await SmallTree.outcome(of: Trial(target: target, change: variant)), wanted = variant.expected.summary
        return result.summary == wanted ? wanted : "\(result.summary)\n    expected\t\(wanted)"
    }

    /// A machine that is left out is a known one, and the reason is said; a change that no machine has is no change.
    @Test func leftOutForAReason() throws {
        for change in try Self.changes() {
            let reasons = TargetMachine.all.map { change.reasonAgainst(machine: $0.name) }
            #expect(reasons.contains(nil), "\(change)")
            for (machine, reason) in change.expected.notOn ?? [:] {
                #expect(reason.count > 10, "\(change)")
                #expect(machine == "arm" || TargetMachine.all.contains { $0.name == machine }, "\(change): \(machine)")
            }
        }
    }
}

/// The runs for the small tree: each change is run once for each machine, for all tests that look at it.
enum SmallTree {
    /// All changes, for all machines that they can exist for.
    static let trials: [Trial] = {
        do {
            return try Trial.all(of: ChangeCase.all(), with: XenTarget.small)
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    static func outcome(of trial: Trial) async throws -> ChangeOutcome {
        let (change, machine) = (trial.change, trial.target.machine)
        return try await runs.value(of: "\(trial)") {
            let bench = try await Bench.shared(for: machine)
            let output = bench.folder.appending("changes-\(machine)").appending(change.name)
            let ending = try await Program.run(bench.arguments(patches: change.patches, output: output, machine: machine))
            return try ChangeOutcome(code: ending.code, output: output, error: ending.error)
        }
    }

    private static let runs = Once<ChangeOutcome>()
}

import ChangeCases
import Diagnostics
import SystemPackage
import Testing

/// Every change of the small tree in `Fixtures/changes`, run through the program for every machine that it can exist for.
@Suite struct ChangeClassTests {
    @Test(arguments: SmallTree.cases)
    func comesOutAsExpected(_ one: MachineChange) async throws {
        let deviations = try await SmallTree.outcome(of: one).deviations(from: one.change.expected)
        #expect(deviations == [])
    }

    /// For whoever reads the log.
    @Test func table() async throws {
        let changes = try ChangeCase.all(of: SmallTree.name)
        var lines: [String] = []
        for change in changes {
            lines.append(change.name)
            for machine in Machine.all { lines.append("    \(machine)\t\(try await entry(of: change, machine))") }
        }
        print(lines.joined(separator: "\n"))
        #expect(changes.count >= 50)
    }

    private func entry(of change: ChangeCase, _ machine: Machine) async throws -> String {
        if let reason = change.reasonAgainst(machine: machine.name) { return "none: \(reason)" }
        let one = try MachineChange(change, machine), result = try await SmallTree.outcome(of: one)
        let wanted = one.change.expected.summary
        return result.summary == wanted ? wanted : "\(result.summary)\n    expected\t\(wanted)"
    }

    /// A machine that is left out is a known one, and the reason is said; a change that no machine has is no change.
    @Test func leftOutForAReason() throws {
        for change in try ChangeCase.all(of: SmallTree.name) {
            let reasons = Machine.all.map { change.reasonAgainst(machine: $0.name) }
            #expect(reasons.contains(nil), "\(change)")
            for (machine, reason) in change.expected.notOn ?? [:] {
                #expect(reason.count > 10, "\(change)")
                #expect(machine == "arm" || Machine.all.contains { $0.name == machine }, "\(change): \(machine)")
            }
        }
    }
}

/// A change as it is for a machine.
struct MachineChange: Sendable, CustomStringConvertible {
    var change: ChangeCase
    var machine: Machine
    var description: String { machine == .own ? change.name : "\(change.name), \(machine)" }

    init(_ change: ChangeCase, _ machine: Machine) throws {
        self.change = try change.variant(for: SmallTree.version, machine: machine.name)
        self.machine = machine
    }
}

/// The runs for the small tree: each change is run once for each machine, for all tests that look at it.
enum SmallTree {
    static let name = "mini-xen"
    static let version = "4.17"

    /// All changes, for all machines that they can exist for.
    static let cases: [MachineChange] = {
        do {
            return try ChangeCase.all(of: name).flatMap { change in
                try Machine.all.filter { change.reasonAgainst(machine: $0.name) == nil }.map { try MachineChange(change, $0) }
            }
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    static func outcome(of one: MachineChange) async throws -> ChangeOutcome {
        let (change, machine) = (one.change, one.machine)
        return try await runs.value(of: one.description) {
            let bench = try await Bench.shared(for: machine)
            let output = bench.folder.appending("changes-\(machine)").appending(change.name)
            let ending = try await Program.run(bench.arguments(patches: change.patches, output: output, machine: machine))
            return try ChangeOutcome(code: ending.code, output: output, error: ending.error)
        }
    }

    static func outcome(of change: ChangeCase) async throws -> ChangeOutcome { try await outcome(of: try MachineChange(change, .own)) }

    private static let runs = Once<ChangeOutcome>()
}

import ChangeCases
import Diagnostics
import SystemPackage
import Testing

/// Every change of the small tree in `Fixtures/changes`, run through the program.
@Suite struct ChangeClassTests {
    @Test(arguments: try ChangeCase.all(of: "mini-xen"))
    func comesOutAsExpected(_ change: ChangeCase) async throws {
        let deviations = try await SmallTree.outcome(of: change).deviations(from: change.expected)
        #expect(deviations == [])
    }

    /// For whoever reads the log.
    @Test func table() async throws {
        var lines: [String] = []
        for change in try ChangeCase.all(of: "mini-xen") { lines.append(try await SmallTree.outcome(of: change).row(of: change)) }
        print(lines.joined(separator: "\n"))
        #expect(lines.count >= 50)
    }
}

/// The runs for the small tree: each change is run once, for all tests that look at it.
enum SmallTree {
    static func outcome(of change: ChangeCase) async throws -> ChangeOutcome {
        try await runs.value(of: change.name) {
            let bench = try await Bench.shared()
            let output = bench.folder.appending("changes").appending(change.name)
            let ending = try await Program.run(bench.arguments(patches: change.patches, output: output))
            return try ChangeOutcome(code: ending.code, output: output, error: ending.error)
        }
    }

    private static let runs = Once<ChangeOutcome>()
}

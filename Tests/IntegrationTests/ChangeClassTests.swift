import SystemPackage
import Testing
import WorkFiles

/// Every change of `Fixtures/changes`, run through the program.
@Suite struct ChangeClassTests {
    @Test(arguments: ChangeCase.all)
    func comesOutAsExpected(_ change: ChangeCase) async throws {
        let result = try await ChangeResult.of(change)
        let expected = change.expected
        #expect(result.code == expected.exit, "\(result.error)")
        #expect((result.payload != nil) == (expected.exit == 0))
        #expect(result.changed == expected.changed.sorted())
        #expect(result.new == expected.new.sorted())
        for (function, files) in expected.files ?? [:] { #expect(result.files(of: function) == files.sorted()) }
        #expect(Set(expected.diagnostics).subtracting(result.diagnostics).isEmpty, "\(result.diagnostics)")
    }

    /// No class of changes that the first version must know may be missing or on the list.
    @Test func theClassesThatMustWorkAreThere() {
        let must = ["F1", "F2", "F3", "F4", "F15", "S1", "S2", "D1", "X1", "X2", "X3", "B4", "B6", "B7", "B8"]
        for id in must {
            let names = ChangeCase.all.map(\.name).filter { $0.hasPrefix("\(id)-") }
            #expect(!names.isEmpty, "\(id)")
        }
    }

    /// For whoever reads the log.
    @Test func table() async throws {
        var lines: [String] = []
        for change in ChangeCase.all {
            let result = try await ChangeResult.of(change)
            let wanted = text(change.expected.exit, change.expected.changed, change.expected.new, change.expected.diagnostics)
            let got = text(result.code, result.changed, result.new, result.diagnostics)
            lines.append("\(change.name)\n    expected  \(wanted)\n    got       \(got)")
        }
        print(lines.joined(separator: "\n"))
        #expect(lines.count == ChangeCase.all.count && lines.count >= 50)
    }

    private func text(_ code: Int, _ changed: [String], _ new: [String], _ diagnostics: [String]) -> String {
        let parts = ["exit \(code)", changed.sorted().joined(separator: " "), new.isEmpty ? "" : "new: " + new.sorted().joined(separator: " ")]
            + [diagnostics.isEmpty ? "" : "[\(diagnostics.joined(separator: ", "))]"]
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}

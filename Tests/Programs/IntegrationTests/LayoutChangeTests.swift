import ObjectDiff
import Report
import TestTools
import Testing
import WorkFiles
import XenRig

/// What a run says about types, and what the user can allow.
@Suite struct LayoutChangeTests {
    private func run(_ change: String, _ more: [String]) async throws -> (ending: Program.Ending, report: BuildReport) {
        let bench = try await Bench.shared()
        return try await bench.withFolder { folder in
            let output = folder.appending("out")
            let patch = ChangeCase.fixtures.appending("changes").appending(change).appending("change.patch")
            let ending = try await Program.run(bench.arguments(patches: [patch], output: output) + more)
            let report = try JSONText.decode(BuildReport.self, from: try WorkFiles.read(output.appending("report.json")))
            return (ending, report)
        }
    }

    @Test func refusalShowsTheTable() async throws {
        let (ending, report) = try await run("D8-grown", [])
        #expect(ending.code == 4)
        #expect(ending.error.contains("error[layout-changed]: 'struct vcpu'"), "\(ending.error)")
        #expect(ending.error.contains("next       24, 8 bytes   32, 8 bytes   moved"), "\(ending.error)")
        #expect(ending.error.contains("--allow-layout-change 'struct vcpu'"))
        #expect(report.layouts.map(\.type) == ["struct vcpu"] && report.layouts.map(\.outcome) == [.refused])
        // They are in other objects than the one that changes.
        #expect(report.layouts.first?.users?.outside.contains("dump_vcpu") == true)
        #expect(report.payload == nil)
    }

    @Test(arguments: ["struct guest_walk", "guest_walk"]) func allowedByTheUser(type: String) async throws {
        let (ending, report) = try await run("D8-bound", ["--allow-layout-change", type])
        #expect(ending.code == 0, "\(ending.error)")
        #expect(ending.error.contains("warning[layout-changed]: 'struct guest_walk'"), "\(ending.error)")
        #expect(report.layouts.map(\.outcome) == [.allowed])
        #expect(report.diagnostics.map(\.id) == [.layoutChanged] && report.diagnostics.map(\.severity) == [.warning])
        #expect(report.payload != nil)
    }

    @Test func aTypeThatDidNotChangeIsNamed() async throws {
        let (ending, report) = try await run("D8-bound", ["--allow-layout-change", "struct guest_wlak"])
        #expect(ending.code == 4)
        #expect(ending.error.contains("--allow-layout-change 'struct guest_wlak'"), "\(ending.error)")
        #expect(Set(report.diagnostics.map(\.id)) == [.layoutChanged, .layoutNotChanged])
    }
}

import Report
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

/// `diff` and `inspect` on what a real run made.
@Suite struct ObjectCommandsTests {
    /// A change with a run of its own, whose cache holds nothing but the objects of both sides.
    private func withObjects(
        of name: String, _ body: (_ original: FilePath, _ patched: FilePath, _ payload: FilePath) async throws -> Void
    ) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let tree = try await bench.copyOfTree(to: folder.appending("tree"))
            let patch = ChangeCase.fixtures.appending("changes").appending(name).appending("change.patch")
            let output = folder.appending("out")
            let ending = try await Program.run(bench.arguments(patches: [patch], output: output))
            try #require(ending.code == 0, "\(ending.error)")

            var objects: [FilePath] = []
            _ = try write("CONFIG_DEBUG_INFO=y\n", to: "xen/.config", in: tree)
            for side in ["original", "patched"] {
                if side == "patched" { try await run("patch", ["-s", "-p1", "-d", tree.string, "-i", patch.string]) }
                let xen = tree.appending("xen")
                try await run("env", ["-u", "MAKEFLAGS", "make", "-C", xen.string, "common/sched.o"])
                objects.append(folder.appending("\(side).o"))
                try await run("mv", [xen.appending("common/sched.o").string, objects[objects.count - 1].string])
            }
            try await body(objects[0], objects[1], output.appending("change.livepatch"))
        }
    }

    @Test func diffSaysWhatChanged() async throws {
        try await withObjects(of: "F1-global") { original, patched, _ in
            let text = try await Program.run(["diff", original.string, patched.string])
            #expect(text.code == 1 && text.error.isEmpty, "\(text.error)")
            #expect(text.output.contains("changed") && text.output.contains("sched_pick"), "\(text.output)")

            let json = try await Program.run(["diff", original.string, patched.string, "--json"])
            let comparison = try JSONText.decode(ObjectComparison.self, from: Array(json.output.utf8))
            #expect(comparison.functions.map(\.name) == ["sched_pick"] && comparison.functions.map(\.status) == [.changed])
            #expect(comparison.data.isEmpty && comparison.diagnostics.isEmpty)
            #expect(comparison.sameFunctions > 3)
            #expect(comparison.original == original.string && comparison.patched == patched.string)

            let same = try await Program.run(["diff", original.string, original.string])
            #expect(same.code == 0 && same.output.contains("no difference that runs"), "\(same.output)")
        }
    }

    @Test func diffShowsTypesWithAnotherLayout() async throws {
        try await withObjects(of: "D8-enum-end") { original, patched, _ in
            let text = try await Program.run(["diff", original.string, patched.string])
            #expect(text.code == 1)
            #expect(text.error.contains("warning[layout-values-added]: 'enum run_state'"), "\(text.error)")
            #expect(text.error.contains("RUN_FROZEN   -        4       new"), "\(text.error)")

            let json = try await Program.run(["diff", original.string, patched.string, "--json"])
            let comparison = try JSONText.decode(ObjectComparison.self, from: Array(json.output.utf8))
            #expect(comparison.layouts.map(\.type) == ["enum run_state"])
            #expect(comparison.layouts.first?.enumerators.map(\.name) == ["RUN_FROZEN"])
        }
    }

    @Test func diffRefusesWhatIsNoObject() async throws {
        let bench = try await Bench.shared()
        for pair in [[Bench.change, Bench.change], ["/nonexistent.o", Bench.change]] {
            let ending = try await Program.run(["diff"] + pair.map(\.string))
            #expect(ending.code == 64)
            #expect(ending.errorLines.count == 1 && ending.error.contains(pair[0].string), "\(ending.error)")
        }
        #expect(WorkFiles.isReadableFile(bench.xenSyms))
    }

    @Test func inspectSaysWhatTheReportSays() async throws {
        for name in ["F1-static", "D1-data", "X1-warn"] {
            let trial = try #require(SmallTree.trials.first { $0.change.name == name && $0.target.machine == .own })
            let result = try await SmallTree.outcome(of: trial)
            let payload = try #require(result.payloadPath), report = try #require(result.report)

            let json = try await Program.run(["inspect", payload.string, "--json"])
            #expect(json.code == 0, "\(json.error)")
            let inspection = try JSONText.decode(PayloadInspection.self, from: Array(json.output.utf8))
            let replaced = report.functions.filter { $0.status == .changed }
            #expect(inspection.functions.map(\.name).sorted() == replaced.map(\.name).sorted())
            #expect(Set(inspection.functions.map(\.newSize)) == Set(replaced.map(\.newSize)))
            #expect(Set(inspection.functions.map(\.oldSize)) == Set(replaced.compactMap(\.oldSize)))
            #expect(inspection.format == report.tree.format)
            #expect(inspection.buildID == report.payload?.buildID && inspection.depends == report.hypervisor?.buildID)
            #expect(inspection.xenDepends == report.hypervisor?.buildID)
            #expect(inspection.undefinedSymbols == report.references.sorted())

            let text = try await Program.run(["inspect", payload.string])
            #expect(text.code == 0)
            for word in replaced.map(\.name) + ["livepatch v2", report.payload?.buildID ?? "?", "R_X86_64_64"] {
                #expect(text.output.contains(word), "\(word): \(text.output)")
            }
        }
    }

    @Test func inspectRefusesWhatIsNoPayload() async throws {
        let bench = try await Bench.shared()
        for path in [bench.xenSyms, Bench.change, "/nonexistent"] {
            let ending = try await Program.run(["inspect", path.string])
            #expect(ending.code == 64)
            #expect(ending.errorLines.count == 1 && ending.error.contains(path.string), "\(ending.error)")
        }
    }
}

import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

/// The program says why: `-v`, `--debug`, `why`.
@Suite struct WhyTests {
    private func build(_ change: String, _ more: [String], _ body: (Program.Ending, FilePath) async throws -> Void) async throws {
        let bench = try await Bench.shared()
        let patches = try #require(SmallTree.trials.first { $0.change.name == change }).change.patches
        try await bench.withFolder { folder in
            let output = folder.appending("out")
            let ending = try await Program.run(bench.arguments(patches: patches, output: output) + more)
            try #require(ending.code == 0, "\(ending.error)")
            try await body(ending, output)
        }
    }

    private func lines(_ ending: Program.Ending, _ stage: String) -> [Substring] {
        ending.error.split(separator: "\n").filter { $0.hasPrefix("\(stage):") }
    }

    @Test func verboseSaysWhatWasDone() async throws {
        try await build("F6-inline", ["-v"]) { ending, _ in
            #expect(lines(ending, "compile").contains { $0.contains("common/sched.o") && $0.contains("reads include/xen/sched.h") }, "\(ending.error)")
            #expect(lines(ending, "compare").contains { $0.contains("sched_pick") && $0.contains("differs at +0x") })
            #expect(lines(ending, "link").contains { $0.contains("sched_pick") && $0.contains("changed") })
            #expect(lines(ending, "spare").isEmpty)
        }
    }

    @Test func debugSaysWhichVariableIsWhichAndWhy() async throws {
        try await build("D2-static-local", ["--debug"]) { ending, _ in
            #expect(lines(ending, "compare").contains { $0.contains("is the original's") && $0.contains("leaves its declaration at") }, "\(ending.error)")
            #expect(lines(ending, "link").contains { $0.contains("printk") && $0.contains("is the hypervisor's") })
        }
        try await build("D2-static-local", []) { ending, _ in #expect(lines(ending, "compare").isEmpty) }
    }

    /// A function that only got in through an inline change, and a variable that it needs.
    @Test func whyNamesTheLineAndTheWay() async throws {
        try await build("F6-inline", []) { _, output in
            let why = try await Program.run(["why", output.string, "sched_pick"])
            #expect(why.code == 0 && why.output.hasPrefix("sched_pick   changed") && why.output.contains("at +0x"), "\(why.output)")
        }
        try await build("D2-static-local", []) { _, output in
            let why = try await Program.run(["why", output.appending("report.json").string, "idle_dumps"])
            #expect(why.code == 0 && why.output.contains("new, 4 bytes") && why.output.contains("dump_vcpu   changed"), "\(why.output)")
        }
    }

    @Test func whatIsNotThereIsSaid() async throws {
        try await build("F6-inline", []) { _, output in
            let unknown = try await Program.run(["why", output.string, "no_such_function"])
            #expect(unknown.code == 64 && unknown.error.contains("nothing called 'no_such_function'"), "\(unknown.error)")
            let none = try await Program.run(["why", output.appending("logs").string])
            #expect(none.code == 64 && none.error.contains("report.json"), "\(none.error)")
        }
    }
}

import Report
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

/// Many fixes for many hypervisors, in one run.
@Suite struct BatchTests {
    private let changes = ChangeCase.fixtures.appending("changes")

    private func manifest(_ bench: Bench, _ fixes: [String]) throws -> String {
        let hypervisors = TargetMachine.all.map { machine in
            #"{ "name": "\#(machine.name)", "source": "\#(bench.tree)", "xenSyms": "\#(bench.xenSyms(for: machine))", "arch": "\#(machine.name)" }"#
        }
        let list = fixes.map { #"{ "name": "\#($0)", "patches": ["\#(changes)/\#($0)/change.patch"] }"# }
        return "{ \"hypervisors\": [\(hypervisors.joined(separator: ", "))], \"fixes\": [\(list.joined(separator: ", "))] }"
    }

    @Test func goesOnAfterARefusalAndWritesWhatSingleRunsWrite() async throws {
        for machine in TargetMachine.all { _ = try await Bench.shared(for: machine) }
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let file = try write(try manifest(bench, ["F1-static", "D5-size", "B7-missing-file"]), to: "batch.json", in: folder)
            let out = folder.appending("out"), arguments = ["batch", file.string, "-o", out.string, "--cache-dir", folder.appending("cache").string]
            let ending = try await Program.run(arguments)
            #expect(ending.code == 7, "\(ending.error)")
            let report = try JSONText.decode(BatchReport.self, from: try WorkFiles.read(out.appending("batch.json")))
            #expect(report.runs.map(\.fix) == ["F1-static", "D5-size", "B7-missing-file"].flatMap { Array(repeating: $0, count: 3) })
            #expect(report.runs.map(\.exitCode.rawValue) == [0, 0, 0, 4, 4, 4, 7, 7, 7])
            #expect(ending.output.contains("9 builds: 3 written, 3 refused, 3 does not apply"))

            // The same bytes as alone.
            let single = folder.appending("single")
            let alone =
                bench.arguments(
                    patches: [changes.appending("F1-static/change.patch")], output: single, cache: folder.appending("cache")) + ["--name", "F1-static"]
            #expect(try await Program.run(alone).code == 0)
            let payload = try #require(report.runs.first { $0.hypervisor == TargetMachine.own.name }?.payload)
            #expect(try WorkFiles.read(FilePath(payload)) == WorkFiles.read(single.appending("F1-static.livepatch")))

            // What another batch wrote is kept, unless it may be replaced.
            let again = try await Program.run(arguments)
            #expect(again.code == 64 && again.error.contains("--force"))
            #expect(try await Program.run(arguments + ["--force"]).code == 7)
        }
    }

    @Test func aFolderOfSomebodyElseIsLeftAlone() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let file = try write(try manifest(bench, ["F1-static"]), to: "batch.json", in: folder), out = folder.appending("out")
            try WorkFiles.makeFolder(out)
            _ = try write("precious", to: "mine", in: out)
            let ending = try await Program.run(["batch", file.string, "-o", out.string, "--force"])
            #expect(ending.code == 64 && ending.error.contains("is not empty"))
            #expect(try WorkFiles.names(in: out) == ["mine"])
        }
    }
}

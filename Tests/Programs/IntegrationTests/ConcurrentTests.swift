import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

/// Eight at once, over one cache and one tree.
@Suite struct ConcurrentTests {
    private static let changes = ["F1-global", "F1-static", "F2-several", "F3-two-files", "F16-bug-frames", "B1-new-file", "F6-inline", "D1-data"]

    @Test func eightRunsGiveTheBytesOfOneAfterTheOther() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            func arguments(_ name: String, _ output: String, cache: String) -> [String] {
                bench.arguments(
                    patches: [ChangeCase.fixtures.appending("changes/\(name)/change.patch")], output: folder.appending(output).appending(name),
                    cache: folder.appending(cache))
            }
            for name in Self.changes {
                let ending = try await Program.run(arguments(name, "alone", cache: "cache"))
                try #require(ending.code == 0, "\(name): \(ending.error)")
            }
            // All begin with an empty cache, and wait for each other's trees.
            let commands = Self.changes.map { name in
                (["\"$1\""] + arguments(name, "together", cache: "shared").map { "'\($0)'" } + ["2>'\(folder)/\(name).err'", "&"]).joined(separator: " ")
            }
            let ending = try await Program.run(script: commands.joined(separator: "\n") + "\nwait", [], environment: [:], in: folder)
            #expect(ending.code == 0)
            for name in Self.changes {
                let payload = "\(name)/change.livepatch", error = try WorkFiles.readText(folder.appending("\(name).err"))
                try #require(WorkFiles.isReadableFile(folder.appending("together/\(payload)")), "\(name): \(error)")
                #expect(try WorkFiles.read(folder.appending("together/\(payload)")) == WorkFiles.read(folder.appending("alone/\(payload)")), "\(name)")
            }
            #expect(try WorkFiles.names(in: folder.appending("shared/work")).isEmpty)
        }
    }
}

import SystemPackage
import TestTools
import Testing
import WorkFiles

/// `--keep-work`: what a run worked with, for who wants to look.
@Suite struct KeptWorkTests {
    @Test func bothTreesAndTheObjectsAreThere() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let output = folder.appending("out"), work = output.appending("work")
            let ending = try await Program.run(bench.arguments(output: output) + ["--keep-work"])
            try #require(ending.code == 0, "\(ending.error)")
            #expect(ending.output.contains("Kept: \(work)/original, \(work)/patched, \(work)/objects"))

            // The patch is in one of them.
            let patch = try WorkFiles.readText(Bench.change)
            let file = try #require(patch.split(separator: "\n").first { $0.hasPrefix("+++ b/") }?.dropFirst(6))
            let original = try WorkFiles.read(work.appending("original").pushing(FilePath(String(file))))
            #expect(original == (try WorkFiles.read(bench.tree.pushing(FilePath(String(file))))))
            #expect(try WorkFiles.read(work.appending("patched").pushing(FilePath(String(file)))) != original)

            // Objects that can be compared by hand, and that differ.
            let object = file.dropFirst("xen/".count).dropLast() + "o"
            let pair = ["original", "patched"].map { work.appending("objects").appending($0).pushing(FilePath(String(object))) }
            let diff = try await Program.run(["diff"] + pair.map(\.string))
            #expect(diff.code == 1 && diff.output.contains("changed"), "\(diff.output) \(diff.error)")
        }
    }

    /// Who edits what was kept changes nothing in the cache.
    @Test func itSharesNothingWithTheCache() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let cache = folder.appending("cache"), output = folder.appending("out")
            _ = try await Program.run(bench.arguments(output: output, cache: cache) + ["--keep-work"])
            let payload = try WorkFiles.read(output.appending("change.livepatch"))
            for path in try await run("find", [output.appending("work").string, "-type", "f"]).split(separator: "\n") {
                try WorkFiles.write([0x23], to: FilePath(String(path)))
            }
            let second = folder.appending("second")
            let ending = try await Program.run(bench.arguments(output: second, cache: cache))
            #expect(ending.code == 0, "\(ending.error)")
            #expect(try WorkFiles.read(second.appending("change.livepatch")) == payload)
        }
    }

    /// Who wants to see the trees most is who gets an error. The next run into the same folder leaves nothing of it.
    @Test func itIsKeptWhenTheSourceDoesNotCompile() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let good = try WorkFiles.readText(Bench.change)
            let added = try #require(good.split(separator: "\n").first { $0.hasPrefix("+") && !$0.hasPrefix("+++") })
            let bad = try write(good.replacing(added, with: added + " this is no C;"), to: "bad.patch", in: folder)
            let output = folder.appending("out"), work = output.appending("work")
            let ending = try await Program.run(bench.arguments(patches: [bad], output: output) + ["--keep-work"])
            #expect(ending.code == 5, "\(ending.error)")
            #expect(ending.output.contains("Kept: \(work)/original, \(work)/patched\n") && WorkFiles.isFolder(work.appending("patched/xen")))

            let next = try await Program.run(bench.arguments(output: output) + ["--force"])
            #expect(next.code == 0, "\(next.error)")
            #expect(!WorkFiles.isFolder(work))
        }
    }
}

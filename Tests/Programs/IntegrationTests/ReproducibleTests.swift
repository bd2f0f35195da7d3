import Report
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The same inputs give the same bytes, whatever else is different.
@Suite struct ReproducibleTests {
    /// Two objects and a new variable; strings; tables of bug frames.
    static let changes = ["F2-several", "F16-bug-frames", "B1-new-file"]

    @Test(arguments: SmallTree.trials.filter { changes.contains($0.change.name) })
    func anotherMachineGivesTheSameBytes(_ trial: Trial) async throws {
        let bench = try await Bench.shared(for: trial.target.machine)
        let patch = try #require(trial.change.patches.first)
        try await bench.withFolder { folder in
            let first = folder.appending("first")
            let one = try await Program.run(bench.arguments(patches: [patch], output: first, machine: trial.target.machine, jobs: 1))
            try #require(one.code == 0, "\(one.error)")

            // Another tree path, with a space; another cache, output and working folder; another locale, zone and umask.
            let tree = try await bench.copyOfTree(to: folder.appending("my tree"))
            try await run("cp", [patch.string, folder.appending("change.patch").string])
            try await run("cp", [bench.xenSyms(for: trial.target.machine).string, folder.appending("syms of xen").string])
            let elsewhere = folder.appending("else where")
            try WorkFiles.makeFolder(elsewhere)
            let arguments = bench.arguments(
                tree: "../my tree", patches: ["../change.patch"], output: "out", xenSyms: "../syms of xen",
                cache: "../other-cache", jobs: 3)
            let two = try await Program.run(
                script: "umask 077; exec \"$@\"", arguments,
                environment: [
                    "LANG": "de_DE.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "CFLAGS": "-O0", "MAKEFLAGS": "-n",
                    "SOURCE_DATE_EPOCH": "1234567890", "HOME": elsewhere.string,
                ], in: elsewhere)
            try #require(two.code == 0, "\(two.error)")

            let payload = try WorkFiles.read(first.appending("change.livepatch"))
            #expect(try WorkFiles.read(elsewhere.appending("out/change.livepatch")) == payload)
            #expect(tree.lastComponent?.string == "my tree")

            // Nothing of the machine in it.
            let text = String(decoding: payload, as: UTF8.self)
            for word in [bench.folder.string, "/tmp/", "root@"] { #expect(!text.contains(word), "\(word)") }
        }
    }

    /// Each process walks its dictionaries in another order: none of that reaches the report.
    @Test(arguments: ["F8-move", "F3-two-files", "B2-file-gone", "D8-moved"])
    func theReportIsTheSameInEveryRun(change: String) async throws {
        let bench = try await Bench.shared()
        let patches = try #require(SmallTree.trials.first { $0.change.name == change }).change.patches
        try await bench.withFolder { folder in
            // A cache of its own: other tests may prepare the tree further in between, and the report says how far it is prepared.
            let output = folder.appending("out"), cache = folder.appending("cache")
            var reports: Set<[UInt8]> = [], payloads: Set<[UInt8]> = []
            for run in 0..<10 {
                _ = try await Program.run(bench.arguments(patches: patches, output: output, cache: cache) + (run == 0 ? [] : ["--force"]))
                // What a run takes is no part of its result; what the first one compiled, the next ones have in the cache.
                var report = try JSONText.decode(BuildReport.self, from: try WorkFiles.read(output.appending("report.json")))
                report.timings = []
                report.compile?.compiled = 0
                report.compile?.fromCache = 0
                reports.insert(Array(try JSONText.encode(report).utf8))
                if let path = report.payload?.path { payloads.insert(try WorkFiles.read(FilePath(path))) }
            }
            #expect(reports.count == 1 && payloads.count <= 1)
        }
    }

    /// What the cache answers is what the compiler would.
    @Test func aSecondRunFromTheCacheGivesTheSameBytes() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let cache = folder.appending("cache")
            var payloads: [[UInt8]] = []
            for name in ["one", "two", "two"] {
                let arguments = bench.arguments(output: folder.appending(name), cache: cache)
                let ending = try await Program.run(arguments + (payloads.count == 2 ? ["--force"] : []))
                try #require(ending.code == 0, "\(ending.error)")
                payloads.append(try WorkFiles.read(folder.appending(name).appending("change.livepatch")))
            }
            #expect(payloads[0] == payloads[1] && payloads[1] == payloads[2])
        }
    }
}

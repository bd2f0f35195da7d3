import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XenBuild

@Suite("what commands get of the caller's environment")
struct CommandRunnerTests {
    @Test("what tools need to work, and nothing that changes objects")
    func environment() {
        let caller = [
            "PATH": "/bin", "HOSTCC": "gcc-12", "CCACHE_DIR": "/cache", "CCACHE_COMPILER": "other", "CFLAGS": "-O3", "MAKEFLAGS": "-j9", "CC": "other",
        ]
        let passed = CommandRunner(caller: caller).environment
        #expect(passed["PATH"] == "/bin" && passed["HOSTCC"] == "gcc-12" && passed["CCACHE_DIR"] == "/cache")
        for name in ["CCACHE_COMPILER", "CFLAGS", "MAKEFLAGS", "CC"] { #expect(passed[name] == nil) }
        #expect(CommandRunner(caller: [:]).environment["HOSTCC"] == nil)
    }

    @Test("words in a tool's output are no full disk while the disk has space") func wordsOfFullDisks() async throws {
        try await withTemporaryFolder { folder in
            guard !WorkFiles.isNearlyFull(deviceOf: folder) else { return }
            let runner = CommandRunner(caller: ["PATH": "/usr/bin:/bin"])
            let words = ["sh", "-c", "echo \"as: error: No space left on device\" >&2; exit 1"]
            let succeeded = try await runner.run(words, in: folder, log: folder.appending("a.log"))
            #expect(!succeeded)
        }
    }

    @Test("a log replaces a link or another name of a file, and leaves that file alone") func logsAreNew() async throws {
        try await withTemporaryFolder { folder in
            let victim = folder.appending("victim"), log = folder.appending("a.log")
            try WorkFiles.write([1], to: victim)
            for command in [["ln", "-s", victim.string, log.string], ["ln", "-f", victim.string, log.string]] {
                try await TestTools.run(command[0], Array(command.dropFirst()))
                let runner = CommandRunner(caller: ["PATH": "/usr/bin:/bin"])
                let succeeded = try await runner.run(["true"], in: folder, log: log)
                #expect(succeeded)
                #expect(try WorkFiles.read(victim) == [1])
                guard case .regular(let size, _)? = try WorkFiles.kind(of: log) else { throw WorkFileError("no log", log, .ioError) }
                #expect(CommandLog.isOne(log, .regular(size: size, executable: false)))
            }
        }
    }
}

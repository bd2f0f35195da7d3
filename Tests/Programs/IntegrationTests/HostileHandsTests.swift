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

/// What a tired colleague or somebody else on the machine does to the program: it says what is wrong, ends, and leaves nothing false.
@Suite struct HostileHandsTests {
    @Test("a limit under which it can't work is named, and it does not hang", arguments: [120_000, 150_000, 200_000, 400_000])
    func littleMemory(kilobytes: Int) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let ending = try await Program.run(
                script: "ulimit -v \(kilobytes); exec timeout -k 5 120 \"$@\"", bench.arguments(output: folder.appending("out")), environment: [:],
                in: folder)
            #expect(ending.code == 64, "\(ending.code) \(ending.error)")
            #expect(ending.errorLines.first?.contains("of address space") == true && ending.error.contains("ulimit -v"), "\(ending.error)")
            #expect(!WorkFiles.exists(folder.appending("out")))
        }
    }

    /// One run in fifty hung.
    @Test("nor does it hang once in many runs") func littleMemoryOften() async throws {
        let ending = try await Program.run(
            script: "ulimit -v 120000; for i in $(seq 200); do timeout -k 1 20 \"$@\" >/dev/null 2>&1; [ $? -eq 64 ] || exit 1; done", ["check"],
            environment: [:],
            in: try await Bench.shared().folder)
        #expect(ending.code == 0)
    }

    @Test(
        "a limit of files, threads or memory for data under which it would hang is named",
        arguments: [("-n 8", "open only 8 files"), ("-n 20", "open only 20 files"), ("-d 40000", "of memory for data"), ("-d 60000", "of memory for data")])
    func narrowLimits(limit: String, words: String) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let ending = try await Program.run(
                script: "ulimit \(limit); exec timeout -k 5 60 \"$@\"", bench.arguments(output: folder.appending("out")), environment: [:], in: folder)
            #expect(ending.code == 64 && ending.error.contains(words), "\(ending.code) \(ending.error)")
        }
    }

    @Test("an argument that is not UTF-8 is refused before anything is written") func otherEncodings() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let ending = try await Program.run(
                script: "exec \"$@\" -o \"$(printf 'out\\377')\"", ["-s", bench.tree.string, "-p", Bench.change.string], environment: [:], in: folder)
            #expect(ending.code == 64 && ending.error.contains("argument 6 is not UTF-8"), "\(ending.code) \(ending.error)")
            #expect(try WorkFiles.names(in: folder).isEmpty)
        }
    }

    @Test("pipes in the place of files are refused at once") func pipesForFiles() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let pipe = folder.appending("pipe"), output = folder.appending("out")
            try #require(mkfifo(pipe.string, 0o600) == 0)
            for words in [
                bench.arguments(output: output, xenSyms: pipe), bench.arguments(output: output) + ["-c", pipe.string], ["inspect", pipe.string],
                ["check", pipe.string, "--xen-syms", bench.xenSyms.string], ["diff", pipe.string, pipe.string], ["batch", pipe.string, "-o", output.string],
            ] {
                let ending = try await Program.run(script: "exec timeout -k 5 30 \"$@\"", words, environment: [:], in: folder)
                #expect(ending.code != 0 && ending.code < 124 && ending.error.contains("\(pipe)"), "\(words): \(ending.code) \(ending.error)")
            }
        }
    }

    @Test("a patch from a pipe without a writer is given up at the first signal", arguments: [SIGTERM, SIGINT])
    func pipeWithoutWriter(signal: CInt) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let pipe = folder.appending("pipe.patch"), output = folder.appending("out")
            try #require(mkfifo(pipe.string, 0o600) == 0)
            let ending = try await Program.run(bench.arguments(patches: [pipe], output: output)) { process in
                try await Task.sleep(for: .seconds(2))
                process.send(signal)
                let sent = ContinuousClock.now
                while process.isRunning, ContinuousClock.now - sent < .seconds(30) { try await Task.sleep(for: .milliseconds(50)) }
                if process.isRunning { process.send(SIGKILL) }
            }
            #expect(ending.code == 130, "\(ending.code) \(ending.error)")
            #expect(!WorkFiles.exists(output))
        }
    }

    @Test("a patch from standard input or through quilt's series gives the payload of its file") func otherSources() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let file = try await Program.run(bench.arguments(output: folder.appending("file")))
            try #require(file.code == 0, "\(file.error)")
            let payload = try WorkFiles.read(folder.appending("file/change.livepatch"))

            try WorkFiles.makeFolder(folder.appending("patches"))
            try await run("cp", [Bench.change.string, folder.pushing("patches/change.patch").string])
            let list = try write("# one fix\nchange.patch -p1\n", to: "patches/series", in: folder)
            let series = try await Program.run(bench.arguments(patches: [list], output: folder.appending("series")))
            #expect(series.code == 0, "\(series.error)")
            #expect(try WorkFiles.read(folder.appending("series/change.livepatch")) == payload)

            let input = try await Program.run(
                script: "exec \"$@\" <'\(Bench.change)'", bench.arguments(patches: ["-"], output: folder.appending("input")) + ["--name", "change"],
                environment: [:], in: folder)
            #expect(input.code == 0, "\(input.error)")
            #expect(WorkFiles.isReadableFile(folder.appending("input/change.livepatch")))
            let unnamed = try await Program.run(
                script: "\"$@\" <'\(Bench.change)' && ls unnamed/*.livepatch", bench.arguments(patches: ["-"], output: "unnamed"), environment: [:], in: folder)
            #expect(unnamed.code == 0 && unnamed.output.hasSuffix("unnamed/payload.livepatch\n"), "\(unnamed.output)\(unnamed.error)")
        }
    }

    @Test("of two runs into one folder, one is refused; the other's payload and report belong together") func twoRunsIntoOneFolder() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let other = ChangeCase.fixtures.appending("changes/F1-static/change.patch"), output = folder.appending("out")
            let commands = [Bench.change, other].enumerated().map { index, patch in
                "(" + (["\"$1\""] + bench.arguments(patches: [patch], output: output).map { "'\($0)'" }).joined(separator: " ")
                    + " --name fix\(index) 2>err\(index) >out\(index); echo $? >code\(index)) &"
            }
            _ = try await Program.run(script: commands.joined(separator: "\n") + "\nwait", [], environment: [:], in: folder)
            let codes = try (0...1).map { try WorkFiles.readText(folder.appending("code\($0)")).filter { $0 != "\n" } }
            // The second may begin only when the first has ended: then it meets the output of an earlier run.
            #expect(codes.sorted() == ["0", "64"], "\(codes)")
            let refused = try #require(codes.firstIndex(of: "64"))
            let said = try WorkFiles.readText(folder.appending("err\(refused)"))
            #expect(said.contains("another run is writing to it") || said.contains("the output of an earlier run"), "\(said)")
            let payloads = try WorkFiles.names(in: output).filter { $0.hasSuffix(".livepatch") }
            #expect(payloads == ["fix\(1 - refused).livepatch"])
            #expect(try WorkFiles.readText(output.appending("report.json")).contains(payloads[0]))
        }
    }

    @Test("a cache folder of somebody else, or open to others, is refused") func foreignCaches() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let cache = folder.appending("cache"), output = folder.appending("out")
            func refusal() async throws -> String {
                let ending = try await Program.run(bench.arguments(output: output, cache: cache))
                #expect(ending.code == 64 && ending.errorLines.count == 1, "\(ending.code) \(ending.error)")
                #expect(!WorkFiles.exists(output))
                return ending.error
            }
            try WorkFiles.makeFolder(cache)
            try #require(chmod(cache.string, 0o777) == 0)
            #expect(try await refusal().contains("it can be written to by every user"))
            if geteuid() == 0 {
                try #require(chmod(cache.string, 0o755) == 0 && chown(cache.string, 1, gid_t.max) == 0)
                #expect(try await refusal().contains("it belongs to user daemon"))
                try #require(chown(cache.string, 0, gid_t.max) == 0)
            }
            try #require(chmod(cache.string, 0o700) == 0 && chmod(folder.string, 0o777) == 0)
            #expect(try await refusal().contains("\(folder) can be written to by every user"))
            try #require(chmod(folder.string, 0o700) == 0)
            let ending = try await Program.run(bench.arguments(output: output, cache: cache))
            #expect(ending.code == 0, "\(ending.error)")
        }
    }

    @Test("results that do not reach standard output are no success", arguments: ["inspect", "check", "diff", "explain", "why"])
    func fullStandardOutput(command: String) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let output = folder.appending("out")
            let built = try await Program.run(bench.arguments(output: output) + ["--keep-work"])
            try #require(built.code == 0, "\(built.error)")
            let payload = output.appending("change.livepatch").string, objects = output.pushing("work/objects/original").string
            let arguments = [
                "inspect": [payload], "check": [payload, "--xen-syms", bench.xenSyms.string], "diff": [objects, objects], "why": [output.string], "explain": [],
            ]
            let words = [command] + (arguments[command] ?? [])
            let whole = try await Program.run(words)
            #expect(whole.code == 0 && !whole.output.isEmpty, "\(whole.error)")
            for more in command == "why" ? [[]] : [[], ["--json"]] {
                let ending = try await Program.run(script: "exec \"$@\" >/dev/full", words + more, environment: [:], in: folder)
                #expect(ending.code == (command == "diff" ? 2 : 1), "\(ending.code)")
                #expect(ending.error.contains("cannot write to standard output"), "\(ending.error)")
            }
        }
    }
}

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

/// Ctrl-C: exit code 130, and nothing of the run is left.
@Suite struct InterruptTests {
    enum Moment: String, CaseIterable, Sendable {
        case atOnce, copying, headers, dryRun, recording, compiling, linking

        /// What of make is true then alone.
        var makeCondition: String? {
            switch self {
            case .headers: "$(findstring ALL_OBJS=,$(MAKEOVERRIDES))"
            case .dryRun: "$(findstring n,$(firstword -$(MAKEFLAGS)))"
            default: nil
            }
        }
    }

    /// A make that takes a minute where the moment would be too short to be met.
    private func slowMake(of tree: FilePath, where condition: String, whileThereIs file: FilePath) async throws {
        let path = tree.appending("xen/Makefile")
        let slow = "ifneq (\(condition),)\n$(shell test ! -e \(file) || sleep 60)\nendif\n"
        try WorkFiles.write(Array(slow.utf8) + WorkFiles.read(path), to: path)
        try WorkFiles.write([], to: file)
    }

    @Test(arguments: Moment.allCases)
    func leavesNothing(_ moment: Moment) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let tree = try await bench.copyOfTree(to: folder.appending("tree"))
            // So many files that copying them takes a while.
            if moment == .copying { try addManyFiles(to: tree) }
            let slow = folder.appending("slow")
            if let condition = moment.makeCondition { try await slowMake(of: tree, where: condition, whileThereIs: slow) }
            let output = folder.appending("out"), cache = folder.appending("cache")
            let compiler = try await slowCompiler(in: folder)
            let environment = moment == .compiling ? ["CC": compiler.string] : [:]
            // Sources that are there need no more than headers.
            let more = [ChangeCase.fixtures.appending("changes/B1-new-file/change.patch")]
            let arguments =
                moment == .recording
                ? bench.arguments(tree: tree, patches: more, output: output, cache: cache) : bench.arguments(tree: tree, output: output, cache: cache)
            let ending = try await Program.run(arguments, environment: environment) { process in
                try await wait("the moment does not come", while: process) {
                    try hasCome(moment, output: output, cache: cache, folder: folder)
                }
                process.send(SIGINT)
            }
            // Who is interrupted when the payload is in place has a payload.
            if moment == .linking, ending.code == 0 {
                #expect(try leftovers(in: output) == ["change.livepatch"])
            } else {
                #expect(ending.code == 130, "\(ending.error)")
                // Before the program catches signals, the system ends it, which is the same code and no word.
                #expect(moment == .atOnce || ending.error.contains("interrupted"))
                #expect(try WorkFiles.kind(of: output) == nil)
            }
            try await nobodyWorks(in: folder)
            if try WorkFiles.kind(of: cache) != nil { try isTidy(cache) }

            try WorkFiles.remove(slow)
            let next = try await Program.run(bench.arguments(tree: tree, output: output, cache: cache) + ["--force"])
            #expect(next.code == 0, "\(next.error)")
        }
    }

    /// A second Ctrl-C is for the impatient: the process ends at once, and still leaves no payload.
    @Test func theSecondEndsAtOnce() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let output = folder.appending("out"), compiler = try await slowCompiler(in: folder, ignoring: "INT TERM")
            let arguments = bench.arguments(output: output, cache: folder.appending("cache"))
            let ending = try await Program.run(arguments, environment: ["CC": compiler.string]) { process in
                try await wait("no compiler starts", while: process) {
                    WorkFiles.isReadableFile(folder.appending("started"))
                }
                process.send(SIGINT)
                try await Task.sleep(for: .milliseconds(1100))
                process.send(SIGINT)
            }
            #expect(ending.code == 130)
            #expect(try leftovers(in: output).isEmpty)
            try await nobodyWorks(in: folder)
        }
    }

    private func hasCome(_ moment: Moment, output: FilePath, cache: FilePath, folder: FilePath) throws -> Bool {
        func names(_ path: FilePath) -> [String] { (try? WorkFiles.names(in: path)) ?? [] }
        let logs = output.appending("logs")
        switch moment {
        case .atOnce: return true
        case .copying: return !names(cache.appending("trees")).isEmpty
        case .headers: return WorkFiles.isReadableFile(logs.appending("headers-original.log"))
        case .dryRun: return WorkFiles.isReadableFile(logs.appending("dry-run-original.log"))
        case .recording: return WorkFiles.isReadableFile(logs.appending("prepare-original.log"))
        case .compiling: return WorkFiles.isReadableFile(folder.appending("started"))
        case .linking: return WorkFiles.isFolder(logs.appending("patched")) && names(cache.appending("work")).isEmpty
        }
    }

    /// Polls until `condition` holds. Ends the process when it never does.
    private func wait(
        _ complaint: Comment, while process: Program.Process, until condition: () throws -> Bool
    ) async throws {
        let start = ContinuousClock.now
        while try !condition() {
            guard process.isRunning, ContinuousClock.now - start < .seconds(60) else {
                process.send(SIGKILL)
                Issue.record(complaint)
                return
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func addManyFiles(to tree: FilePath) throws {
        let folder = tree.appending("xen/include/many")
        try WorkFiles.makeFolder(folder)
        let text = [UInt8](repeating: 10, count: 5000)
        for number in 0..<3000 { try WorkFiles.write(text, to: folder.appending("\(number).h")) }
    }

    /// A compiler that takes a minute for the object of the change, and says when it starts.
    private func slowCompiler(in folder: FilePath, ignoring signals: String = "") async throws -> FilePath {
        let path = try write(
            """
            #!/bin/sh
            case "$*" in *sched.o*)
                \(signals.isEmpty ? "" : "trap '' \(signals)")
                : > '\(folder)/started'
                sleep 60
            esac
            exec gcc "$@"

            """, to: "slow-gcc", in: folder)
        try await run("chmod", ["+x", path.string])
        return path
    }

    /// No process that has to do with the folder is left. A killed one may need a moment.
    private func nobodyWorks(in folder: FilePath) async throws {
        var left: [String] = []
        for _ in 0..<30 {
            left = try await processes(of: folder)
            if left.isEmpty { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("still there: \(left)")
    }

    private func processes(of folder: FilePath) async throws -> [String] {
        var found: [String] = []
        for name in try WorkFiles.names(in: "/proc") where Int(name) != nil {
            guard let words = try? WorkFiles.read(FilePath("/proc/\(name)/cmdline")),
                let place = try? WorkFiles.linkTarget(FilePath("/proc/\(name)/cwd"))
            else { continue }
            let line = String(decoding: words, as: UTF8.self)
            if line.contains(folder.string) || place.hasPrefix(folder.string) { found.append("\(name) \(line)") }
        }
        return found
    }

    /// Work folders are gone, and so is every tree that was not finished.
    private func isTidy(_ cache: FilePath) throws {
        let work = cache.appending("work"), trees = cache.appending("trees")
        if WorkFiles.isFolder(work) { #expect(try WorkFiles.names(in: work).isEmpty) }
        guard WorkFiles.isFolder(trees) else { return }
        for name in try WorkFiles.names(in: trees) {
            #expect(WorkFiles.isReadableFile(trees.appending(name).appending("complete")), "\(name)")
        }
    }
}

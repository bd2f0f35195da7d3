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

/// The user's tree is only read: whatever becomes of a run.
@Suite struct UntouchedTreeTests {
    /// A tree in a git repository, built in place, with a change of the user's own and a file that git does not know.
    private func withRepository(_ body: (Bench, FilePath, FilePath) async throws -> Void) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let tree = try await bench.copyOfTree(to: folder.appending("tree"))
            func git(_ words: String...) async throws {
                try await run("git", ["-C", tree.string, "-c", "user.name=A", "-c", "user.email=a@example.org"] + words)
            }
            try await git("init", "-q")
            try await git("add", ".")
            try await git("commit", "-q", "-m", "a tree")
            _ = try write("mine\n", to: "mine.txt", in: tree)
            _ = try write("/* mine */\n", to: "own.h", in: tree.appending("xen/include"))
            try await body(bench, folder, tree)
        }
    }

    private func state(_ tree: FilePath) async throws -> [String: String] {
        // Git must not refresh its index only because it is asked.
        let words = ["GIT_OPTIONAL_LOCKS=0", "git", "-C", tree.string]
        var result = try IntegrationTests.state(of: tree)
        result["git status"] = try await run("env", words + ["status", "--porcelain"])
        result["git HEAD"] = try await run("env", words + ["rev-parse", "HEAD"])
        return result
    }

    @Test func byRunsThatEndWellOrBadly() async throws {
        try await withRepository { bench, folder, tree in
            let before = try await state(tree)
            let changes = ChangeCase.fixtures.appending("changes")
            let noCode = try write("no patch\n", to: "bad.patch", in: folder)
            let wrong = try write(
                """
                --- a/xen/common/sched.c
                +++ b/xen/common/sched.c
                @@ -1,2 +1,3 @@
                 #include <xen/cache.h>
                +#error broken
                 #include <xen/init.h>

                """, to: "broken.patch", in: folder)
            let runs: [(patch: FilePath, code: Int)] = [
                (Bench.change, 0), (changes.appending("B1-new-file/change.patch"), 0),
                (changes.appending("F15-comment/change.patch"), 3), (changes.appending("D5-size/change.patch"), 4),
                (wrong, 5), (changes.appending("B7-context/change.patch"), 7), (noCode, 7),
            ]
            for (number, (patch, code)) in runs.enumerated() {
                let output = folder.appending("out-\(number)")
                let ending = try await Program.run(bench.arguments(tree: tree, patches: [patch], output: output))
                #expect(ending.code == code, "\(patch): \(ending.error)")
                #expect(try await state(tree) == before, "\(patch)")
            }
        }
    }

    /// A tree that was built in place is not cleaned, and its objects are not taken.
    @Test func byARunOnABuiltTree() async throws {
        try await withRepository { bench, folder, tree in
            let make = ["-u", "MAKEFLAGS", "make", "-C", tree.appending("xen").string]
            try await run("env", make + ["defconfig"])
            try await run("env", make)
            let before = try await state(tree)
            let ending = try await Program.run(bench.arguments(tree: tree, output: folder.appending("out")))
            #expect(ending.code == 0, "\(ending.error)")
            #expect(try await state(tree) == before)
        }
    }

    @Test func byARunThatIsKilled() async throws {
        try await withRepository { bench, folder, tree in
            let before = try await state(tree)
            let reference = folder.appending("reference")
            let cache = folder.appending("cache-reference")
            let start = ContinuousClock.now
            let whole = try await Program.run(bench.arguments(tree: tree, output: reference, cache: cache))
            let duration = ContinuousClock.now - start
            try #require(whole.code == 0, "\(whole.error)")
            let payload = try WorkFiles.read(reference.appending("change.livepatch"))

            for number in 1...4 {
                let part = Double.random(in: 0.02...0.98)
                let moment: Comment = "killed after \(duration * part) of \(duration)"
                let arguments = bench.arguments(
                    tree: tree, output: folder.appending("out-\(number)"), cache: folder.appending("cache-\(number)"))
                let killed = try await Program.run(arguments) { process in
                    try await Task.sleep(for: duration * part)
                    process.send(SIGKILL)
                }
                #expect(try await state(tree) == before, moment)
                let output = folder.appending("out-\(number)")
                if killed.code != 0 {
                    #expect(killed.code == 128 + Int(SIGKILL), moment)
                    // Whole or not at all.
                    let left = try leftovers(in: output).filter { $0.hasSuffix(".livepatch") }
                    for name in left { #expect(try WorkFiles.read(output.appending(name)) == payload, moment) }
                }

                let next = try await Program.run(arguments + ["--force"])
                #expect(next.code == 0, "\(moment): \(next.error)")
                #expect(try WorkFiles.read(output.appending("change.livepatch")) == payload, moment)
                #expect(try leftovers(in: output) == ["change.livepatch"], moment)
                #expect(try await state(tree) == before, moment)
            }
        }
    }
}

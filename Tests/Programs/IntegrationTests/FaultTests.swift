import SystemPackage
import TestTools
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A machine that does not do what one expects of it: the right exit code, a word on the cause, no half file, the user's tree as it was.
@Suite struct FaultTests {
    /// A run in which something goes wrong.
    ///
    /// - Returns: how it ended; the tree and the output folder were looked at.
    private func fault(
        _ bench: Bench, _ folder: FilePath, tree: FilePath? = nil, cache: FilePath? = nil, environment: [String: String] = [:], script: String = "exec \"$@\""
    ) async throws -> Program.Ending {
        let output = folder.appending("out"), tree = tree ?? bench.tree
        let before = try state(of: tree)
        let ending = try await Program.run(
            script: script, bench.arguments(tree: tree, output: output, cache: cache ?? folder.appending("cache")) + ["--force"], environment: environment,
            in: folder)
        #expect(try state(of: tree) == before)
        if ending.code != 0 {
            #expect(try leftovers(in: output).filter { $0.hasSuffix(".livepatch") || $0.hasSuffix(".tmp") } == [])
            // 127: the system could not even load the program, and says so in its own words.
            let said = ending.code == 127 ? ending.error.contains("loading shared libraries") : !ending.errorLines.isEmpty || ending.code > 128
            #expect(said, "exit \(ending.code) without a word: \(ending.error)")
        }
        return ending
    }

    private func payload(_ folder: FilePath) throws -> [UInt8] { try WorkFiles.read(folder.appending("out/change.livepatch")) }

    /// What a run without faults makes.
    private func reference(_ bench: Bench, _ folder: FilePath) async throws -> [UInt8] {
        let output = folder.appending("reference")
        let ending = try await Program.run(bench.arguments(output: output))
        try #require(ending.code == 0, "\(ending.error)")
        return try WorkFiles.read(output.appending("change.livepatch"))
    }

    private func compiler(_ text: String, in folder: FilePath) throws -> FilePath {
        let path = try write("#!/bin/sh\n\(text)\nexec gcc \"$@\"\n", to: "my-gcc", in: folder)
        try #require(chmod(path.string, 0o755) == 0)
        return path
    }

    @Test(
        "a compiler that is killed while it compiles, or vanishes",
        arguments: [("kill -9 $$", "common/sched.c (original) does not compile"), ("rm -f \"$0\"; exec gcc \"$@\"", "my-gcc")])
    func losingTheCompiler(how: String, words: String) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let cc = try compiler("case \"$*\" in *sched.o*) \(how);; esac", in: folder)
            let ending = try await fault(bench, folder, environment: ["CC": cc.string])
            #expect(ending.code == 5, "\(ending.error)")
            #expect(ending.error.contains(words), "\(ending.error)")
        }
    }

    @Test("files from the future, in the tree and in the cache") func clockGoingBack() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let good = try await reference(bench, folder)
            let tree = try await bench.copyOfTree(to: folder.appending("tree"))
            func toTheFuture(_ path: FilePath) async throws {
                try await run("find", [path.string, "-exec", "touch", "-h", "-d", "2037-01-01", "{}", "+"])
            }
            try await toTheFuture(tree)
            #expect(try await fault(bench, folder, tree: tree).code == 0)
            #expect(try payload(folder) == good)
            try await toTheFuture(folder.appending("cache"))
            #expect(try await fault(bench, folder, tree: tree).code == 0)
            #expect(try payload(folder) == good)
        }
    }

    @Test("no home, and no other word on where the cache is to be") func noHome() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let arguments = [
                "-s", bench.tree.string, "-p", Bench.change.string, "-o", folder.appending("out").string, "--xen-syms", bench.xenSyms.string,
            ]
            for script in [
                "exec env -u HOME -u XDG_CACHE_HOME \"$@\"", "exec env -u XDG_CACHE_HOME HOME= \"$@\"", "exec env -u HOME XDG_CACHE_HOME=relative \"$@\"",
            ] {
                let ending = try await Program.run(script: script, arguments, environment: [:], in: folder)
                #expect(ending.code == 64, "\(script): \(ending.error)")
                #expect(ending.error.contains("--cache-dir"), "\(ending.error)")
            }
            // With one, a home is not needed.
            let ending = try await Program.run(
                script: "exec env -u HOME \"$@\"", arguments + ["--cache-dir", folder.appending("cache").string], environment: [:], in: folder)
            #expect(ending.code == 0, "\(ending.error)")
        }
    }

    @Test("a cache that can't be written") func readOnlyCache() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let device = folder.appending("device")
            try WorkFiles.makeFolder(device)
            let ending = try await Program.run(
                inOwnNamespace: "mount -t tmpfs -o ro tmpfs '\(device)' && exec \"$@\"",
                bench.arguments(output: folder.appending("out"), cache: device.appending("cache")))
            #expect(ending.code == 1, "\(ending.error)")
            #expect(ending.errorLines.count == 1 && ending.error.contains("Read-only file system") && ending.error.contains(device.string), "\(ending.error)")
            #expect(try leftovers(in: folder.appending("out")).isEmpty)
        }
    }

    @Test("blanks, quotes and other alphabets in every path") func oddPaths() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let good = try await reference(bench, folder)
            let odd = folder.appending("it's \"my\" дерево, 木の枝 $HOME")
            try WorkFiles.makeFolder(odd)
            let tree = try await bench.copyOfTree(to: odd.appending("исходник 'x'"))
            try await run("cp", [Bench.change.string, odd.appending("change.patch").string])
            try await run("cp", [bench.xenSyms.string, odd.appending("xen-syms `a` ü").string])
            let output = odd.appending("выход \"o\"")
            // The cache is where make works, which takes paths apart at blanks; letters it does not mind.
            let ending = try await Program.run(
                bench.arguments(
                    tree: tree, patches: [odd.appending("change.patch")], output: output, xenSyms: odd.appending("xen-syms `a` ü"),
                    cache: folder.appending("кэш")), in: odd)
            #expect(ending.code == 0, "\(ending.error)")
            #expect(try WorkFiles.read(output.appending("change.livepatch")) == good)
            let named = try await Program.run(
                bench.arguments(patches: [Bench.change], output: odd.appending("named")) + ["--name", "имя"], in: odd)
            #expect(named.code == 64 || named.code == 0, "\(named.error)")
        }
    }

    @Test("files that may not grow, in the program and in what it calls") func filesThatMayNotGrow() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let good = try await reference(bench, folder)
            var codes: Set<Int> = []
            for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128, 512, 100_000] {
                try WorkFiles.remove(folder.appending("out"))
                let ending = try await fault(
                    bench, folder, cache: folder.appending("cache-\(blocks)"), script: "trap '' XFSZ; ulimit -f \(blocks); exec \"$@\"")
                codes.insert(ending.code)
                switch ending.code {
                case 0: #expect(try payload(folder) == good, "\(blocks)")
                case 1: #expect(ending.error.contains("File too large"), "\(blocks): \(ending.error)")
                // Some other program could not write, and is named with what it said.
                default: #expect(ending.code == 5, "\(blocks): \(ending.code) \(ending.error)")
                }
            }
            #expect(codes.contains(0) && codes.contains(1), "\(codes)")
        }
    }

    /// Whether a call for such a file was made to fail.
    private func hasFailed(at file: Regex<Substring>, in trace: FilePath) throws -> Bool {
        try WorkFiles.readText(trace).split(separator: "\n").contains { $0.hasSuffix("(INJECTED)") && $0.contains(file) }
    }

    /// Each of these calls fails once, in the program and in each of the processes that it starts. Not `mmap`: without the memory that they ask
    /// for, the system's loader and the language's runtime die of themselves. Nor `write`, by which threads wake each other, too; nor
    /// `clone3`: the library that starts processes waits for ever for a thread of its own that could not be made.
    @Test(
        "system calls that fail once", .enabled(if: getenv("XSPLICE_TEST_ALL") != nil, "needs strace, and minutes; 'make test-all' has both"),
        arguments: [
            ("openat", "EACCES"), ("openat", "EIO"), ("openat", "EMFILE"), ("read", "EIO"),
            ("read", "EINTR"), ("fsync", "EIO"), ("rename", "EIO"), ("renameat2", "EXDEV"), ("mkdir", "ENOSPC"), ("link", "EPERM"), ("symlink", "EIO"),
            ("flock", "ENOLCK"), ("vfork", "ENOMEM"), ("pread64", "EIO"), ("getdents64", "EIO"), ("newfstatat", "EIO"), ("unlink", "EBUSY"),
        ])
    func failingCall(name: String, error: String) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let good = try await reference(bench, folder)
            var failed = 0
            for when in [1, 2, 5, 20, 60, 200, 700] {
                try WorkFiles.remove(folder.appending("out"))
                let trace = folder.appending("trace")
                let ending = try await fault(
                    bench, folder, cache: folder.appending("cache-\(when)"),
                    script: "exec strace -f -qq -o '\(trace)' -e trace=\(name) -e inject=\(name):error=\(error):when=\(when) \"$@\"")
                switch ending.code {
                // The program found another way, or the call was not made so often.
                case 0: #expect(try payload(folder) == good, "\(name) \(when)")
                // Before the program is there, its loader says so.
                case 127: failed += 1
                // Once a second libdispatch looks at its threads there, and stops the process when it can't.
                case 132 where try hasFailed(at: /"\/proc\/\d+\/stat"/, in: trace): failed += 1
                default:
                    failed += 1
                    #expect([1, 5, 6, 64].contains(ending.code), "\(name) \(when): \(ending.code) \(ending.error)")
                }
            }
            print("\(name) \(error): \(failed) of 7 runs failed")
        }
    }
}

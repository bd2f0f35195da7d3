import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XenBuild

#if canImport(Glibc)
import Glibc
#endif

@Suite struct CacheUseTests {
    /// A cache with what builds of these versions of one source left, in that order.
    private func fill(_ fake: FakeTree, _ numbers: ClosedRange<Int>) async throws {
        for number in numbers {
            let source = "#include <generated.h>\nint two(int a) { return a + generated + \(number); }\n"
            _ = try await buildObjectPairs(fake.request(["xen/common/two.c": source])) { _ in }
        }
    }

    @Test func statusTellsWhatThereIs() async throws {
        try await FakeTree.with { fake in
            #expect(try cacheUsage(of: fake.cache) == CacheUsage())
            #expect(!WorkFiles.isFolder(fake.cache))
            try await fill(fake, 1...2)
            let usage = try cacheUsage(of: fake.cache)
            #expect(usage.trees.count == 1 && usage.objects.count == 3 && usage.work.count == 0)
            let files = try ["trees", "objects"].map { try WorkFiles.size(of: fake.cache.appending($0)) }
            // Of trees, what completes them is not counted.
            #expect(usage.objects.size == files[1] && (usage.trees.size...usage.trees.size + 100).contains(files[0]))
        }
    }

    @Test func clearRemovesAllOfIt() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            #expect(try clearCache(fake.cache).objects.count == 2)
            #expect(try cacheUsage(of: fake.cache).size == 0)
            try await fill(fake, 1...1)
            #expect(try cacheUsage(of: fake.cache).objects.count == 2)
        }
    }

    @Test("somebody else's folder is refused, and nothing in it is touched") func foreignFolders() async throws {
        try await FakeTree.with { fake in
            let theirs = fake.folder.appending("theirs")
            try WorkFiles.makeFolder(theirs.appending("trees"))
            for name in ["trees/oak", "notes.txt", "users"] { try WorkFiles.write(Array("mine\n".utf8), to: theirs.appending(name)) }
            let status = try #require(throws: BuildError.self) { try cacheUsage(of: theirs) }
            let clear = try #require(throws: BuildError.self) { try clearCache(theirs) }
            let use = try await #require(throws: BuildError.self) { try await CacheUse.begin(theirs).end(limit: 0) }
            for error in [status, clear, use] {
                #expect(error.exitCode == .usage && error.message.contains("\(theirs): is not empty") && error.help?.contains("--cache-dir") == true)
            }
            #expect(try WorkFiles.names(in: theirs) == ["notes.txt", "trees", "users"])
            #expect(try WorkFiles.names(in: theirs.appending("trees")) == ["oak"])
        }
    }

    @Test(
        "names alone make no cache", arguments: [["work/mine/notes.txt"], ["trees/oak/leaf"], ["objects/ab/thesis.o"], ["locks/door"], ["users", "work/mine"]])
    func namesOfParts(files: [String]) throws {
        try withTemporaryFolder { folder in
            for file in files {
                let path = folder.pushing(FilePath(file))
                try WorkFiles.makeFolder(path.removingLastComponent())
                try WorkFiles.write([], to: path)
            }
            #expect(throws: BuildError.self) { try clearCache(folder) }
            for file in files { #expect(WorkFiles.exists(folder.pushing(FilePath(file)))) }
            // Nor does another program's tag.
            try WorkFiles.write(Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8), to: folder.appending("CACHEDIR.TAG"))
            #expect(throws: BuildError.self) { try clearCache(folder) }
        }
    }

    @Test("a cache of an earlier version, without a tag, is one") func untagged() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            try WorkFiles.remove(fake.cache.appending("CACHEDIR.TAG"))
            #expect(try cacheUsage(of: fake.cache).trees.count == 1)
            #expect(try clearCache(fake.cache).trees.count == 1)
            #expect(try WorkFiles.names(in: fake.cache) == ["users"])
        }
    }

    @Test("what others can write to is refused, each part of it too") func foreignHands() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            for part in ["", "trees", "objects", "work", "locks"] {
                let folder = part.isEmpty ? fake.cache : fake.cache.appending(part)
                try #require(chmod(folder.string, 0o777) == 0)
                let errors = [
                    try #require(throws: BuildError.self) { try cacheUsage(of: fake.cache) },
                    try #require(throws: BuildError.self) { try clearCache(fake.cache) },
                    try await #require(throws: BuildError.self) { try await CacheUse.begin(fake.cache).end(limit: nil) },
                ]
                for error in errors { #expect(error.exitCode == .usage && error.message.contains("can be written to by every user")) }
                try #require(chmod(folder.string, 0o700) == 0)
            }
            try await fill(fake, 1...1)
        }
    }

    @Test("nobody else may open it, whatever the umask is") func ownPermissions() async throws {
        try await FakeTree.with { fake in
            let before = umask(0)
            defer { umask(before) }
            try await CacheUse.begin(fake.cache).end(limit: nil)
            for folder in [fake.cache] + ["trees", "objects", "work", "locks"].map({ fake.cache.appending($0) }) {
                var status = stat()
                try #require(stat(folder.string, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o700, "\(folder)")
            }
        }
    }

    @Test("an entry in a folder that others can write to is made again") func foreignEntries() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            let objects = fake.cache.appending("objects"), before = try cacheUsage(of: fake.cache)
            for name in try WorkFiles.names(in: objects) {
                let folder = objects.appending(name)
                for file in try WorkFiles.names(in: folder) where file.hasSuffix(".o") {
                    let key = String(file.dropLast(2)), store = ObjectStore(root: objects)
                    #expect(store.find(key) != nil)
                    try #require(chmod(folder.string, 0o777) == 0)
                    #expect(store.find(key) == nil)
                }
                try #require(chmod(folder.string, 0o700) == 0)
            }
            for key in try WorkFiles.names(in: fake.cache.appending("trees")) {
                let place = TreePlace(folder: fake.cache.pushing("trees").appending(key))
                #expect(try await place.completed(jobs: 1) != nil)
                try #require(chmod(place.folder.string, 0o777) == 0)
                #expect(try await place.completed(jobs: 1) == nil)
                try #require(chmod(place.folder.string, 0o700) == 0)
            }
            #expect(before.trees.count == 1)
        }
    }

    @Test func emptyFoldersAndThoseOfTestDrivesAreTaken() async throws {
        try await FakeTree.with { fake in
            let folder = fake.folder.appending("empty")
            try WorkFiles.makeFolder(folder)
            #expect(try cacheUsage(of: folder) == CacheUsage())
            #expect(try clearCache(folder) == CacheUsage())
            #expect(try WorkFiles.names(in: folder).isEmpty)
            try WorkFiles.makeFolder(folder.appending("dom0"))
            #expect(try cacheUsage(of: folder) == CacheUsage())
            #expect(try WorkFiles.names(in: folder) == ["dom0"])
            try await CacheUse.begin(folder).end(limit: nil)
            // Once it is in use, whatever else comes into it is the user's own affair.
            try WorkFiles.write([], to: folder.appending("notes.txt"))
            #expect(try clearCache(folder) == CacheUsage())
            #expect(try WorkFiles.names(in: folder) == ["CACHEDIR.TAG", "dom0", "notes.txt", "users"])
        }
    }

    @Test func nothingIsRemovedWhileAnotherRunUsesIt() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            let use = try await CacheUse.begin(fake.cache)
            let error = try #require(throws: BuildError.self) { try clearCache(fake.cache) }
            #expect(error.message.contains("in use"))
            try await CacheUse.begin(fake.cache).end(limit: 0)
            #expect(try cacheUsage(of: fake.cache).objects.count == 2)
            // The last one does it.
            try use.end(limit: 0)
            #expect(try cacheUsage(of: fake.cache).size == 0)
        }
    }

    @Test func whatWasNotUsedForTheLongestTimeGoesFirst() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...4)
            let one = try cacheUsage(of: fake.cache).objects.size / 5
            // The first is used again; the second is now the oldest beside it.
            try await fill(fake, 1...1)
            let limit = try cacheUsage(of: fake.cache).size - 1
            try await CacheUse.begin(fake.cache).end(limit: limit)
            let left = try cacheUsage(of: fake.cache)
            #expect(left.trees.count == 1 && left.objects.count < 5 && left.size <= limit / 10 * 9 + one)
            let request = try fake.request(["xen/common/two.c": "#include <generated.h>\nint two(int a) { return a + generated + 1; }\n"])
            #expect(try await buildObjectPairs(request) { _ in }.compiled == 0)
        }
    }

    @Test("what a killed run left of an object goes with the oldest, and takes no other along") func leftovers() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...3)
            let objects = fake.cache.appending("objects"), size = try cacheUsage(of: fake.cache).size
            let key = String(repeating: "ab", count: 32), name = ".\(key).o.4711.tmp"
            let shard = objects.appending("ab")
            try WorkFiles.makeFolder(shard)
            try WorkFiles.write([UInt8](repeating: 0, count: 100_000), to: shard.appending(name))
            #expect(try cacheUsage(of: fake.cache).objects.count == 5)
            try await CacheUse.begin(fake.cache).end(limit: (size + 50_000) * 10 / 9)
            let left = try cacheUsage(of: fake.cache)
            #expect(left.objects.count == 4 && left.size == size)
            #expect(try !WorkFiles.names(in: shard).contains(name))
        }
    }

    @Test func withoutALimitNothingIsRemoved() async throws {
        try await FakeTree.with { fake in
            try await fill(fake, 1...1)
            try await CacheUse.begin(fake.cache).end(limit: nil)
            #expect(try cacheUsage(of: fake.cache).objects.count == 2)
        }
    }

    /// A compiler cache goes by what the preprocessor makes of a source, and there both sides say the same.
    @Test func aLauncherIsToldWhatTheAssemblerIncludes() async throws {
        try await FakeTree.with { fake in
            let two = "asm(\".include \\\"include/macros.h\\\"\\nset_it 5\");\nint two(int a) { return a; }\n"
            try fake.put("xen/common/two.c", two)
            try fake.put("xen/include/macros.h", ".macro set_it to\n.set value, \\to\n.endm\n")
            let launcher = fake.folder.appending("launcher"), log = fake.folder.appending("launched")
            let script = "#!/bin/sh\necho \"$SCCACHE_C_CUSTOM_CACHE_BUSTER $(cat \"$CCACHE_EXTRAFILES\") $CCACHE_PATH\" >> \(log)\nexec \"$@\"\n"
            try WorkFiles.write(Array(script.utf8), to: launcher, executable: true)
            var request = try fake.request(["xen/include/macros.h": ".macro set_it to\n.set value, \\to + 1\n.endm\n"])
            request.environment["CCACHE_PATH"] = "/elsewhere"
            request.launcher = [launcher.string]
            let outcome = try await buildObjectPairs(request) { _ in }
            #expect(outcome.pairs.map(\.name) == ["common/two.o"])
            let lines = try WorkFiles.readText(log).split(separator: "\n").map { $0.split(separator: " ") }
            #expect(lines.count == 2 && lines.allSatisfy { $0.count == 2 && $0[0] == $0[1] } && lines.first != lines.last)
        }
    }

    @Test func aLauncherGetsEachCompilersCommandLine() async throws {
        try await FakeTree.with { fake in
            let launcher = fake.folder.appending("launcher"), log = fake.folder.appending("launched")
            try WorkFiles.write(Array("#!/bin/sh\necho \"$@\" >> \(log)\nshift\nexec \"$@\"\n".utf8), to: launcher, executable: true)
            var request = try fake.request(["xen/common/two.c": "int two(int a) { return a; }\n"])
            request.launcher = [launcher.string, "first"]
            #expect(try await buildObjectPairs(request) { _ in }.compiled == 2)
            let lines = try WorkFiles.readText(log).split(separator: "\n")
            #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("first gcc ") && $0.contains("common/two.c") })

            request.launcher = ["no-such-launcher"]
            let error = try await #require(throws: BuildError.self) { try await buildObjectPairs(request) { _ in } }
            #expect(error.message == "no compiler launcher: 'no-such-launcher' is not in PATH" && error.exitCode == .usage)
        }
    }
}

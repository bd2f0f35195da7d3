import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("the cache has whole items only")
struct FolderCacheTests {
    private struct Interrupted: Error {}

    private func write(_ text: String, in folder: FilePath) throws {
        try WorkFiles.write(Array(text.utf8), to: folder.appending("content"))
    }

    private func content(_ folder: FilePath) throws -> String {
        try WorkFiles.readText(folder.appending("content"))
    }

    @Test("an item is made once, and made anew after another recipe")
    func recipes() async throws {
        try await withTemporaryFolder { temporary in
            let cache = FolderCache(root: temporary)
            let first = try await cache.folder("a/item", recipe: "one") { try write("first", in: $0) }
            let again = try await cache.folder("a/item", recipe: "one") { try write("again", in: $0) }
            #expect(try first == again && content(again) == "first")
            let other = try await cache.folder("a/item", recipe: "two") { try write("other", in: $0) }
            #expect(try content(other) == "other")
        }
    }

    @Test("the cache of the program is where nobody else can reach it") func programCaches() throws {
        try withTemporaryFolder { temporary in
            let root = temporary.appending("cache"), here = try #require(WorkFiles.resolved(temporary)).appending("cache")
            let cache = FolderCache(root: root)
            #expect(try cache.programCache("kept") == here.appending("kept"))
            try #require(chmod(temporary.string, 0o777) == 0)
            #expect(try cache.programCache("kept").string.hasPrefix("/tmp/xsplice-rig-"))
            try #require(chmod(temporary.string, 0o700) == 0)
        }
    }

    @Test("an item that was begun and not finished is made anew, from nothing")
    func interrupted() async throws {
        try await withTemporaryFolder { temporary in
            let cache = FolderCache(root: temporary)
            await #expect(throws: Interrupted.self) {
                try await cache.folder("item") {
                    try write("half", in: $0)
                    throw Interrupted()
                }
            }
            let whole = try await cache.folder("item") { folder in
                #expect(throws: WorkFileError.self) { try content(folder) }
                try write("whole", in: folder)
            }
            #expect(try content(whole) == "whole")
        }
    }

    @Test("an item whose folder somebody removed is made anew")
    func removed() async throws {
        try await withTemporaryFolder { temporary in
            let cache = FolderCache(root: temporary)
            try WorkFiles.remove(try await cache.folder("item") { try write("first", in: $0) })
            let again = try await cache.folder("item") { try write("again", in: $0) }
            #expect(try content(again) == "again")
        }
    }

    @Test("two who want the same item at the same time get the same one")
    func concurrent() async throws {
        try await withTemporaryFolder { temporary in
            let cache = FolderCache(root: temporary)
            let made = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let folder = try await cache.folder("item") { folder in
                            try await Task.sleep(for: .milliseconds(50))
                            try write("\(number)", in: folder)
                        }
                        return try content(folder)
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(made.count == 1)
        }
    }
}

import SystemPackage
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#endif

/// A folder that lives as long as `body` runs.
func withTemporaryFolder<R>(_ body: (FilePath) async throws -> R) async throws -> R {
    var name = Array("/tmp/xsplice tests XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&name))
    let folder = FilePath(String(cString: made))
    do {
        let result = try await body(folder)
        try WorkFiles.remove(folder)
        return result
    } catch {
        try? WorkFiles.remove(folder)
        throw error
    }
}

@Suite struct FoldersTests {
    @Test func severalWritersOfOneFile() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("file")
            for _ in 0..<50 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 { group.addTask { try WorkFiles.writeAtomically([UInt8](repeating: UInt8(number), count: 5000), to: path) } }
                    try await group.waitForAll()
                }
                #expect(Set(try WorkFiles.read(path)).count == 1)
            }
            #expect(try WorkFiles.names(in: folder) == ["file"])
        }
    }

    @Test func makesListsAndRemovesFolders() async throws {
        try await withTemporaryFolder { folder in
            let deep = folder.appending("a/b c/d")
            try WorkFiles.makeFolder(deep)
            try WorkFiles.makeFolder(deep)
            try WorkFiles.write(Array("x".utf8), to: deep.appending("file"), executable: true)
            try WorkFiles.makeLink(at: folder.appending("link"), to: deep.string)
            #expect(try WorkFiles.names(in: folder) == ["a", "link"])
            #expect(try WorkFiles.kind(of: deep.appending("file")) == .regular(size: 1, executable: true))
            #expect(try WorkFiles.kind(of: folder.appending("link")) == .symbolicLink)
            #expect(try WorkFiles.kind(of: folder.appending("nothing")) == nil)
            var seen: [String] = []
            try WorkFiles.walk(folder) { path, _ in
                seen.append(path)
                return path != "a/b c"
            }
            #expect(seen == ["a", "a/b c", "link"])
            // A link is removed, and not what it leads to.
            try WorkFiles.remove(folder.appending("link"))
            #expect(WorkFiles.isReadableFile(deep.appending("file")))
            try WorkFiles.remove(folder.appending("a"))
            #expect(try WorkFiles.names(in: folder).isEmpty)
        }
    }

    @Test func readsFilesOfAnySize() async throws {
        try await withTemporaryFolder { folder in
            for size in [0, 1, 65_536, 200_001] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                try WorkFiles.write(bytes, to: folder.appending("f"))
                #expect(try WorkFiles.read(folder.appending("f")) == bytes)
                #expect(try WorkFiles.read(folder, "f") == bytes)
            }
        }
    }

    @Test func missingFileIsNamed() {
        #expect(throws: WorkFileError("cannot read", "/nonexistent/file", .noSuchFileOrDirectory)) {
            try WorkFiles.read("/nonexistent/file")
        }
        #expect(throws: WorkFileError("cannot read", "/nonexistent/file", .noSuchFileOrDirectory)) {
            try WorkFiles.read("/nonexistent", "file")
        }
    }

    @Test func linkedCopyIsIndependentWhenFilesAreReplaced() async throws {
        try await withTemporaryFolder { folder in
            let from = folder.appending("from"), to = folder.appending("to")
            try WorkFiles.makeFolder(from.appending("sub"))
            try WorkFiles.write(Array("old".utf8), to: from.appending("sub/f"))
            try WorkFiles.write(Array("o".utf8), to: from.appending("skipped.o"))
            try WorkFiles.makeLink(at: from.appending("inside"), to: from.appending("sub/f").string)
            try WorkFiles.makeLink(at: from.appending("relative"), to: "sub/f")
            try WorkFiles.linkFolder(from, to: to) { $0.hasSuffix(".o") }
            #expect(try WorkFiles.names(in: to) == ["inside", "relative", "sub"])
            #expect(try WorkFiles.linkTarget(to.appending("inside")) == to.appending("sub/f").string)
            #expect(try WorkFiles.linkTarget(to.appending("relative")) == "sub/f")
            try WorkFiles.remove(to.appending("sub/f"))
            try WorkFiles.write(Array("new".utf8), to: to.appending("sub/f"))
            #expect(try WorkFiles.read(from.appending("sub/f")) == Array("old".utf8))
            #expect(try WorkFiles.read(to.appending("inside")) == Array("new".utf8))
        }
    }

    @Test func lockHasOneHolder() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("lock")
            var first = try FileLock.tryAcquire(path)
            #expect(first != nil)
            #expect(try FileLock.tryAcquire(path) == nil)
            first = nil
            #expect(try FileLock.tryAcquire(path) != nil)
            _ = first
        }
    }

    @Test func sharedLocksKeepOutExclusiveOnesOnly() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending("lock")
            let first = try #require(try FileLock.tryAcquire(path, .shared))
            var second = try FileLock.tryAcquire(path, .shared)
            #expect(second != nil)
            #expect(try FileLock.tryAcquire(path) == nil)
            second = nil
            #expect(try FileLock.tryAcquire(path) == nil)
            withExtendedLifetime(first) {}
            _ = second
        }
    }
}

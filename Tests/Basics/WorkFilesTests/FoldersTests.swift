import SystemPackage
import TestTools
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite struct FoldersTests {
    @Test func severalWritersOfOneFile() async throws {
        try await withTemporaryFolder(named: "xsplice tests") { folder in
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

    @Test func makesListsAndRemovesFolders() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
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

    @Test("what has no end, or is too large, is refused") func filesThatAreNotRead() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let pipe = folder.appending("pipe"), large = folder.appending("large")
            try #require(mkfifo(pipe.string, 0o600) == 0)
            let error = #expect(throws: WorkFileError("cannot read", pipe, .invalidArgument)) { try WorkFiles.read(pipe) }
            #expect(error?.message == "cannot read \(pipe): is not a regular file")
            try WorkFiles.write([1, 2, 3], to: large)
            #expect(try WorkFiles.read(large, limit: 3) == [1, 2, 3])
            #expect(throws: WorkFileError("cannot read", large, .fileTooLarge)) { try WorkFiles.read(large, limit: 2) }
            #expect(try WorkFiles.readStart(large, count: 2) == [1, 2] && WorkFiles.readStart(large, count: 9) == [1, 2, 3])
            try #require(truncate(large.string, 5 << 30) == 0)
            #expect(throws: WorkFileError("cannot read", large, .fileTooLarge)) { try WorkFiles.read(large) }
        }
    }

    @Test("a link in a file's place is replaced, never written through") func linksAreReplaced() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let victim = folder.appending("victim"), link = folder.appending("link")
            for write in [{ try WorkFiles.write([2], to: $0) }, { try WorkFiles.writeAnew([2], to: $0) }] as [(FilePath) throws -> Void] {
                try WorkFiles.write([1], to: victim)
                try WorkFiles.makeLink(at: link, to: "victim")
                try write(link)
                #expect(try WorkFiles.read(victim) == [1] && WorkFiles.read(link) == [2])
                try WorkFiles.remove(link)
            }
        }
    }

    @Test func readsFilesOfAnySize() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            for size in [0, 1, 65_536, 200_001] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                try WorkFiles.write(bytes, to: folder.appending("f"))
                #expect(try WorkFiles.read(folder.appending("f")) == bytes)
                #expect(try WorkFiles.read(folder, "f") == bytes)
            }
        }
    }

    @Test func textIsReadEvenIfSomeOfItIsNone() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            try WorkFiles.write(Array("ab".utf8) + [0xff] + Array("ü\n".utf8), to: folder.appending("f"))
            #expect(try WorkFiles.readText(folder.appending("f")) == "ab\u{fffd}ü\n")
            #expect(throws: WorkFileError("cannot read", folder, .isDirectory)) { try WorkFiles.readText(folder) }
        }
    }

    @Test("files that say another size than they have, and a limit") func sizesThatAreWrong() throws {
        #expect(try WorkFiles.read("/proc/self/status").starts(with: Array("Name:".utf8)))
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let path = folder.appending("f"), bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            try WorkFiles.write(bytes, to: path)
            func read(limit: Int = .max, expecting size: Int) throws -> [UInt8] {
                let descriptor = try FileDescriptor.open(path, .readOnly)
                return try descriptor.closeAfter { try WorkFiles.readAll(descriptor, limit: limit, expecting: size) }
            }
            for size in [-1, 0, 5000, 99_999, 100_000, 1_000_000, .max] { #expect(try read(expecting: size) == bytes) }
            // It may be more than the limit, so that whoever asks sees that there is more.
            let part = try read(limit: 5000, expecting: 0)
            #expect(part.count > 5000 && part.count < 100_000 && part == Array(bytes.prefix(part.count)))
            #expect(try read(limit: 100_000, expecting: 0) == bytes)
        }
    }

    @Test func onlyRegularFilesWhereThatIsAsked() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            try WorkFiles.write([1, 2], to: folder.appending("f"))
            try WorkFiles.makeLink(at: folder.appending("link"), to: "f")
            #expect(try WorkFiles.read(folder.appending("link")) == [1, 2])
            #expect(throws: WorkFileError("cannot read", folder, .isDirectory)) { try WorkFiles.read(folder) }
            #expect(throws: WorkFileError("cannot read", "/dev/zero", .invalidArgument)) { try WorkFiles.read("/dev/zero") }
            #expect(throws: WorkFileError("cannot read", folder.appending("g"), .noSuchFileOrDirectory)) { try WorkFiles.read(folder.appending("g")) }
        }
    }

    @Test func whatIsThere() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            try WorkFiles.write([], to: folder.appending("f"))
            try WorkFiles.makeLink(at: folder.appending("good"), to: "f")
            try WorkFiles.makeLink(at: folder.appending("bad"), to: "nothing")
            #expect(WorkFiles.exists(folder) && WorkFiles.exists(folder.appending("f")) && WorkFiles.exists(folder.appending("good")))
            #expect(!WorkFiles.exists(folder.appending("bad")) && !WorkFiles.exists(folder.appending("f/g")))
            #expect(throws: Never.self) { try WorkFiles.checkWritable(folder) }
            #expect(throws: WorkFileError("cannot write to", folder.appending("g"), .noSuchFileOrDirectory)) {
                try WorkFiles.checkWritable(folder.appending("g"))
            }
        }
        // A file system without writing shows to root what permissions can't.
        #expect(throws: WorkFileError.self) { try WorkFiles.makeFolder("/proc/xsplice") }
    }

    @Test func foldersThatCannotBeMadeAreNamed() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let file = folder.appending("f")
            try WorkFiles.write([], to: file)
            #expect(throws: WorkFileError("cannot make the folder", file, .fileExists)) { try WorkFiles.makeFolder(file) }
            #expect(throws: WorkFileError("cannot make the folder", file.appending("a"), .notDirectory)) { try WorkFiles.makeFolder(file.appending("a")) }
            try WorkFiles.makeFolder(folder.appending("a/../b/./c"))
            #expect(try WorkFiles.names(in: folder) == ["a", "b", "f"])
        }
    }

    @Test func foldersHaveThePermissionsThatAreAskedFor() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let mask = umask(0o002)
            defer { umask(mask) }
            try WorkFiles.makeFolder(folder.appending("a/b"), permissions: FilePermissions(rawValue: 0o777))
            try WorkFiles.makeFolder(folder.appending("c"))
            for (name, mode) in [("a", 0o775), ("a/b", 0o775), ("c", 0o755)] as [(String, mode_t)] {
                var status = stat()
                #expect(stat(folder.appending(name).string, &status) == 0 && status.st_mode & 0o777 == mode, "\(name)")
            }
        }
    }

    @Test func filesAndEmptyFoldersAreRemovedOnlyAsWhatTheyAre() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let file = folder.appending("sub/f"), sub = folder.appending("sub")
            try WorkFiles.makeFolder(sub)
            try WorkFiles.write([], to: file)
            #expect(throws: WorkFileError("cannot remove", sub, .isDirectory)) { try WorkFiles.removeFile(sub) }
            #expect(throws: WorkFileError("cannot remove", sub, .directoryNotEmpty)) { try WorkFiles.removeEmptyFolder(sub) }
            #expect(throws: WorkFileError("cannot remove", file, .notDirectory)) { try WorkFiles.removeEmptyFolder(file) }
            // The second time there is nothing to remove.
            for _ in 1...2 { try WorkFiles.removeFile(file) }
            for _ in 1...2 { try WorkFiles.removeEmptyFolder(sub) }
            #expect(try WorkFiles.names(in: folder).isEmpty)
        }
    }

    @Test func temporaryFoldersAreNew() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let one = try WorkFiles.makeTemporaryFolder(named: "a b", in: folder), two = try WorkFiles.makeTemporaryFolder(named: "a b", in: folder)
            #expect(one != two && WorkFiles.isFolder(one) && WorkFiles.isFolder(two))
            #expect(one.lastComponent?.string.hasPrefix("a b-") == true && one.removingLastComponent() == folder)
        }
        #expect(throws: WorkFileError("cannot make a folder in", "/nonexistent", .noSuchFileOrDirectory)) {
            try WorkFiles.makeTemporaryFolder(named: "a", in: "/nonexistent")
        }
    }

    @Test func pathsFromTheRootOn() throws {
        #expect(WorkFiles.absolute("/a/./b/../c") == "/a/c")
        let here = try #require(WorkFiles.resolved("." as FilePath))
        #expect(WorkFiles.resolved(WorkFiles.absolute(".")) == here && WorkFiles.absolute("a/../b").lastComponent?.string == "b")
        #expect(WorkFiles.absolute("nothing").isAbsolute)
    }

    @Test func missingFileIsNamed() {
        #expect(throws: WorkFileError("cannot read", "/nonexistent/file", .noSuchFileOrDirectory)) {
            try WorkFiles.read("/nonexistent/file")
        }
        #expect(throws: WorkFileError("cannot read", "/nonexistent/file", .noSuchFileOrDirectory)) {
            try WorkFiles.read("/nonexistent", "file")
        }
    }

    @Test func linkedCopyIsIndependentWhenFilesAreReplaced() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
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

    @Test func lockHasOneHolder() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
            let path = folder.appending("lock")
            var first = try FileLock.tryAcquire(path)
            #expect(first != nil)
            #expect(try FileLock.tryAcquire(path) == nil)
            first = nil
            #expect(try FileLock.tryAcquire(path) != nil)
            _ = first
        }
    }

    @Test func sharedLocksKeepOutExclusiveOnesOnly() throws {
        try withTemporaryFolder(named: "xsplice tests") { folder in
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

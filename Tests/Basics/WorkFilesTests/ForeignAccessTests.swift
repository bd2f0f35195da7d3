import SystemPackage
import TestTools
import Testing

@testable import WorkFiles

#if canImport(Glibc)
import Glibc
#endif

@Suite struct ForeignAccessTests {
    let folder: TemporaryFolder
    private var path: FilePath { folder.path.appending("kept") }

    init() throws {
        folder = try TemporaryFolder()
        try WorkFiles.makeFolder(path)
    }

    private func set(_ mode: mode_t) throws { try #require(chmod(path.string, mode) == 0) }

    @Test func ourOwnIsNobodyElses() throws {
        for mode: mode_t in [0o700, 0o755, 0o750] {
            try set(mode)
            #expect(try WorkFiles.foreignAccess(to: path) == nil && WorkFiles.isOursAlone(path))
        }
        #expect(try WorkFiles.foreignAccess(to: "/") == nil)
    }

    @Test func whatEverybodyCanWriteIsNot() throws {
        for mode: mode_t in [0o777, 0o702, 0o1777] {
            try set(mode)
            #expect(try WorkFiles.foreignAccess(to: path) == .everybody && !WorkFiles.isOursAlone(path))
        }
    }

    @Test("In a sticky folder others can't rename ours") func stickyFolders() throws {
        try set(0o1777)
        let inner = path.appending("inner")
        try WorkFiles.makeFolder(inner)
        let above = try WorkFiles.foreignAccessAbove(inner)
        #expect(above?.folder != path)
        try set(0o777)
        let open = try WorkFiles.foreignAccessAbove(inner)
        #expect(open?.folder == path && open?.access == .everybody)
    }

    @Test func aMissingFolderIsAnError() {
        #expect(throws: WorkFileError.self) { try WorkFiles.foreignAccess(to: path.appending("none")) }
        #expect(!WorkFiles.isOursAlone(path.appending("none")))
    }

    /// Only root can give a folder away.
    @Test(.enabled(if: geteuid() == 0)) func otherOwnersAndGroups() throws {
        try set(0o700)
        try #require(chown(path.string, 1, gid_t.max) == 0)
        #expect(try WorkFiles.foreignAccess(to: path) == .owner("daemon"))
        try #require(chown(path.string, 0, 1) == 0)
        #expect(try WorkFiles.foreignAccess(to: path) == nil)
        try set(0o770)
        #expect(try WorkFiles.foreignAccess(to: path) == .group("daemon"))
        try #require(chown(path.string, 0, 0) == 0)
        #expect(try WorkFiles.foreignAccess(to: path) == nil)
    }
}

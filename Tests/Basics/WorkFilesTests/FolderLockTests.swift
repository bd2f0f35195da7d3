import SystemPackage
import TestTools
import Testing

@testable import WorkFiles

@Suite struct FolderLockTests {
    private func isTaken(_ lock: FolderLock) -> Bool {
        if case .taken = lock { true } else { false }
    }

    @Test func oneHasIt() throws {
        let folder = try TemporaryFolder()
        let first = try FolderLock.tryAcquire(folder.path)
        #expect(isTaken(first))
        guard case .busy = try FolderLock.tryAcquire(folder.path) else {
            Issue.record("two have it")
            return
        }
        withExtendedLifetime(first) {}
    }

    @Test func itIsFreeAgainAfterwards() throws {
        let folder = try TemporaryFolder()
        do { #expect(isTaken(try FolderLock.tryAcquire(folder.path))) }
        #expect(isTaken(try FolderLock.tryAcquire(folder.path)))
        #expect(folder.names().isEmpty)
    }

    @Test func aFileIsNoFolder() throws {
        let folder = try TemporaryFolder(), file = folder.path.appending("file")
        try WorkFiles.write([], to: file)
        #expect(throws: WorkFileError.self) { try FolderLock.tryAcquire(file) }
    }
}

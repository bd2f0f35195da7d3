import Dispatch
import Synchronization
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import SourcePatch

#if canImport(Glibc)
import Glibc
#endif

@Suite struct PatchFileTests {
    private let patch = Array("--- a/xen/a.c\n+++ b/xen/a.c\n@@ -1 +1 @@\n-a\n+b\n".utf8)

    @Test func standardInputIsRead() throws {
        // A pipe holds that much without a reader.
        let (reading, writing) = try FileDescriptor.pipe()
        try writing.writeAll(patch)
        try writing.close()
        #expect(try readPatches(["-"], standardInput: reading) == [PatchFile(path: "-", bytes: patch)])
        try reading.close()
    }

    @Test func itsErrorsSayStandardInput() throws {
        let error = #expect(throws: PatchError.self) { try applyPatches([PatchFile(path: "-", bytes: Array("nothing\n".utf8))], to: "/nowhere") }
        #expect(error?.message.hasPrefix("standard input has no changes") == true)
    }

    @Test("A named pipe is read when its writer comes, and given up when the run is cancelled") func namedPipes() async throws {
        let folder = try TemporaryFolder(), path = folder.path.appending("pipe")
        try #require(mkfifo(path.string, 0o600) == 0)
        // The reader keeps its thread, so nothing that it waits for may need a thread of this process's pool.
        try WorkFiles.write(patch, to: folder.path.appending("patch"))
        try await run("sh", ["-c", "(sleep 0.3; cat '\(folder.path)/patch' >'\(path)') >/dev/null 2>&1 &"])
        #expect(try readPatches([path]) == [PatchFile(path: path, bytes: patch)])

        // Both moments are taken where they happen, and the first one only once the reader runs: it waits for its turn among the other tests.
        let cancelled = Mutex(ContinuousClock.now), ended = Mutex(ContinuousClock.now)
        let runs = DispatchSemaphore(value: 0)
        let waiting = Task.detached {
            runs.signal()
            defer { ended.withLock { $0 = .now } }
            return try readPatches([path])
        }
        DispatchQueue.global().async {
            runs.wait()
            usleep(200_000)
            cancelled.withLock { $0 = .now }
            waiting.cancel()
        }
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(ended.withLock { $0 } - cancelled.withLock { $0 } < .seconds(5))
    }
}

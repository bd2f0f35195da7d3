import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An exclusive lock between processes, held while the value lives. The kernel drops it when the process dies.
public final class FileLock: Sendable {
    private let descriptor: FileDescriptor
    public let path: FilePath

    private init(descriptor: FileDescriptor, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { try? descriptor.close() }

    /// Takes the lock at once, or gives nil when another holder has it. The file is made when missing.
    public static func tryAcquire(_ path: FilePath) throws(WorkFileError) -> FileLock? {
        try WorkFiles.attempt("cannot lock", path) {
            let descriptor = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
            if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { return FileLock(descriptor: descriptor, path: path) }
            let reason = WorkFiles.lastError
            try descriptor.close()
            if reason == .wouldBlock { return nil }
            throw reason
        }
    }

    /// Waits for the lock, and stops waiting when the task is cancelled.
    /// - Parameter waiting: called once when another process has it.
    public static func acquire(_ path: FilePath, waiting: @Sendable () -> Void) async throws -> FileLock {
        var told = false
        while true {
            if let lock = try tryAcquire(path) { return lock }
            if !told { waiting() }
            told = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A lock on a file between processes, held while the value lives. The kernel drops it when the process dies.
package final class FileLock: Sendable {
    /// Whether others may hold the lock at the same time.
    package enum Mode: Sendable {
        case exclusive
        /// Together with others that share it.
        case shared
    }

    private let descriptor: FileDescriptor
    package let path: FilePath

    init(descriptor: FileDescriptor, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        // A child that is just being started also holds the descriptor, until it becomes another program. So closing alone is not enough.
        flock(descriptor.rawValue, LOCK_UN)
        try? descriptor.close()
    }

    /// Takes the lock at once, or returns nil when another holder has it. Creates the file if it is missing.
    package static func tryAcquire(_ path: FilePath, _ mode: Mode = .exclusive) throws(WorkFileError) -> FileLock? {
        try WorkFiles.attempt("cannot lock", path) {
            let descriptor = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
            if flock(descriptor.rawValue, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 { return FileLock(descriptor: descriptor, path: path) }
            let reason = WorkFiles.lastError
            try descriptor.close()
            if reason == .wouldBlock { return nil }
            throw reason
        }
    }

    /// Waits for the lock, and stops waiting when the task is cancelled.
    /// - Parameter waiting: called once when another process has it.
    package static func acquire(_ path: FilePath, _ mode: Mode = .exclusive, waiting: @Sendable () -> Void = {}) async throws -> FileLock {
        var saidSo = false
        while true {
            if let lock = try tryAcquire(path, mode) { return lock }
            if !saidSo { waiting() }
            saidSo = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

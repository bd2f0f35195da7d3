import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The answer to the wish to have a folder alone.
package enum FolderLock: Sendable {
    /// The folder is this process's for as long as the lock lives.
    case taken(FileLock)
    /// Another process has it.
    case busy
    /// The file system can't lock folders: NFS, for example.
    case notPossible(Errno)

    /// Locks a folder itself, so that no file in it is needed. A process that dies loses its lock.
    ///
    /// - Throws: `WorkFileError` when the folder can't be opened.
    package static func tryAcquire(_ folder: FilePath) throws(WorkFileError) -> FolderLock {
        while true {
            let descriptor = try WorkFiles.attempt("cannot open", folder) {
                try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
            }
            guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                let reason = WorkFiles.lastError
                try? descriptor.close()
                return reason == .wouldBlock ? .busy : .notPossible(reason)
            }
            let lock = FileLock(descriptor: descriptor, path: folder)
            // Its last owner may have removed the folder after it was opened here, and somebody may have made another.
            if isSame(descriptor, folder) { return .taken(lock) }
        }
    }

    /// Whether an open folder is still the one of that name.
    private static func isSame(_ descriptor: FileDescriptor, _ folder: FilePath) -> Bool {
        var open = stat(), named = stat()
        guard fstat(descriptor.rawValue, &open) == 0, stat(folder.string, &named) == 0 else { return false }
        return open.st_dev == named.st_dev && open.st_ino == named.st_ino
    }
}

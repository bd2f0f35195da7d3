import Diagnostics
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file system operation that failed: which, on what, and the system's reason.
package struct WorkFileError: ExplainedError, Equatable {
    package var operation: String
    package var path: FilePath
    package var errno: Errno

    package init(_ operation: String, _ path: FilePath, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    package var message: String { "\(operation) \(path): \(errno.description)" }
    package var exitCode: ExitStatus { .internalFault }
    package var help: String? {
        errno == .noSpace ? "free some space on that device; nothing was left there" : nil
    }
}

/// Reading and writing whole files so that a reader never sees half of one.
package enum WorkFiles {
    /// Writes to a temporary name in the same folder, flushes to the device, and renames.
    ///
    /// After an error, an interruption or a power cut, `path` is what it was before. Of several writers at a time the last one wins.
    package static func writeAtomically(_ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = [
        .ownerReadWrite, .groupRead, .otherRead,
    ]) throws(WorkFileError) {
        let temporary = path.removingLastComponent()
            .appending(".\(path.lastComponent?.string ?? "file").\(UInt32.random(in: 1...UInt32.max)).tmp")
        do {
            try attempt("cannot write", path) {
                let descriptor = try FileDescriptor.open(
                    temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
                do {
                    try descriptor.writeAll(bytes)
                    guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: Glibc.errno) }
                } catch {
                    try? descriptor.close()
                    throw error
                }
                try descriptor.close()
                guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: Glibc.errno) }
            }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }

    /// The whole file.
    package static func read(_ path: FilePath) throws(WorkFileError) -> [UInt8] {
        try attempt("cannot read", path) {
            let descriptor = try FileDescriptor.open(path, .readOnly)
            return try descriptor.closeAfter { try readAll(descriptor) }
        }
    }

    /// The whole file, which must be a regular one: devices and pipes may have no end, or never begin.
    ///
    /// - Throws: `WorkFileError`; for a folder with `.isDirectory`, for what is no file either with `.invalidArgument`.
    package static func readRegular(_ path: FilePath) throws(WorkFileError) -> [UInt8] {
        try attempt("cannot read", path) {
            // So that a pipe without a writer is not waited for; to a regular file it means nothing.
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            return try descriptor.closeAfter {
                var status = stat()
                guard fstat(descriptor.rawValue, &status) == 0 else { throw lastError }
                switch status.st_mode & S_IFMT {
                case S_IFREG: return try readAll(descriptor)
                case S_IFDIR: throw Errno.isDirectory
                default: throw Errno.invalidArgument
                }
            }
        }
    }

    /// What there is to read, up to the end.
    ///
    /// - Parameter limit: in bytes; reading ends when there were more.
    /// - Throws: `Errno`.
    package static func readAll(_ descriptor: FileDescriptor, limit: Int = .max) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            if bytes.count > limit { return bytes }
        }
    }

    /// Runs `body`; an `Errno` that it throws is told with the operation and the path.
    static func attempt<R>(_ operation: String, _ path: FilePath, _ body: () throws -> R) throws(WorkFileError) -> R {
        do {
            return try body()
        } catch let errno as Errno {
            throw WorkFileError(operation, path, errno)
        } catch {
            throw WorkFileError(operation, path, .ioError)
        }
    }
}

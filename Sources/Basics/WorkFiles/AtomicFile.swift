import Diagnostics
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file system operation that failed: the operation, the path, and the system's reason.
package struct WorkFileError: ExplainedError, Equatable {
    package var operation: String
    package var path: FilePath
    package var errno: Errno

    package init(_ operation: String, _ path: FilePath, _ errno: Errno) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    package var message: String {
        // A reader refuses what is no regular file with this number, whose own text would say nothing.
        "\(operation) \(path): \(operation == WorkFiles.reading && errno == .invalidArgument ? "is not a regular file" : errno.description)"
    }
    package var exitCode: ExitStatus { .internalFault }
    package var help: String? {
        errno == .noSpace ? "free some space on that device, and run again" : nil
    }
}

/// Reading and writing whole files so that a reader never sees half of one.
package enum WorkFiles {
    /// Writes to a temporary name in the same folder, flushes to the device, and renames.
    ///
    /// After an error, an interruption or a power cut, `path` is what it was before. If several writers run at a time, the last one wins.
    package static func writeAtomically(
        _ bytes: [UInt8], to path: FilePath,
        permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
    ) throws(WorkFileError) {
        let temporary = path.removingLastComponent().appending(temporaryName(for: path.lastComponent?.string ?? "file"))
        do {
            try attempt("cannot write", path) {
                let descriptor = try FileDescriptor.open(
                    temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: permissions)
                do {
                    try descriptor.writeAll(bytes)
                    guard fsync(descriptor.rawValue) == 0 else { throw lastError }
                } catch {
                    try? descriptor.close()
                    throw error
                }
                try descriptor.close()
                guard rename(temporary.string, path.string) == 0 else { throw lastError }
            }
        } catch {
            unlink(temporary.string)
            throw error
        }
    }

    /// `.NAME.NUMBER.tmp`. A long name is cut, so that this one fits as well (Linux, NAME_MAX: 255 bytes).
    private static func temporaryName(for name: String) -> String {
        var start = name
        while start.utf8.count > 230 { start.removeLast() }
        return ".\(start).\(UInt32.random(in: 1...UInt32.max)).tmp"
    }

    /// In bytes. Every file that is read whole is far smaller; a sparse one that is larger would end the process.
    package static let sizeLimit = 1 << 30
    /// In bytes, for texts that people and makefiles write.
    package static let textLimit = 64 << 20

    static let reading = "cannot read"

    /// The whole file, which must be a regular one: devices and pipes may have no end, or never begin.
    ///
    /// - Parameter limit: in bytes.
    /// - Throws: `WorkFileError`: `.isDirectory` for a folder, `.invalidArgument` for anything else that is not a regular file, `.fileTooLarge`.
    package static func read(_ path: FilePath, limit: Int = sizeLimit) throws(WorkFileError) -> [UInt8] { try readFile(path.string, limit: limit) }

    /// The whole file at a path in two parts, as `walk` gives them.
    package static func read(_ root: FilePath, _ relative: String) throws(WorkFileError) -> [UInt8] {
        try readFile("\(root.string)/\(relative)", limit: sizeLimit)
    }

    /// The whole file as text. Bytes that are not UTF-8 become U+FFFD.
    package static func readText(_ path: FilePath, limit: Int = textLimit) throws(WorkFileError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    /// The first bytes of a regular file: `count` of them, or the whole file if it has fewer.
    package static func readStart(_ path: FilePath, count: Int) throws(WorkFileError) -> [UInt8] {
        try attempt(reading, path) {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .noFollow, .closeOnExec])
            return try descriptor.closeAfter {
                var status = stat()
                guard fstat(descriptor.rawValue, &status) == 0 else { throw lastError }
                guard status.st_mode & S_IFMT == S_IFREG else { throw Errno.invalidArgument }
                return Array(try readAll(descriptor, limit: count - 1, expecting: min(Int(status.st_size), count)).prefix(count))
            }
        }
    }

    /// - Parameter path: a string, because a `FilePath` checks itself at every step, and many files are read in loops.
    private static func readFile(_ path: String, limit: Int) throws(WorkFileError) -> [UInt8] {
        try attempt(reading, FilePath(path)) {
            // `.nonBlocking` keeps the call from waiting at a pipe without a writer. For a regular file it has no effect.
            let descriptor = try path.withPlatformString { try FileDescriptor.open($0, .readOnly, options: [.nonBlocking, .closeOnExec]) }
            return try descriptor.closeAfter {
                var status = stat()
                guard fstat(descriptor.rawValue, &status) == 0 else { throw lastError }
                switch status.st_mode & S_IFMT {
                case S_IFREG: break
                case S_IFDIR: throw Errno.isDirectory
                default: throw Errno.invalidArgument
                }
                guard status.st_size <= limit else { throw Errno.fileTooLarge }
                let bytes = try readAll(descriptor, limit: limit, expecting: Int(status.st_size))
                guard bytes.count <= limit else { throw Errno.fileTooLarge }
                return bytes
            }
        }
    }

    /// Reads up to the end of the file.
    ///
    /// - Parameters:
    ///   - limit: in bytes; reading stops once there are more.
    ///   - size: the expected number of bytes, which is read in one go. There may be more or fewer.
    /// - Throws: `Errno`.
    package static func readAll(_ descriptor: FileDescriptor, limit: Int = .max, expecting size: Int = 1 << 16) throws -> [UInt8] {
        // One byte more, so that the end is found without growing. Files of /proc say that they are empty, or larger than any memory.
        var bytes = [UInt8](repeating: 0, count: min(max(size, 4095), 64 << 20) + 1)
        var filled = 0
        while filled <= limit {
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
            let count = try bytes.withUnsafeMutableBytes { try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Runs `body`. If it throws an `Errno`, throws that with the operation and the path; any other error becomes `.ioError`.
    static func attempt<R>(_ operation: String, _ path: @autoclosure () -> FilePath, _ body: () throws -> R) throws(WorkFileError) -> R {
        do {
            return try body()
        } catch let errno as Errno {
            throw WorkFileError(operation, path(), errno)
        } catch {
            throw WorkFileError(operation, path(), .ioError)
        }
    }
}

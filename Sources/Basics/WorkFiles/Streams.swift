import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reading what may be a pipe: its writer may take its time, or never come.
extension WorkFiles {
    /// Reads a file, a pipe or a device up to its end.
    ///
    /// - Parameter limit: in bytes; reading stops once there are more.
    /// - Throws: `WorkFileError`, `.isDirectory` for a folder; `CancellationError` within a tenth of a second after the task was cancelled.
    package static func readStream(_ path: FilePath, limit: Int) throws -> [UInt8] {
        // A plain open of a pipe would wait for its writer, and no signal would end that.
        let descriptor = try attempt("cannot read", path) { try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec]) }
        defer { try? descriptor.close() }
        return try readStream(descriptor, limit: limit, path: path)
    }

    /// The same for an open descriptor, which stays open.
    package static func readStream(_ descriptor: FileDescriptor, limit: Int, path: FilePath = "standard input") throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= limit {
            try Task.checkCancellation()
            var state = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            let ready = poll(&state, 1, 100)
            guard ready >= 0 || lastError == .interrupted else { throw WorkFileError("cannot read", path, lastError) }
            // A pipe that had no writer yet is not ready. It looks like one that has ended, so don't read it.
            guard ready > 0 || !bytes.isEmpty else { continue }
            let count = try attempt("cannot read", path) { () throws -> Int? in
                do {
                    return try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                } catch Errno.resourceTemporarilyUnavailable, Errno.interrupted {
                    return nil
                }
            }
            guard let count else { continue }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }
}

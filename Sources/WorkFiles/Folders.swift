import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a path in a folder is, without following symbolic links.
public enum FileKind: Sendable, Equatable {
    case regular(size: Int64, executable: Bool)
    case folder
    case symbolicLink
    /// A socket, a device, a pipe.
    case other
}

/// Folders: listing, making, removing.
extension WorkFiles {
    /// What `path` is, or nil when there is no such file. Symbolic links are not followed.
    public static func kind(of path: FilePath) throws(WorkFileError) -> FileKind? {
        var status = stat()
        guard lstat(path.string, &status) == 0 else {
            let reason = lastError
            if reason == .noSuchFileOrDirectory || reason == .notDirectory { return nil }
            throw WorkFileError("cannot look at", path, reason)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular(size: Int64(status.st_size), executable: status.st_mode & 0o100 != 0)
        case S_IFDIR: return .folder
        case S_IFLNK: return .symbolicLink
        default: return .other
        }
    }

    /// True when `path`, its symbolic links followed, is a regular file that can be read.
    public static func isReadableFile(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path.string, R_OK) == 0
    }

    /// True when `path`, its symbolic links followed, is a folder.
    public static func isFolder(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder, without `.` and `..`, sorted by their bytes.
    public static func names(in folder: FilePath) throws(WorkFileError) -> [String] {
        guard let stream = opendir(folder.string) else { throw WorkFileError("cannot list", folder, lastError) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            setLastError(0)
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        if lastError.rawValue != 0 { throw WorkFileError("cannot list", folder, lastError) }
        return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// Makes a folder and those above it; one that exists already is fine.
    public static func makeFolder(_ path: FilePath) throws(WorkFileError) {
        guard mkdir(path.string, 0o755) != 0 else { return }
        switch lastError {
        case .fileExists where isFolder(path): return
        case .noSuchFileOrDirectory where !path.removingLastComponent().isEmpty:
            try makeFolder(path.removingLastComponent())
            guard mkdir(path.string, 0o755) != 0 || (lastError == .fileExists && isFolder(path)) else { return }
            if lastError == .fileExists && isFolder(path) { return }
            throw WorkFileError("cannot make the folder", path, lastError)
        case let reason: throw WorkFileError("cannot make the folder", path, reason)
        }
    }

    /// Removes a file, a link or a whole folder; one that does not exist is fine. Links are removed, never followed.
    public static func remove(_ path: FilePath) throws(WorkFileError) {
        guard let kind = try kind(of: path) else { return }
        if kind == .folder {
            for name in try names(in: path) { try remove(path.appending(name)) }
            guard rmdir(path.string) == 0 || lastError == .noSuchFileOrDirectory else {
                throw WorkFileError("cannot remove", path, lastError)
            }
        } else {
            guard unlink(path.string) == 0 || lastError == .noSuchFileOrDirectory else {
                throw WorkFileError("cannot remove", path, lastError)
            }
        }
    }

    /// Gives a file another name in the same file system, in one step.
    public static func move(_ from: FilePath, to: FilePath) throws(WorkFileError) {
        guard rename(from.string, to.string) == 0 else { throw WorkFileError("cannot move to", to, lastError) }
    }

    /// Where a symbolic link points to, as it is written there.
    public static func linkTarget(_ path: FilePath) throws(WorkFileError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path.string, &buffer, buffer.count)
        guard count >= 0 else { throw WorkFileError("cannot read the link", path, lastError) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes a symbolic link.
    public static func makeLink(at path: FilePath, to target: String) throws(WorkFileError) {
        guard symlink(target, path.string) == 0 else { throw WorkFileError("cannot make the link", path, lastError) }
    }

    /// `path` with every symbolic link on the way resolved, or nil when it does not exist.
    public static func resolved(_ path: FilePath) -> FilePath? {
        guard let pointer = realpath(path.string, nil) else { return nil }
        defer { free(pointer) }
        return FilePath(String(cString: pointer))
    }

    /// Writes a whole file without the care of `writeAtomically`: for files in private folders only.
    public static func write(_ bytes: [UInt8], to path: FilePath, executable: Bool = false) throws(WorkFileError) {
        try attempt("cannot write", path) {
            let descriptor = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate],
                permissions: FilePermissions(rawValue: executable ? 0o755 : 0o644))
            _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
        }
    }

    static var lastError: Errno {
        #if canImport(Glibc)
        Errno(rawValue: Glibc.errno)
        #else
        Errno(rawValue: Musl.errno)
        #endif
    }

    private static func setLastError(_ value: CInt) {
        #if canImport(Glibc)
        Glibc.errno = value
        #else
        Musl.errno = value
        #endif
    }
}

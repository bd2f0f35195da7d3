import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a path in a folder is, without following symbolic links.
package enum FileKind: Sendable, Equatable {
    case regular(size: Int64, executable: Bool)
    case folder
    case symbolicLink
    /// A socket, a device, a pipe.
    case other
}

/// Folders: listing, making, removing.
extension WorkFiles {
    /// What `path` is, or nil when there is no such file. Symbolic links are not followed.
    package static func kind(of path: FilePath) throws(WorkFileError) -> FileKind? { try kind(of: path.string) }

    static func kind(of path: String) throws(WorkFileError) -> FileKind? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let reason = lastError
            if reason == .noSuchFileOrDirectory || reason == .notDirectory { return nil }
            throw WorkFileError("cannot look at", FilePath(path), reason)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular(size: Int64(status.st_size), executable: status.st_mode & 0o100 != 0)
        case S_IFDIR: return .folder
        case S_IFLNK: return .symbolicLink
        default: return .other
        }
    }

    /// When a file was last written or touched, in seconds since 1970; nil if there is no such file.
    package static func lastTouched(_ path: FilePath) -> Double? {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1_000_000_000
    }

    /// Sets a file's time to now, to note that it was used. If that is not allowed, nothing happens.
    package static func touch(_ path: FilePath) { utimensat(AT_FDCWD, path.string, nil, 0) }

    /// True when `path` is a regular file that can be read. Follows symbolic links.
    package static func isReadableFile(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path.string, R_OK) == 0
    }

    /// True when `path` exists. Follows symbolic links. False also when this user may not look into a folder above.
    package static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0
    }

    /// True when `path` is a folder. Follows symbolic links.
    package static func isFolder(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// True when the device that holds `path` has no space left for this user.
    package static func isDeviceFull(of path: FilePath) -> Bool {
        var status = statvfs()
        return statvfs(path.string, &status) == 0 && status.f_bavail == 0
    }

    /// True when the device that holds `path` has less space or fewer files left than one tool's output may take: 64 MiB, 64 files.
    package static func isNearlyFull(deviceOf path: FilePath) -> Bool {
        var status = statvfs()
        guard statvfs(path.string, &status) == 0 else { return false }
        // Some file systems have no limit of files, and say that there are none.
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < 64 << 20 || (status.f_files > 0 && status.f_favail < 64)
    }

    /// The names in a folder, without `.` and `..`, sorted.
    package static func names(in folder: FilePath) throws(WorkFileError) -> [String] { try names(in: folder.string) }

    static func names(in folder: String) throws(WorkFileError) -> [String] {
        guard let stream = opendir(folder) else { throw WorkFileError("cannot list", FilePath(folder), lastError) }
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
        if lastError.rawValue != 0 { throw WorkFileError("cannot list", FilePath(folder), lastError) }
        return names.sorted()
    }

    /// Does nothing when this user may create files in the folder; throws the reason when not.
    package static func checkWritable(_ folder: FilePath) throws(WorkFileError) {
        guard access(folder.string, W_OK | X_OK) == 0 else { throw WorkFileError("cannot write to", folder, lastError) }
    }

    /// Makes a folder and those above it. A folder that exists already is fine.
    ///
    /// - Parameter permissions: the system takes the process's umask off these.
    package static func makeFolder(
        _ path: FilePath, permissions: FilePermissions = FilePermissions(rawValue: 0o755)
    ) throws(WorkFileError) {
        func attempt() -> Errno? {
            guard mkdir(path.string, permissions.rawValue) != 0 else { return nil }
            let reason = lastError
            return reason == .fileExists && isFolder(path) ? nil : reason
        }
        var reason = attempt()
        let parent = path.removingLastComponent()
        if reason == .noSuchFileOrDirectory, !parent.isEmpty {
            try makeFolder(parent, permissions: permissions)
            reason = attempt()
        }
        if let reason { throw WorkFileError("cannot make the folder", path, reason) }
    }

    /// Makes a new, empty folder that only this user can open. The caller removes it.
    ///
    /// - Parameters:
    ///   - name: what the folder's name begins with.
    ///   - parent: must exist.
    /// - Returns: the folder's path: `/tmp/NAME-oV2xCe`.
    package static func makeTemporaryFolder(named name: String, in parent: FilePath = "/tmp") throws(WorkFileError) -> FilePath {
        var template = Array(parent.appending("\(name)-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else { throw WorkFileError("cannot make a folder in", parent, lastError) }
        return FilePath(platformString: template)
    }

    /// Removes a file, a link or a whole folder; does nothing if it does not exist. Links are removed, never followed.
    package static func remove(_ path: FilePath) throws(WorkFileError) {
        guard let kind = try kind(of: path) else { return }
        if kind == .folder {
            for name in try names(in: path) { try remove(path.appending(name)) }
            try removeEmptyFolder(path)
        } else {
            try removeFile(path)
        }
    }

    /// Removes a file or a link; does nothing if it does not exist.
    ///
    /// - Throws: `WorkFileError`, also for a folder, even an empty one.
    package static func removeFile(_ path: FilePath) throws(WorkFileError) {
        guard unlink(path.string) == 0 || lastError == .noSuchFileOrDirectory else { throw WorkFileError("cannot remove", path, lastError) }
    }

    /// Removes an empty folder; does nothing if it does not exist.
    ///
    /// - Throws: `WorkFileError`, also for a folder that is not empty and for anything that is not a folder.
    package static func removeEmptyFolder(_ path: FilePath) throws(WorkFileError) {
        guard rmdir(path.string) == 0 || lastError == .noSuchFileOrDirectory else { throw WorkFileError("cannot remove", path, lastError) }
    }

    /// Renames a file within the same file system, in one step.
    package static func move(_ from: FilePath, to: FilePath) throws(WorkFileError) {
        guard rename(from.string, to.string) == 0 else { throw WorkFileError("cannot move to", to, lastError) }
    }

    /// The target of a symbolic link, exactly as the link has it.
    package static func linkTarget(_ path: FilePath) throws(WorkFileError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path.string, &buffer, buffer.count)
        guard count >= 0 else { throw WorkFileError("cannot read the link", path, lastError) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes a symbolic link.
    package static func makeLink(at path: FilePath, to target: String) throws(WorkFileError) {
        guard symlink(target, path.string) == 0 else { throw WorkFileError("cannot make the link", path, lastError) }
    }

    /// `path` with every symbolic link in it resolved, or nil when it does not exist.
    package static func resolved(_ path: FilePath) -> FilePath? { resolved(path.string).map { FilePath($0) } }

    /// The same for loops over many paths, because `FilePath` checks itself at every step.
    package static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// `path` as an absolute path, without `.` and `..`. A relative path starts at the current folder. It need not exist; links stay.
    package static func absolute(_ path: FilePath) -> FilePath {
        guard path.isRelative, let current = getcwd(nil, 0) else { return path.lexicallyNormalized() }
        defer { free(current) }
        return FilePath(platformString: current).pushing(path).lexicallyNormalized()
    }

    /// Visits everything below a folder, sorted by name. Symbolic links are visited, never followed.
    ///
    /// - Parameters:
    ///   - visit: gets the path relative to `folder`, and its kind. For a folder, the result says whether to go into it.
    /// - Throws: `WorkFileError`, or what `visit` throws.
    package static func walk(_ folder: FilePath, visit: (String, FileKind) throws -> Bool) throws {
        try walk(folder.string, relative: "", visit: visit)
    }

    private static func walk(_ root: String, relative: String, visit: (String, FileKind) throws -> Bool) throws {
        for name in try names(in: relative.isEmpty ? root : "\(root)/\(relative)") {
            let path = relative.isEmpty ? name : "\(relative)/\(name)"
            guard let kind = try kind(of: "\(root)/\(path)") else { continue }
            if try visit(path, kind), kind == .folder { try walk(root, relative: path, visit: visit) }
        }
    }

    /// The total size of all regular files in a folder, in bytes.
    package static func size(of folder: FilePath) throws -> Int64 {
        var sum: Int64 = 0
        try walk(folder) { _, kind in
            if case .regular(let size, _) = kind { sum += size }
            return true
        }
        return sum
    }

    /// Writes a whole file without the safety of `writeAtomically`: for files in private folders only. A link is replaced, never followed.
    package static func write(_ bytes: [UInt8], to path: FilePath, executable: Bool = false) throws(WorkFileError) {
        try write(bytes, to: path.string, executable: executable)
    }

    /// The same for loops over many paths.
    package static func write(_ bytes: [UInt8], to path: String, executable: Bool) throws(WorkFileError) {
        try attempt("cannot write", FilePath(path)) {
            let mode: mode_t = executable ? 0o755 : 0o644
            var number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
            if number < 0, lastError == .tooManySymbolicLinkLevels, unlink(path) == 0 {
                number = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
            }
            guard number >= 0 else { throw lastError }
            let descriptor = FileDescriptor(rawValue: number)
            _ = try descriptor.closeAfter { try descriptor.writeAll(bytes) }
        }
    }

    /// Writes a whole new file in place of a file or link of that name, neither of which is written to: it may be another name of any file.
    package static func writeAnew(_ bytes: [UInt8], to path: FilePath) throws(WorkFileError) {
        try removeFile(path)
        try attempt("cannot write", path) {
            let descriptor = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec], permissions: FilePermissions(rawValue: 0o644))
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

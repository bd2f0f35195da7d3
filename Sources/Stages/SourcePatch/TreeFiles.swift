import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The files of the user's tree after the patches so far. The tree itself is only read.
struct TreeFiles {
    /// A file's content and where its lines come from.
    struct Content: Equatable {
        var bytes: [UInt8]
        var isExecutable: Bool
        /// For each line, what identifies it: in the tree's file its number, counted from 1; for a line that a patch adds a negative
        /// number of its own, which no other added line of the series has; 0 for a line of a copied file.
        var origins: [Int]
        /// The path of the tree's file that positive `origins` refer to; nil if there is none.
        var originalPath: String?
    }

    enum Failure: Error {
        case symbolicLink(at: String)
        case notRegular(at: String)
        case tooLarge
        case system(Errno)
    }

    /// In bytes. Source files are far smaller.
    static let sizeLimit = 64 << 20

    let top: FilePath
    /// The content that the patches have written; nil for a file that they removed.
    private(set) var written: [String: Content?] = [:]
    /// How many of the written files lie below each folder.
    private var folders: [String: Int] = [:]

    init(top: FilePath) {
        self.top = top
    }

    /// The file after the patches so far; nil if there is none. No component of the path below the top may be a symbolic link.
    func read(_ path: String) throws(Failure) -> Content? {
        if let content = written[path] { return content }
        try requireNoFileAndFolder(path)
        return try original(path)
    }

    /// Refuses a path below a file that the patches made, and a file that has the name of a folder that they made.
    private func requireNoFileAndFolder(_ path: String) throws(Failure) {
        for above in Self.foldersAbove(path) {
            if let content = written[above], content != nil { throw .notRegular(at: above) }
        }
        if folders[path] != nil { throw .notRegular(at: path) }
    }

    /// `xen` and `xen/common` for `xen/common/kernel.c`.
    private static func foldersAbove(_ path: String) -> [String] {
        path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }.map { String(path[..<$0]) }
    }

    /// The file in the user's tree, without the patches.
    func original(_ path: String) throws(Failure) -> Content? {
        var place = top
        let components = path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        for (index, component) in components.enumerated() {
            place.append(component)
            guard let mode = try fileMode(place) else { return nil }
            let shown = components[...index].joined(separator: "/")
            switch (mode & S_IFMT, index == components.count - 1) {
            case (S_IFLNK, _): throw .symbolicLink(at: shown)
            case (S_IFREG, true):
                var content = try content(of: place, mode)
                content.originalPath = path
                return content
            case (S_IFDIR, false): continue
            default: throw .notRegular(at: shown)
            }
        }
        return nil
    }

    /// Whether the user's tree has a file, folder or anything else of that name.
    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(top.appending(path).string, &status) == 0
    }

    mutating func write(_ content: Content, to path: String) {
        if !isWritten(path) { for folder in Self.foldersAbove(path) { folders[folder, default: 0] += 1 } }
        written[path] = .some(content)
    }

    mutating func remove(_ path: String) {
        if isWritten(path) {
            for folder in Self.foldersAbove(path) {
                let rest = (folders[folder] ?? 0) - 1
                folders[folder] = rest > 0 ? rest : nil
            }
        }
        written[path] = .some(nil)
    }

    private func isWritten(_ path: String) -> Bool {
        if let content = written[path] { return content != nil }
        return false
    }

    private func fileMode(_ path: FilePath) throws(Failure) -> mode_t? {
        var status = stat()
        if lstat(path.string, &status) == 0 { return status.st_mode }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .system(Errno(rawValue: errno))
    }

    private func content(of path: FilePath, _ mode: mode_t) throws(Failure) -> Content {
        let bytes: [UInt8]?
        do {
            bytes = try readWhole(path, limit: TreeFiles.sizeLimit)
        } catch {
            throw .system(error)
        }
        guard let bytes else { throw .tooLarge }
        let count = splitLines(bytes).count
        return Content(bytes: bytes, isExecutable: mode & S_IXUSR != 0, origins: Array(1..<(count + 1)))
    }
}

/// The whole file; nil when it is larger than `limit` bytes.
func readWhole(_ path: FilePath, limit: Int) throws(Errno) -> [UInt8]? {
    do throws(WorkFileError) {
        return try WorkFiles.read(path, limit: limit)
    } catch {
        if error.errno == .fileTooLarge { return nil }
        throw error.errno
    }
}

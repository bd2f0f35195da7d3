import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension WorkFiles {
    /// Copies a private folder, with hard links instead of copied bytes if the file system supports that.
    ///
    /// Don't write through either copy afterwards: to replace a file, remove it first.
    /// Absolute symbolic links that point below `from` point below `to` in the copy.
    /// - Parameter skip: gets a path relative to `from`; true leaves out that path and everything below it.
    package static func linkFolder(_ from: FilePath, to: FilePath, skip: (String) -> Bool = { _ in false }) throws {
        try copy(from, to: to, withLinks: true, skip: skip)
    }

    /// Copies a folder, so that either copy may be changed afterwards. Times are not kept.
    ///
    /// Absolute symbolic links that point below `from` point below `to` in the copy.
    /// - Throws: `WorkFileError`.
    package static func copyFolder(_ from: FilePath, to: FilePath) throws { try copy(from, to: to, withLinks: false) { _ in false } }

    private static func copy(_ from: FilePath, to: FilePath, withLinks: Bool, skip: (String) -> Bool) throws {
        let source = from.string, copy = to.string
        try makeFolder(to)
        try walk(from) { path, kind in
            if skip(path) { return false }
            switch kind {
            case .folder: try makeFolder(FilePath("\(copy)/\(path)"))
            case .symbolicLink:
                let target = try linkTarget(FilePath("\(source)/\(path)"))
                try makeLink(at: FilePath("\(copy)/\(path)"), to: moved(target, from: from, to: to))
            case .regular(_, let executable):
                if !withLinks || link("\(source)/\(path)", "\(copy)/\(path)") != 0 {
                    try write(read(from, path), to: "\(copy)/\(path)", executable: executable)
                }
            case .other: break
            }
            return true
        }
    }

    /// The target of a link after `root` has become `newRoot`: an absolute target at or below `root` changes, any other stays as it is.
    package static func moved(_ target: String, from root: FilePath, to newRoot: FilePath) -> String {
        let prefix = root.string + "/"
        if target == root.string { return newRoot.string }
        return target.hasPrefix(prefix) ? newRoot.string + "/" + target.dropFirst(prefix.count) : target
    }
}

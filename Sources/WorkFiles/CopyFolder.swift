import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension WorkFiles {
    /// Copies a private folder with hard links instead of bytes where the file system can.
    ///
    /// Neither copy may be written through afterwards: replace a file by removing it first.
    /// - Parameters:
    ///   - skip: says for a path relative to `from` that it, and all below it, is left out.
    ///   - movingLinks: absolute symbolic links that lead below `from` lead below `to` in the copy.
    public static func linkFolder(
        _ from: FilePath, to: FilePath, skip: (String) -> Bool = { _ in false }
    ) throws(WorkFileError) {
        try linkFolder(from, to: to, root: from, newRoot: to, relative: "", skip: skip)
    }

    private static func linkFolder(
        _ from: FilePath, to: FilePath, root: FilePath, newRoot: FilePath, relative: String, skip: (String) -> Bool
    ) throws(WorkFileError) {
        try makeFolder(to)
        for name in try names(in: from) {
            let source = from.appending(name), copy = to.appending(name)
            let path = relative.isEmpty ? name : "\(relative)/\(name)"
            if skip(path) { continue }
            switch try kind(of: source) {
            case .folder:
                try linkFolder(source, to: copy, root: root, newRoot: newRoot, relative: path, skip: skip)
            case .symbolicLink:
                try makeLink(at: copy, to: moved(try linkTarget(source), from: root, to: newRoot))
            case .regular(_, let executable):
                if link(source.string, copy.string) != 0 {
                    try write(read(source), to: copy, executable: executable)
                }
            case .other, nil: continue
            }
        }
    }

    /// An absolute link target below `root` told for `newRoot`; any other as it is.
    public static func moved(_ target: String, from root: FilePath, to newRoot: FilePath) -> String {
        let prefix = root.string + "/"
        if target == root.string { return newRoot.string }
        return target.hasPrefix(prefix) ? newRoot.string + "/" + target.dropFirst(prefix.count) : target
    }
}

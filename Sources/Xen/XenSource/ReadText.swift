import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A whole text file, broken UTF-8 repaired, or nil when it can't be read.
func readText(_ path: FilePath) -> String? {
    guard let descriptor = try? FileDescriptor.open(path, .readOnly) else { return nil }
    return try? descriptor.closeAfter { String(decoding: try WorkFiles.readAll(descriptor), as: UTF8.self) }
}

func isFolder(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// `path` as an absolute one with its symbolic links resolved; nil when it does not exist.
func absolute(_ path: FilePath) -> FilePath? {
    guard let pointer = realpath(path.string, nil) else { return nil }
    defer { free(pointer) }
    return FilePath(String(cString: pointer))
}

func trimmed(_ text: some StringProtocol) -> String {
    var rest = text[...]
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}

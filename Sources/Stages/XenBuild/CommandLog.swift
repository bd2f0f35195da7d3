import SystemPackage
import WorkFiles

/// The files that hold the output of the commands of a build.
package enum CommandLog {
    /// How each begins, by which the program knows its own again.
    static let beginning = "cd "
    private static let suffix = ".log"
    /// In bytes, for the first line: a command has some thousand.
    private static let lineLimit = 1 << 16

    /// Whether a file is such a log, or one that a run was killed at before it wrote the first line. Links are none.
    package static func isOne(_ path: FilePath, _ kind: FileKind) -> Bool {
        guard case .regular(let size, _) = kind, path.lastComponent?.string.hasSuffix(suffix) == true else { return false }
        if size == 0 { return true }
        guard let start = try? WorkFiles.readStart(path, count: lineLimit) else { return false }
        let line = start.prefix { $0 != 0x0a }
        return line.starts(with: beginning.utf8) && String(decoding: line, as: UTF8.self).contains(" && ")
    }
}

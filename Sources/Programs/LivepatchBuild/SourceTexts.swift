import Diagnostics
import SourcePatch
import Synchronization
import SystemPackage
import WorkFiles

/// The lines of the original and of the patched source, for people to read beside the code that came from them.
///
/// A place whose file is not below `xen/` of the user's tree has no text: line directives of a patch may name any file of this machine.
package final class SourceTexts: Sendable {
    private let folder: FilePath
    private let history: LineHistory
    /// The lines of files that no patch touches; empty for one that can't be read.
    private let files = Mutex<[String: [Substring]]>([:])

    /// The largest file that is read, in bytes. Xen's largest source has 400 KB.
    private static let limit = 4 << 20

    /// - Parameter top: the folder that holds `xen/`.
    init(top: FilePath, history: LineHistory) {
        folder = top.appending("xen")
        self.history = history
    }

    /// The text of a line of the original source; nil if it is not known which one is meant.
    func original(_ place: SourceLocation) -> String? { text(history.originalLines(at: place), touched: history.originalText) }

    /// The same for the patched source.
    func patched(_ place: SourceLocation) -> String? { text(history.patchedLines(at: place), touched: history.patchedText) }

    private func text(_ lines: [LineHistory.Line], touched: (LineHistory.Line) -> String?) -> String? {
        // Line directives may give several lines one number.
        guard lines.count == 1 else { return nil }
        return history.touches(lines[0].file) ? touched(lines[0]) : untouched(lines[0])
    }

    private func untouched(_ line: LineHistory.Line) -> String? {
        let path = FilePath(line.file)
        guard path.isRelative, path == path.lexicallyNormalized(), path.components.first?.kind == .regular, line.number > 0 else { return nil }
        let lines = files.withLock { files in
            if let known = files[line.file] { return known }
            let bytes = (try? WorkFiles.read(folder.pushing(path), limit: Self.limit)) ?? []
            let read = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            files[line.file] = read
            return read
        }
        return line.number <= lines.count ? String(lines[line.number - 1]) : nil
    }
}

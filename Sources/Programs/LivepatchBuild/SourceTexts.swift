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
        // Line directives give the lines that a patch adds the number of a line beside them: then each of a few may be meant.
        guard (1...4).contains(lines.count) else { return nil }
        let texts = lines.map { history.touches($0.file) ? touched($0) : untouched($0) }
        return texts.contains(nil) ? nil : texts.compactMap { $0.map(Self.trimmed) }.filter { !$0.isEmpty }.joined(separator: "  ‖  ")
    }

    private static func trimmed(_ text: String) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
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

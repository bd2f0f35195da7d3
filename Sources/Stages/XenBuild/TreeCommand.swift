import CompilerRecorder
import SystemPackage

/// A compiler's command from a private tree, which can be run again in that tree or another. A mark replaces the path of the tree, so
/// that commands of two trees can be compared.
struct TreeCommand: Sendable, Hashable {
    /// The folder in which the command runs, and its words.
    var folder: String
    var words: [String]

    /// Replaces the path of the private tree.
    private static let mark = "\u{1}TOP\u{1}"

    /// - Parameter top: the private tree in which the command was recorded.
    init(_ record: RecordedCommand, top: FilePath) {
        func marked(_ text: String) -> String {
            guard text.utf8.count >= top.string.utf8.count else { return text }
            return text.split(separator: top.string, omittingEmptySubsequences: false).joined(separator: Self.mark)
        }
        folder = marked(record.folder)
        words = record.words.map(marked)
    }

    private static func placed(_ text: String, _ top: String) -> String {
        !text.utf8.contains(1) ? text : text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: top)
    }

    func folder(in top: FilePath) -> FilePath { FilePath(Self.placed(folder, top.string)) }

    /// Whether a word contains the path of the tree. Otherwise `__FILE__` can't contain it: all paths begin at the command's folder. What is
    /// for the assembler does not count (from 4.17 on: `-Wa,-I$(objtree)/include`).
    var namesTree: Bool { words.contains { $0.contains(Self.mark) && !$0.hasPrefix("-Wa,") } }

    /// The top of the tree as seen from the command's folder: `../..`; nil when the folder is not in the tree.
    private var wayToTop: String? {
        guard folder.hasPrefix(Self.mark) else { return nil }
        let depth = folder.dropFirst(Self.mark.count).split(separator: "/").count
        return depth > 0 ? Array(repeating: "..", count: depth).joined(separator: "/") : "."
    }

    /// The command without what says where its outputs go, and without the tree's own `-g0`, which would undo a `-g` that is added.
    ///
    /// - Parameter isRelative: whether to name the tree as seen from the command's folder.
    private func withoutOutputs(in top: FilePath, isRelative: Bool = false) -> [String] {
        var result: [String] = []
        var index = 0
        let place = (isRelative ? wayToTop : nil) ?? top.string
        let words = words.map { Self.placed($0, place) }
        while index < words.count {
            let word = words[index]
            index += 1
            switch word {
            case "-o", "-MF": index += 1
            case "-MMD", "-MD", "-g0": break
            case _ where word.hasPrefix("-Wp,-MD,") || word.hasPrefix("-Wp,-MMD,"): break
            default: result.append(word)
            }
        }
        return result
    }

    /// What the command is to write.
    enum Product: String {
        case object = "-c"
        case assembly = "-S"
        case preprocessed = "-E"
    }

    /// The command with other outputs and other flags for debug information.
    ///
    /// - Parameters:
    ///   - product: only for a command that makes an object.
    ///   - isRelative: whether to name the tree as seen from the command's folder.
    ///   - extra: flags to append.
    func replay(
        in top: FilePath, making product: Product = .object, output: FilePath, dependencies: FilePath, isRelative: Bool = false, extra: [String] = []
    ) -> [String] {
        withoutOutputs(in: top, isRelative: isRelative).map { $0 == Product.object.rawValue ? product.rawValue : $0 }
            + ["-MD", "-MF", dependencies.string, "-o", output.string] + extra
    }

    /// The object's command, changed to assemble a text that its compiler wrote.
    func assembling(_ text: FilePath, in top: FilePath, output: FilePath, extra: [String]) -> [String] {
        var words = withoutOutputs(in: top)
        let source = CompilerArguments(words).inputs.first
        // What is about preprocessing has no use here, and Clang complains about it.
        while let index = words.firstIndex(where: { ["-MQ", "-MT"].contains($0) }), index + 1 < words.count { words.removeSubrange(index...index + 1) }
        words.removeAll { $0 == "-MP" }
        return words.map { $0 == source ? text.string : $0 } + ["-o", output.string] + extra + ["-Wno-unused-command-line-argument"]
    }
}

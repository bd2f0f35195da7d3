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

    private static func placed(_ text: String, _ top: FilePath) -> String {
        !text.utf8.contains(1) ? text : text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: top.string)
    }

    func folder(in top: FilePath) -> FilePath { FilePath(Self.placed(folder, top)) }

    /// The command without what says where its outputs go, and without the tree's own `-g0`, which would undo a `-g` that is added.
    private func withoutOutputs(in top: FilePath) -> [String] {
        var result: [String] = []
        var index = 0
        let words = words.map { Self.placed($0, top) }
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
    ///   - extra: flags to append.
    func replay(in top: FilePath, making product: Product = .object, output: FilePath, dependencies: FilePath, extra: [String] = []) -> [String] {
        withoutOutputs(in: top).map { $0 == Product.object.rawValue ? product.rawValue : $0 }
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

import CompilerRecorder
import SystemPackage
import WorkFiles

/// How the tree's own make compiles one object. Paths below the private tree are told with a mark for its place, so that
/// commands of two trees can be compared, and replayed in either.
struct ObjectCommand: Sendable, Equatable {
    /// Relative to `xen/`: `common/kernel.o`.
    var name: String
    /// Relative to `xen/`, as the compiler was told, and with links resolved.
    var sourceAsCompiled: String
    var source: String
    /// Where the command runs, and its words.
    var folder: String
    var words: [String]
    var isInitOnly: Bool

    /// Stands for the top of the private tree.
    private static let mark = "\u{1}TOP\u{1}"

    /// Takes a record apart; nil for what is no object of the hypervisor's image.
    /// - Parameter top: the private tree that it was recorded in.
    init?(_ record: RecordedCommand, top: FilePath) {
        let arguments = CompilerArguments(record.words)
        guard arguments.isHypervisorObject, let output = arguments.output, let input = arguments.inputs.first,
            let object = relativePath(output, from: record.folder, below: "\(top.string)/xen"),
            let name = BuildSystemQuirks.objectName(output: object),
            let source = relativePath(input, from: record.folder, below: "\(top.string)/xen")
        else { return nil }
        self.name = name
        sourceAsCompiled = source
        let xen = "\(top.string)/xen"
        self.source = WorkFiles.resolved("\(xen)/\(source)").flatMap { relativePath($0, from: "/", below: xen) } ?? source
        folder = Self.marked(record.folder, top)
        words = record.words.map { Self.marked($0, top) }
        isInitOnly = BuildSystemQuirks.isInitOnly(arguments)
    }

    private static func marked(_ text: String, _ top: FilePath) -> String {
        text.utf8.count < top.string.utf8.count ? text : text.split(separator: top.string, omittingEmptySubsequences: false).joined(separator: mark)
    }

    private static func placed(_ text: String, _ top: FilePath) -> String {
        !text.utf8.contains(1) ? text : text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: top.string)
    }

    func folder(in top: FilePath) -> FilePath { FilePath(Self.placed(folder, top)) }

    /// The basenames of headers named on the command line.
    var forcedIncludes: [String] {
        CompilerArguments(words).forcedIncludes.map { String($0.split(separator: "/").last ?? "") }
    }

    /// The command with other outputs, and what the differ needs beside the tree's own flags.
    ///
    /// Debug information and sections for each function and object change no instruction; `-g0` of the tree would undo
    /// the first. The tree's place is taken out of the debug information, so that it is the same for both sides.
    /// - Parameter extra: flags to append.
    func replay(in top: FilePath, output: FilePath, dependencies: FilePath, extra: [String]) -> [String] {
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
        return result + ["-MD", "-MF", dependencies.string, "-o", output.string] + extra
    }

    /// The command with nothing made but the list of files that the compiler would read.
    func listing(in top: FilePath, dependencies: FilePath) -> [String] {
        var words = replay(in: top, output: "/dev/null", dependencies: dependencies, extra: [])
        words.removeAll { ["-c", "-MD"].contains($0) }
        // Where a list is asked for, it is what `-o` names, unless there is a file for it.
        return words + ["-M"]
    }

    static func differFlags(top: FilePath) -> [String] {
        ["-g", "-ffunction-sections", "-fdata-sections", "-fdebug-prefix-map=\(top)=."]
    }
}

/// `path`, from the folder it was said in, as a path relative to `root`; nil when it lies outside. `.` and `..` are taken
/// out as text.
///
/// - Parameter root: absolute, without `.` and `..`.
func relativePath(_ path: String, from folder: String, below root: String) -> String? {
    var parts: [Substring] = []
    for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    let above = root.split(separator: "/")
    guard parts.count > above.count, parts.starts(with: above) else { return nil }
    return parts.dropFirst(above.count).joined(separator: "/")
}

/// The files that a make rule `target: file file …` names. A backslash before a space, a hash or a backslash belongs to
/// the name (GCC's way of writing them); `$$` is a dollar.
func dependencies(inRule bytes: [UInt8]) -> [String] {
    var names: [[UInt8]] = [], current: [UInt8] = []
    var seenColon = false, index = 0
    func end() {
        if !current.isEmpty && seenColon { names.append(current) }
        current = []
    }
    while index < bytes.count {
        let byte = bytes[index]
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0
        index += 1
        switch byte {
        case UInt8(ascii: "\\") where next == 0x0a: index += 1; end()
        case UInt8(ascii: "\\") where next == 0x20 || next == UInt8(ascii: "#"): current.append(next); index += 1
        case UInt8(ascii: "$") where next == UInt8(ascii: "$"): current.append(next); index += 1
        case UInt8(ascii: ":") where !seenColon && (next == 0x20 || next == 0x0a || next == 0 || next == 0x5c):
            seenColon = true
            current = []
        case 0x0a: end(); seenColon = false
        case 0x20, 0x09: end()
        default: current.append(byte)
        }
    }
    end()
    return names.map { String(decoding: $0, as: UTF8.self) }
}

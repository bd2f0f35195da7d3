import CompilerRecorder
import SystemPackage

/// The commands that the tree's own make says it would run (`make -n`), as far as they run the compiler.
///
/// This takes a few seconds less than letting make do everything with a stand-in for the compiler. If make's output is not clear,
/// `TreePreparation` does that instead.
struct DryRun {
    /// The commands for the hypervisor's objects, in make's order. Their words do not include the compiler itself.
    private(set) var objects: [RecordedCommand] = []
    /// All other commands of the compiler: for host tools, boot code, and the files that headers are made from. If a command is not plain
    /// words, only its inputs are kept.
    private(set) var others: [RecordedCommand] = []

    /// A line that may hide an object: words that only a shell can interpret, or an error that made make leave something out.
    struct NotUnderstood: Error {
        var line: String
    }

    /// - Parameters:
    ///   - output: make's output, without error messages.
    ///   - errors: make's error messages, in English.
    ///   - compiler: the word for the compiler in make's output.
    ///   - folder: the folder in which make starts.
    /// - Throws: `NotUnderstood` for a command that may be an object's and is not plain, and when make stopped for another reason than
    ///   that there is nothing to link.
    init(output: [UInt8], errors: String = "", compiler: String, folder: String) throws(NotUnderstood) {
        for line in errors.split(whereSeparator: \.isNewline) where !Self.isExpected(line) { throw NotUnderstood(line: String(line)) }
        var folders = [folder]
        let sign = Array(compiler.utf8)
        for line in Self.lines(output) {
            if let path = Self.folder(in: line, after: "Entering directory '") { folders.append(path) }
            if Self.folder(in: line, after: "Leaving directory '") != nil, folders.count > 1 { folders.removeLast() }
            guard Self.contains(line, sign) else { continue }
            for command in shellCommands(in: line) {
                guard let start = command.words.firstIndex(of: compiler) else { continue }
                let arguments = CompilerArguments(Array(command.words[start...]))
                let record = RecordedCommand(folder: folders.last ?? folder, words: Array(command.words[(start + 1)...]))
                if !command.isPlain || start > 0, arguments.mayBeHypervisorObject {
                    throw NotUnderstood(line: String(decoding: line, as: UTF8.self))
                }
                switch command.isPlain && start == 0 {
                case true where arguments.isHypervisorObject: objects.append(record)
                case true: others.append(record)
                // Keep only its inputs: the other words are not reliable.
                case false: others.append(RecordedCommand(folder: record.folder, words: arguments.inputs))
                }
            }
        }
    }

    /// The same dry run for a tree in another place.
    func moved(from: FilePath, to: FilePath) -> DryRun {
        func moved(_ commands: [RecordedCommand]) -> [RecordedCommand] {
            commands.map { command in
                func text(_ text: String) -> String { text.replacing(from.string, with: to.string) }
                return RecordedCommand(folder: text(command.folder), words: command.words.map(text))
            }
        }
        var result = self
        result.objects = moved(objects)
        result.others = moved(others)
        return result
    }

    /// Whether a line of error output is harmless: it is not an error, or it says that a file for the last link is missing, or it follows
    /// from that.
    private static func isExpected(_ line: Substring) -> Bool {
        guard let stars = line.firstRange(of: ": *** ") else { return true }
        let rest = line[stars.upperBound...]
        if rest.hasPrefix("["), rest.contains("] Error ") { return true }
        let noRule = "No rule to make target "
        guard rest.hasPrefix(noRule) else { return false }
        // Make before 4.0 starts a quotation with a backquote.
        let name = rest.dropFirst(noRule.count + 1).prefix { $0 != "'" }
        return BuildSystemQuirks.isMadeOfAllObjects(String(name))
    }

    /// Splits into lines. A backslash at the end joins a line with the next.
    private static func lines(_ output: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for end in output.indices where output[end] == 0x0a {
            guard output[start..<end].reversed().prefix(while: { $0 == UInt8(ascii: "\\") }).count % 2 == 0 else { continue }
            lines.append(output[start..<end])
            start = end + 1
        }
        lines.append(output[start...])
        return lines
    }

    /// The folder in make's `make[1]: Entering directory '/path'`; nil for other lines.
    private static func folder(in line: ArraySlice<UInt8>, after words: String) -> String? {
        guard line.starts(with: "make".utf8), let colon = line.firstIndex(of: UInt8(ascii: ":")), line.last == UInt8(ascii: "'") else { return nil }
        let rest = line[(colon + 1)...].drop { $0 == 0x20 }
        guard rest.starts(with: words.utf8) else { return nil }
        return String(decoding: rest.dropFirst(words.utf8.count).dropLast(), as: UTF8.self)
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ sign: [UInt8]) -> Bool {
        guard let first = sign.first else { return false }
        var rest = line
        while let hit = rest.firstIndex(of: first) {
            rest = rest[hit...]
            if rest.starts(with: sign) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}

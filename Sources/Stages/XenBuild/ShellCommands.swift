/// One command of a shell script, with its words as the shell would pass them on.
struct ShellCommand: Equatable {
    /// The words without quotes, as `execve` would get them, but including assignments and reserved words (`if`, `then`, `!`) before the
    /// command.
    var words: [String] = []
    /// False when the shell would do more than split words: for a variable, a pattern, the output of another command, or a redirection.
    var isPlain = true
}

/// Splits a script into commands, by the POSIX shell's rules for quoting (XCU 2.2) and its operators.
///
/// Anything that the shell would compute stays in the words as it is written, and makes the command not plain.
func shellCommands(in script: some Collection<UInt8>) -> [ShellCommand] {
    var reader = ShellReader(bytes: Array(script))
    return reader.read()
}

private struct ShellReader {
    let bytes: [UInt8]
    private var position = 0
    private var commands: [ShellCommand] = []
    private var command = ShellCommand()
    /// nil between words.
    private var word: [UInt8]?

    init(bytes: [UInt8]) { self.bytes = bytes }

    private static let operators = Set(";&|()\n".utf8)
    private static let blanks = Set(" \t".utf8)
    /// Characters that the shell interprets outside quotes: patterns, and the caller's home.
    private static let patterns = Set("*?[~".utf8)

    mutating func read() -> [ShellCommand] {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\\"): readEscaped()
            case UInt8(ascii: "'"): readQuoted()
            case UInt8(ascii: "\""): readDoubleQuoted()
            case UInt8(ascii: "$"), UInt8(ascii: "`"):
                command.isPlain = false
                append(byte)
            case UInt8(ascii: "<"), UInt8(ascii: ">"):
                endWord()
                command.isPlain = false
            case UInt8(ascii: "#") where word == nil:
                while position < bytes.count, bytes[position] != 0x0a { position += 1 }
            case _ where Self.operators.contains(byte): endCommand()
            case _ where Self.blanks.contains(byte): endWord()
            default:
                if Self.patterns.contains(byte) { command.isPlain = false }
                append(byte)
            }
        }
        endCommand()
        return commands
    }

    private mutating func append(_ byte: UInt8) { word = (word ?? []) + [byte] }

    private mutating func readEscaped() {
        guard position < bytes.count else { return }
        // A backslash at the end of a line joins it with the next.
        if bytes[position] != 0x0a { append(bytes[position]) }
        position += 1
    }

    private mutating func readQuoted() {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "'")) ?? bytes.count
        if end == bytes.count { command.isPlain = false }
        word = (word ?? []) + bytes[position..<end]
        position = min(end + 1, bytes.count)
    }

    private mutating func readDoubleQuoted() {
        word = word ?? []
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            var byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\\"), position < bytes.count, "\"\\$`\n".utf8.contains(bytes[position]) {
                byte = bytes[position]
                position += 1
                if byte == 0x0a { continue }
            } else if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`") {
                command.isPlain = false
            }
            append(byte)
        }
        if position >= bytes.count { command.isPlain = false }
        position += 1
    }

    private mutating func endWord() {
        if let word { command.words.append(String(decoding: word, as: UTF8.self)) }
        word = nil
    }

    private mutating func endCommand() {
        endWord()
        if !command.words.isEmpty { commands.append(command) }
        command = ShellCommand()
    }
}

import SystemPackage
import WorkFiles

/// The first line of a tool's output that says what went wrong; nil if none does.
///
/// Errors of compilers and assemblers are preferred: make only says afterwards that they failed.
func firstError(in output: String) -> String? {
    // Skip the first line: it is the command, which may contain any word.
    let lines = output.split(whereSeparator: \.isNewline).dropFirst()
    for signs in [
        [" error: ", " fatal error: ", ": Error: ", "internal compiler error"], [": not found", "No such file or directory", "command not found"],
        ["*** "], ["rror"],
    ] {
        if let line = lines.first(where: { line in signs.contains { line.contains($0) } && !line.hasPrefix("cd ") }) {
            return String(line)
        }
    }
    return lines.last.map(String.init)
}

extension BuildError {
    /// Whether the log says that a compiler or assembler could not find a file.
    var saysThatAFileIsMissing: Bool {
        guard let log, let bytes = try? WorkFiles.read(log) else { return false }
        let output = String(decoding: bytes, as: UTF8.self)
        // The messages of GCC and the assembler, and of Clang.
        return [Errno.noSuchFileOrDirectory.description, "file not found"].contains { output.contains($0) }
    }

    /// An error with the tool's first error message.
    static func fromLog(_ what: String, log: FilePath, help: String? = nil) -> BuildError {
        let output = (try? WorkFiles.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let said = firstError(in: output).map { ": \($0)" } ?? ""
        return BuildError(what + said, help: [help, "the whole output is in \(log)"].compactMap { $0 }.joined(separator: "; "), log: log)
    }
}

import Diagnostics

/// An ELF file that can't be read, or that can't be written.
public struct ELFError: ExplainedError, Equatable {
    /// The file's path, or another name that the user knows it by.
    public var file: String
    public var reason: String

    public init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }

    public var message: String { "\(file): \(reason)" }
    public var exitCode: ExitStatus { .usage }
}

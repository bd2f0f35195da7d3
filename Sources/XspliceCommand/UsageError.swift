import Diagnostics

/// The command line asks for something that can't be.
public struct UsageError: ExplainedError, Equatable {
    public var message: String
    public var help: String?
    public var exitCode: ExitStatus { .usage }

    public init(_ message: String, help: String? = nil) {
        self.message = message
        self.help = help
    }
}

import Diagnostics

/// The user asks for something impossible.
package struct UsageError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus { .usage }

    package init(_ message: String, help: String? = nil) {
        self.message = message
        self.help = help
    }
}

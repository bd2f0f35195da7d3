import Diagnostics

/// A step of a test drive or of a developers' tool that can't be done: something that it needs is missing, or failed. The error says what, why,
/// and what to do now.
package struct StepError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .internalFault) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
    }
}

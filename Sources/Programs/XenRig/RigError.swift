import Diagnostics

/// Something that a developers' tool needs is missing or failed. The error says what, why, and what to do now.
package struct RigError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .internalFault) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
    }
}

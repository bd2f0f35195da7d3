import Diagnostics

/// A tree, a configuration or a hypervisor image that is not what it should be.
package struct XenSourceError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus
    package var diagnosticID: DiagnosticID?

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .usage, diagnosticID: DiagnosticID? = nil) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
        self.diagnosticID = diagnosticID
    }
}

import Diagnostics

/// A tree, a configuration or a hypervisor image that is not what it should be.
public struct XenSourceError: ExplainedError, Equatable {
    public var message: String
    public var help: String?
    public var exitCode: ExitStatus
    public var diagnosticID: DiagnosticID?

    public init(_ message: String, help: String? = nil, exitCode: ExitStatus = .usage, diagnosticID: DiagnosticID? = nil) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
        self.diagnosticID = diagnosticID
    }
}

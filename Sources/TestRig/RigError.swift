import Diagnostics
import SystemPackage

/// Something that the rig needs is missing, or did not work: what, why, and what now.
public struct RigError: ExplainedError, Equatable {
    public var message: String
    public var help: String?
    public var exitCode: ExitStatus

    public init(_ message: String, help: String? = nil, exitCode: ExitStatus = .internalFault) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
    }
}

import Diagnostics

/// Something that developers' tools need is missing, or did not work: what, why, and what now.
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

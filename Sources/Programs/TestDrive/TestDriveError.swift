import Diagnostics
import SystemPackage

/// Something that a test drive needs is missing, or did not work: what, why, and what now.
package struct TestDriveError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus

    package init(_ message: String, help: String? = nil, exitCode: ExitStatus = .internalFault) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
    }
}

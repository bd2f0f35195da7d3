import Diagnostics
import Report
import SignOff
import XenBuild

/// The result of a build: an ending for each target, in their order. None of it is written yet.
package struct BuildResult: Sendable {
    /// How one target ended.
    package struct Ending: Sendable {
        package var report: BuildReport
        /// nil when the report's outcome is not `written`.
        package var payload: PayloadFile?
        /// The error of a failed build; nil for every other outcome.
        package var failure: BuildError?
        /// The page that tells it all; nil if the user wanted none.
        package var page: SignOffPage?
    }

    /// The bytes of a payload, and its file name as the report has it.
    package struct PayloadFile: Sendable, Equatable {
        package var name: String
        package var bytes: [UInt8]
    }

    package var endings: [Ending]
    /// The diagnostics about the patches alone. Each report's diagnostics begin with these.
    package var sharedDiagnostics: [Diagnostic]

    package var isForSeveral: Bool { endings.count > 1 }
    package var reports: [BuildReport] { endings.map(\.report) }
    /// The worst of the targets' outcomes.
    package var outcome: BuildReport.Outcome { BuildReport.Outcome.worst(reports.map(\.outcome)) }
}

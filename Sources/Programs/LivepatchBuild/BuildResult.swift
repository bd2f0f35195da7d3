import Diagnostics
import Report
import XenBuild

/// What a build came to: an ending for each target, in their order. Nothing of it is written yet.
package struct BuildResult: Sendable, Equatable {
    /// How one target ended.
    package struct Ending: Sendable, Equatable {
        package var report: BuildReport
        /// nil where the report's outcome is not `written`.
        package var payload: PayloadFile?
        /// The error of a build that failed.
        package var failure: BuildError?
    }

    /// The bytes of a payload, and the file name that its report has for it.
    package struct PayloadFile: Sendable, Equatable {
        package var name: String
        package var bytes: [UInt8]
    }

    package var endings: [Ending]
    /// What the patches alone gave rise to. Each report begins its diagnostics with these.
    package var sharedDiagnostics: [Diagnostic]

    package var isForSeveral: Bool { endings.count > 1 }
    package var reports: [BuildReport] { endings.map(\.report) }
    /// The worst of the targets' outcomes.
    package var outcome: BuildReport.Outcome { BuildReport.Outcome.worst(reports.map(\.outcome)) }
}

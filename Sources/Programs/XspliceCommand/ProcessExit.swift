import Diagnostics

/// How the process ends. Most commands end with one of the program's exit codes; `diff` has those of diff(1).
package struct ProcessExit: Sendable, Equatable {
    package var code: Int32

    private init(code: Int32) { self.code = code }

    package init(_ status: ExitStatus) { code = status.rawValue }

    package static let written = ProcessExit(.written)
    package static let internalFault = ProcessExit(.internalFault)
    package static let cannotBeLivePatched = ProcessExit(.cannotBeLivePatched)
    package static let patchDoesNotApply = ProcessExit(.patchDoesNotApply)
    package static let usage = ProcessExit(.usage)
    package static let interrupted = ProcessExit(.interrupted)

    /// `diff` found no difference.
    package static let same = ProcessExit(code: 0)
    /// `diff` found differences.
    package static let different = ProcessExit(code: 1)
    /// `diff` could not compare. 1, which is such a fault for other commands, has a meaning already.
    package static let trouble = ProcessExit(code: 2)
}

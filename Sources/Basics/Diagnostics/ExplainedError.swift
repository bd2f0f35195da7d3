/// An error that a person can act on: what happened, where, why, and what to do now.
///
/// Every error type of the stages conforms; the command line prints `message` and `help` and takes the exit code.
package protocol ExplainedError: Error, Sendable {
    /// One line that names the file or symbol concerned and the reason. No full stop at the end.
    var message: String { get }
    /// What the user can do about it, or nil when the message says everything.
    var help: String? { get }
    var exitCode: ExitStatus { get }
    /// The diagnostic that corresponds to the error, when the change itself is refused.
    var diagnosticID: DiagnosticID? { get }
}

extension ExplainedError {
    package var help: String? { nil }
    package var diagnosticID: DiagnosticID? { nil }
}

/// The exit codes of the program. Documented in `--help`, `Docs/ExitCodes.md` and the manual page.
package enum ExitStatus: Int32, Sendable, CaseIterable, Codable {
    case written = 0
    case internalFault = 1
    case nothingToPatch = 3
    case cannotBeLivePatched = 4
    case buildFailed = 5
    case originalDiffers = 6
    case patchDoesNotApply = 7
    /// EX_USAGE of sysexits.h: wrong options, or an input file that is not what it should be.
    case usage = 64
    /// 128 + SIGINT, as a shell reports it.
    case interrupted = 130

    /// One line for the help page.
    package var meaning: String {
        switch self {
        case .written: "the payload was written"
        case .internalFault: "a fault of this program or of the machine (disk full, for example)"
        case .nothingToPatch: "nothing to patch: no function or data that runs after boot differs"
        case .cannotBeLivePatched: "the change can't be live-patched as it is"
        case .buildFailed: "the build failed"
        case .originalDiffers: "the original does not reproduce the running hypervisor"
        case .patchDoesNotApply: "the patch does not apply"
        case .usage: "wrong usage, or an input that is not what it should be"
        case .interrupted: "interrupted"
        }
    }
}

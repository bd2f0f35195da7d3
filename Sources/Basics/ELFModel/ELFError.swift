import Diagnostics

/// An ELF file that can't be read, or that can't be written.
package struct ELFError: ExplainedError, Equatable {
    /// The file's path, or another name that the user knows it by.
    package var file: String
    package var reason: String

    package init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }

    package var message: String { "\(file): \(reason)" }
    package var exitCode: ExitStatus { .usage }
}

/// A file that can't be read or is not what it must be: not an ELF file, cut short, damaged, not a payload, for another machine.
package struct InputError: ExplainedError, Equatable {
    /// The file's path, or another name by which the user knows the file.
    package var file: String
    /// What is wrong with it: "is cut short".
    package var reason: String
    package var help: String?

    package init(file: some CustomStringConvertible, reason: String, help: String? = nil) {
        self.file = file.description
        self.reason = reason
        self.help = help
    }

    package var message: String { "\(file): \(reason)" }
    package var exitCode: ExitStatus { .usage }
}

/// A file that can't be read, or that is not what it must be: no ELF file, cut short, damaged, no payload, another machine's.
package struct InputError: ExplainedError, Equatable {
    /// The file's path, or another name that the user knows it by.
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

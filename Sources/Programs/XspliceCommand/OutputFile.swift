import ELFModel
import LivepatchBuild
import SignOff
import SystemPackage
import WorkFiles

/// A file outside any output folder that an option names to be written.
struct OutputFile: Sendable {
    private let path: FilePath

    /// Checks, before any work, that writing destroys nothing.
    ///
    /// - Parameters:
    ///   - option: `--html`, for the error.
    ///   - replaces: whether a file that is there, given its content, may be replaced.
    /// - Throws: `UsageError` when something else is there.
    init(_ option: String, _ name: String, replaces: (FilePath) throws -> Bool) throws {
        path = FilePath(name)
        switch try WorkFiles.kind(of: path) {
        case nil: return
        case .regular:
            guard try replaces(path) else { throw UsageError("\(option) \(path): has something else in it", help: "name a file that is not there yet") }
        default: throw UsageError("\(option) \(path): is not a regular file", help: "name a file that is not there yet")
        }
    }

    /// A page, which replaces only a page that this program made.
    static func page(_ name: String) throws -> OutputFile {
        try OutputFile("--html", name) { SignOffPage.isOne(try WorkFiles.readStart($0, count: 1 << 13)) }
    }

    /// The console of a test drive, which replaces anything but a program, an object or a payload.
    static func log(_ path: FilePath) throws -> OutputFile {
        try OutputFile("--log", path.string) { try WorkFiles.readStart($0, count: ELF.magic.count) != ELF.magic }
    }

    func write(_ text: String) throws(WorkFileError) { try WorkFiles.writeAtomically(Array(text.utf8), to: path) }
}

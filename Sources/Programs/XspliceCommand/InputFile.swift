import LivepatchBuild
import SystemPackage
import WorkFiles

/// A file that the user names.
enum InputFile {
    /// All of it.
    ///
    /// - Throws: `UsageError` that names a file that is missing or can't be read, or what is no file: a device has no end.
    static func read(_ path: FilePath) throws(UsageError) -> [UInt8] {
        do throws(WorkFileError) {
            return try WorkFiles.readRegular(path)
        } catch {
            let reason = error.errno == .invalidArgument ? "is not a regular file" : "cannot read: \(error.errno.description)"
            throw UsageError("\(path): \(reason)")
        }
    }
}

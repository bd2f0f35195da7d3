import LivepatchBuild
import SystemPackage
import WorkFiles

/// A file that the user names.
enum InputFile {
    /// Reads the whole file.
    ///
    /// - Parameter limit: in bytes.
    /// - Throws: `UsageError` that names the path: the file is missing or can't be read, or it is not a regular file (a device has no end).
    static func read(_ path: FilePath, limit: Int = WorkFiles.sizeLimit) throws(UsageError) -> [UInt8] {
        do throws(WorkFileError) {
            return try WorkFiles.read(path, limit: limit)
        } catch {
            let reason = error.errno == .invalidArgument ? "is not a regular file" : "cannot read: \(error.errno.description)"
            throw UsageError("\(path): \(reason)")
        }
    }
}

import SystemPackage
import WorkFiles

/// Who may write to a cache folder. What is kept there becomes part of payloads, and a checksum beside an entry shows damage only, as whoever
/// changes the entry can change the checksum too.
enum CacheTrust {
    /// Checks the folder, those above it, and its parts that exist already. What lies deeper was made by users who can write to these.
    ///
    /// - Parameter root: absolute, with its links resolved.
    /// - Throws: `BuildError` (exit 64) when anybody but root and the effective user can write to one of them; `WorkFileError`.
    static func check(_ root: FilePath) throws {
        if let (folder, access) = try WorkFiles.foreignAccessAbove(root) { throw refusal(of: root, as: "\(folder) \(access)") }
        for folder in [root] + (Cache.parts + ["dom0"]).map({ root.appending($0) }) where WorkFiles.isFolder(folder) {
            if let access = try WorkFiles.foreignAccess(to: folder) { throw refusal(of: root, as: "\(folder == root ? "it" : folder.string) \(access)") }
        }
    }

    private static func refusal(of root: FilePath, as reason: String) -> BuildError {
        BuildError(
            "cache folder \(root): \(reason), and what is kept there becomes part of payloads",
            help: "name a folder of your own with --cache-dir; to share one, let all builds run as one user", exitCode: .usage)
    }
}

import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A cache folder for files that are slow to get: the dom0, apt's lists.
///
/// Each item is a folder. It is either complete or made again: a marker beside it is written last, so that an interrupted
/// build never counts as a finished one. A marker without its folder counts for nothing. Processes that want the same item wait for each other.
package struct FolderCache: Sendable {
    /// Absolute.
    package var root: FilePath
    /// Called with one short line whenever a slow step begins.
    package var tell: @Sendable (String) -> Void

    /// A cache in `root`, which need not exist. A relative path counts from the current folder.
    package init(root: FilePath, tell: @escaping @Sendable (String) -> Void = { _ in }) {
        self.root = WorkFiles.absolute(root)
        self.tell = tell
    }

    /// The folder `name` below the root (it may have several components). `make` fills it if it is not in the cache.
    ///
    /// `recipe` says what the content depends on, apart from the name; content with another recipe is made again.
    /// `make` gets the empty folder. Throws what `make` throws, and `WorkFileError`.
    package func folder(
        _ name: String, recipe: String = "1", make: (FilePath) async throws -> Void
    ) async throws -> FilePath {
        let folder = root.appending(name)
        if isComplete(folder, recipe) { return folder }
        try WorkFiles.makeFolder(folder.removingLastComponent())
        let lock = try await FileLock.acquire(Self.beside(folder, "lock")) { tell("waiting for another process that makes \(name)") }
        defer { withExtendedLifetime(lock) {} }
        // Another process may have made the folder while this process waited.
        if isComplete(folder, recipe) { return folder }
        let marker = Self.beside(folder, "complete")
        try WorkFiles.remove(marker)
        try WorkFiles.remove(folder)
        try WorkFiles.makeFolder(folder)
        try await make(folder)
        try WorkFiles.writeAtomically(Array(recipe.utf8), to: marker)
        return folder
    }

    /// A folder for the caches of the program under test. The program refuses one that others can reach, as in a checkout below a folder that everybody
    /// can write to; then it is in `/tmp`.
    package func programCache(_ name: String) throws -> FilePath {
        try WorkFiles.makeFolder(root)
        let here = WorkFiles.resolved(root) ?? root
        let isSafe = try WorkFiles.foreignAccessAbove(here.appending(name)) == nil
        return (isSafe ? here : FilePath("/tmp/xsplice-rig-\(geteuid())")).appending(name)
    }

    /// The folder `name` if it exists and is complete, else nil; see `folder`.
    func existing(_ name: String, recipe: String = "1") -> FilePath? {
        let folder = root.appending(name)
        return isComplete(folder, recipe) ? folder : nil
    }

    private func isComplete(_ folder: FilePath, _ recipe: String) -> Bool {
        WorkFiles.isFolder(folder) && (try? WorkFiles.read(Self.beside(folder, "complete"))) == Array(recipe.utf8)
    }

    /// The cache's own file for an item: `.NAME.complete`, `.NAME.lock`.
    private static func beside(_ folder: FilePath, _ kind: String) -> FilePath {
        folder.removingLastComponent().appending(".\(folder.lastComponent?.string ?? "").\(kind)")
    }
}

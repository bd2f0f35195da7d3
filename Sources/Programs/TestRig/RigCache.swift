import Diagnostics
import FoundationEssentials
import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The folder in which the rig keeps what is slow to get: Xen sources and builds, the dom0, apt's lists.
///
/// Each item is a folder that is either whole or made anew: a marker beside it is written last, so that an interrupted
/// build is never taken for a finished one. Processes that want the same item wait for each other.
package struct RigCache: Sendable {
    /// Absolute.
    package var root: FilePath
    /// Called with one short line whenever something slow begins.
    package var tell: @Sendable (String) -> Void

    /// A cache in `root`, which need not exist. A relative path is taken from the current folder.
    package init(root: FilePath, tell: @escaping @Sendable (String) -> Void = { _ in }) {
        let current = FilePath(FileManager.default.currentDirectoryPath)
        self.root = current.pushing(root).lexicallyNormalized()
        self.tell = tell
    }

    /// The cache that `$XSPLICE_RIG_CACHE` names, else `.cache` in the current folder.
    package static func standard(tell: @escaping @Sendable (String) -> Void = { _ in }) -> RigCache {
        let named = getenv("XSPLICE_RIG_CACHE").map { String(cString: $0) } ?? ""
        return RigCache(root: FilePath(named.isEmpty ? ".cache" : named), tell: tell)
    }

    /// The folder `name` (below the root; may have several components), made by `make` unless it is there already.
    ///
    /// `recipe` says what the content depends on beside the name; content made after another recipe is made anew.
    /// `make` gets the empty folder. Throws what `make` throws, `WorkFileError` and `RigError`.
    package func folder(
        _ name: String, recipe: String = "1", make: (FilePath) async throws -> Void
    ) async throws -> FilePath {
        let folder = root.appending(name)
        let base = folder.lastComponent?.string ?? name
        let parent = folder.removingLastComponent()
        let marker = parent.appending(".\(base).complete")
        if isComplete(marker, recipe) { return folder }
        try Folder.create(parent)
        return try await locked(parent.appending(".\(base).lock"), name) {
            // Another process may have made it while this one waited.
            if isComplete(marker, recipe) { return folder }
            try Folder.remove(marker)
            try Folder.remove(folder)
            try Folder.create(folder)
            try await make(folder)
            try WorkFiles.writeAtomically(Array(recipe.utf8), to: marker)
            return folder
        }
    }

    /// The folder `name`, when it is there and whole; see `folder`.
    func existing(_ name: String, recipe: String = "1") -> FilePath? {
        let folder = root.appending(name), base = folder.lastComponent?.string ?? name
        return isComplete(folder.removingLastComponent().appending(".\(base).complete"), recipe) ? folder : nil
    }

    private func isComplete(_ marker: FilePath, _ recipe: String) -> Bool {
        (try? WorkFiles.read(marker)) == Array(recipe.utf8)
    }

    /// Runs `body` while this process holds the lock file; the system frees it when the process ends, however it ends.
    private func locked<R>(_ file: FilePath, _ name: String, _ body: () async throws -> R) async throws -> R {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(
                file, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite])
        } catch let errno as Errno {
            throw WorkFileError("cannot lock", file, errno)
        }
        defer { try? descriptor.close() }
        var told = false
        while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw WorkFileError("cannot lock", file, Errno(rawValue: errno))
            }
            if !told { tell("waiting for another process that makes \(name)") }
            told = true
            try await Task.sleep(for: .milliseconds(300))
        }
        return try await body()
    }
}

/// Whole folders: the operations that swift-system leaves to Foundation, with errors that name the path.
enum Folder {
    static func create(_ path: FilePath) throws {
        try attempt("cannot create the folder", path) {
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        }
    }

    /// Removes the file or the folder with all that is in it; fine when there is none.
    static func remove(_ path: FilePath) throws {
        guard exists(path) else { return }
        try attempt("cannot remove", path) { try FileManager.default.removeItem(atPath: path.string) }
    }

    static func move(_ path: FilePath, to destination: FilePath) throws {
        try attempt("cannot move to \(destination)", path) {
            try FileManager.default.moveItem(atPath: path.string, toPath: destination.string)
        }
    }

    static func exists(_ path: FilePath) -> Bool {
        FileManager.default.fileExists(atPath: path.string)
    }

    /// The names in the folder, sorted; none where there is no such folder.
    static func names(in path: FilePath) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []).sorted()
    }

    /// The paths, relative to the folder and sorted, of all that is in it at any depth.
    static func paths(below path: FilePath) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: path.string)) ?? []).sorted()
    }

    private static func attempt(_ operation: String, _ path: FilePath, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            throw RigError("\(operation) \(path): \(error)")
        }
    }
}

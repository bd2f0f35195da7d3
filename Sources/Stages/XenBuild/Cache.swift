import SystemPackage
import WorkFiles

/// The folder of private trees and compiled objects:
///
///     trees/KEY/NAME/     a prepared tree; complete when trees/KEY/complete names it
///     trees/KEY/files     what is in it, file by file
///     objects/XX/KEY.*    a compiled object, its dependencies, and the digest of both
///     work/NAME/          one run's own files, removed at its end or by the next run
///     locks/KEY           taken while trees/KEY is made
///     users               shared by all runs that use the folder; who removes things has it alone
struct Cache: Sendable {
    /// Part of every key: changes when what is kept, or how it is made, changes.
    static let schema = "3"
    /// The folders that are made and removed here.
    static let parts = ["trees", "objects", "work", "locks"]
    /// What else may lie in a cache folder: the dom0s of test drives, and what a file system has of its own.
    private static let neighbours = ["users", "dom0", "lost+found"]

    let root: FilePath

    /// Makes the folder when it is missing, and what belongs into it.
    ///
    /// - Throws: `BuildError` (exit 64) for a folder that make could not work in, and for somebody else's.
    init(_ root: FilePath) throws {
        // Looked at before anything is made: the folder as it will be, behind the links that exist already.
        try Self.checkName(Self.destination(of: root))
        try Self.checkContent(root)
        try WorkFiles.makeFolder(root)
        guard let resolved = WorkFiles.resolved(root) else { throw BuildError("\(root): no such folder") }
        self.init(resolved: resolved)
        for name in Self.parts { try WorkFiles.makeFolder(resolved.appending(name)) }
    }

    private init(resolved: FilePath) { root = resolved }

    /// The folder as it is: nothing is made, so that each of its parts may be missing.
    ///
    /// - Returns: nil where there is no such folder, and for an empty one.
    /// - Throws: `BuildError` (exit 64) for somebody else's folder.
    static func existing(_ root: FilePath) throws -> Cache? {
        guard WorkFiles.isFolder(root), let resolved = WorkFiles.resolved(root) else { return nil }
        guard try !WorkFiles.names(in: resolved).isEmpty else { return nil }
        try checkContent(resolved)
        return Cache(resolved: resolved)
    }

    /// Things are removed from cache folders, and who says `--cache-dir ~` does not mean those of `~/trees`.
    private static func checkContent(_ root: FilePath) throws {
        guard WorkFiles.isFolder(root) else { return }
        // The first use makes this file, and nobody ever writes to it.
        if case .regular(size: 0, executable: _)? = try WorkFiles.kind(of: root.appending("users")) { return }
        guard try WorkFiles.names(in: root).allSatisfy({ parts.contains($0) || neighbours.contains($0) }) else {
            throw BuildError(
                "cache folder \(root): is not empty, and is not a cache folder of this program",
                help: "name a folder that is empty or does not exist yet with --cache-dir", exitCode: .usage)
        }
    }

    /// Xen's makefiles take their own path apart at white space, and shells and make read the rest.
    private static func checkName(_ path: FilePath) throws {
        let isUsable = path.string.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte >= 0x80
                || "-_+./,@%".utf8.contains(byte)
        }
        guard isUsable else {
            throw BuildError(
                "cache folder '\(path)': Xen's makefiles can't work in a path with spaces or special characters",
                help: "give another with --cache-dir", exitCode: .usage)
        }
    }

    /// Where a folder is, or would be when it is made.
    private static func destination(of path: FilePath) -> FilePath {
        if let resolved = WorkFiles.resolved(path) { return resolved }
        guard path != ".", let name = path.lastComponent else { return path }
        let parent = path.removingLastComponent()
        return destination(of: parent.isEmpty ? "." : parent).appending(name)
    }

    var users: FilePath { root.appending("users") }
    var objects: ObjectStore { ObjectStore(root: root.appending("objects")) }
    func tree(_ key: String) -> TreePlace { TreePlace(folder: root.appending("trees").appending(key)) }
    func lock(_ key: String) -> FilePath { root.appending("locks").appending(key) }

    /// Gives one run a folder of its own, and removes those whose owners are gone.
    func makeWorkArea() throws -> WorkArea {
        let all = root.appending("work")
        for name in try WorkFiles.names(in: all) {
            let folder = all.appending(name)
            guard let kind = try WorkFiles.kind(of: folder), kind == .folder else { continue }
            // A folder without the lock file is being made this moment, or is older than its owner's death.
            guard WorkFiles.isReadableFile(folder.appending("lock")),
                let lock = try FileLock.tryAcquire(folder.appending("lock"))
            else { continue }
            try WorkFiles.remove(folder)
            _ = lock
        }
        while true {
            let folder = all.appending(randomName())
            guard try WorkFiles.kind(of: folder) == nil else { continue }
            try WorkFiles.makeFolder(folder)
            guard let lock = try FileLock.tryAcquire(folder.appending("lock")) else { continue }
            return WorkArea(folder: folder, lock: lock)
        }
    }
}

/// A folder that belongs to one run while the run lives.
final class WorkArea: Sendable {
    let folder: FilePath
    private let lock: FileLock

    init(folder: FilePath, lock: FileLock) {
        self.folder = folder
        self.lock = lock
    }

    func remove() { try? WorkFiles.remove(folder) }
}

/// Where the private tree of one key is kept. To be used with the key's lock held.
///
/// Each attempt has a folder of its own: make outlives a killed run for a moment and must not write into the next one's.
struct TreePlace: Sendable {
    let folder: FilePath

    private var marker: FilePath { folder.appending("complete") }
    private var record: FilePath { folder.appending("files") }

    /// What makes a tree complete: its folder, the digest of the record of its files, and their size.
    fileprivate struct Marker {
        var name: String
        var digest: String
        /// In bytes.
        var size: Int64

        var bytes: [UInt8] { Array("\(name) \(digest) \(size)".utf8) }
    }

    /// The finished tree, or nil. Every file of it is read: one that is damaged or lost makes the whole tree count as missing.
    ///
    /// - Throws: `WorkFileError` when a file can't be read that need not be damaged; `CancellationError`.
    func completed(jobs: Int) async throws -> FilePath? {
        guard let marker = (try? WorkFiles.read(marker)).flatMap(Marker.init), let bytes = try? WorkFiles.read(record),
            ContentKey.of(bytes) == marker.digest, let files = FolderRecord(bytes: bytes)
        else { return nil }
        let path = folder.appending(marker.name)
        guard try await files.holds(for: path, jobs: jobs) else { return nil }
        WorkFiles.touch(self.marker)
        return path
    }

    /// When it was last used; nil for a tree that is not complete.
    var lastUsed: Double? { WorkFiles.lastTouched(marker) }

    /// Of all files, in bytes.
    func size() throws -> Int64 {
        if let bytes = try? WorkFiles.read(marker), let marker = Marker(bytes: bytes) { return marker.size }
        return try WorkFiles.size(of: folder)
    }

    /// A new folder for one attempt; what an earlier one left is removed as far as it can be.
    func begin() throws -> FilePath {
        removeAll()
        let path = folder.appending(randomName())
        try WorkFiles.makeFolder(path)
        return path
    }

    func complete(_ attempt: FilePath, jobs: Int) async throws {
        let files = try await FolderRecord(of: attempt, jobs: jobs).bytes
        try WorkFiles.writeAtomically(files, to: record)
        let marker = Marker(
            name: attempt.lastComponent?.string ?? "", digest: ContentKey.of(files), size: try WorkFiles.size(of: attempt) + Int64(files.count))
        try WorkFiles.writeAtomically(marker.bytes, to: self.marker)
    }

    func removeAll() {
        try? WorkFiles.remove(marker)
        for name in (try? WorkFiles.names(in: folder)) ?? [] { try? WorkFiles.remove(folder.appending(name)) }
        try? WorkFiles.remove(folder)
    }
}

extension TreePlace.Marker {
    /// - Returns: nil for bytes that are no marker.
    fileprivate init?(bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, !words[0].isEmpty, let size = Int64(words[2]) else { return nil }
        self.init(name: words[0], digest: words[1], size: size)
    }
}

private func randomName() -> String { String(UInt64.random(in: 1...UInt64.max), radix: 36) }

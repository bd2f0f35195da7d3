import SystemPackage
import WorkFiles

/// The folder for private trees and compiled objects:
///
///     trees/KEY/NAME/     a prepared tree; complete when trees/KEY/complete names it
///     trees/KEY/files     the record of its files
///     objects/XX/KEY.*    a compiled object, its dependencies, and the digest of both
///     work/NAME/          one run's own files, removed at its end or by the next run
///     locks/KEY           locked while trees/KEY is made
///     users               locked by all runs that use the folder together, or by one that removes things alone
///     CACHEDIR.TAG        says whose folder this is; backups know the name too
struct Cache: Sendable {
    /// Part of every key. It changes when the kept files, or the way they are made, change.
    static let schema = "5"
    /// Part of all records about preprocessed sources. It changes when other sources count as the same, or as without effect.
    static let judgement = "1"
    /// The folders that this program makes and removes.
    static let parts = ["trees", "objects", "work", "locks"]
    /// Other names that are allowed in a cache folder: the dom0s of test drives, and a file system's own folder.
    private static let neighbours = ["users", "dom0", "lost+found", tagName]
    private static let tagName = "CACHEDIR.TAG"
    /// As bford.info/cachedir has it, and this program's name, without which the folder is another program's.
    private static let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of xsplice-build. `xsplice-build cache clear` empties it.\n"

    let root: FilePath

    /// Makes the folder and its parts if they are missing, for this user alone.
    ///
    /// - Throws: `BuildError` (exit 64) for a folder that make could not work in, for a folder that is not a cache folder, and for one that
    ///   somebody else can change.
    init(_ root: FilePath) throws {
        // Check the final path before anything is made: existing links are resolved.
        try Self.checkName(Self.destination(of: root))
        try Self.checkContent(root)
        try WorkFiles.makeFolder(root, permissions: Self.permissions)
        guard let resolved = WorkFiles.resolved(root) else { throw BuildError("\(root): no such folder") }
        try CacheTrust.check(resolved)
        self.init(resolved: resolved)
        if !Self.hasTag(resolved) { try WorkFiles.writeAtomically(Array(Self.tag.utf8), to: resolved.appending(Self.tagName)) }
        for name in Self.parts { try WorkFiles.makeFolder(resolved.appending(name), permissions: Self.permissions) }
    }

    private static let permissions = FilePermissions.ownerReadWriteExecute

    private init(resolved: FilePath) { root = resolved }

    /// The existing folder. Nothing is made, so any of its parts may be missing.
    ///
    /// - Returns: nil if there is no such folder, or if it is empty.
    /// - Throws: `BuildError` (exit 64) for a folder that is not a cache folder, and for one that somebody else can change.
    static func existing(_ root: FilePath) throws -> Cache? {
        guard WorkFiles.isFolder(root), let resolved = WorkFiles.resolved(root) else { return nil }
        guard try !WorkFiles.names(in: resolved).isEmpty else { return nil }
        try checkContent(resolved)
        try CacheTrust.check(resolved)
        return Cache(resolved: resolved)
    }

    /// Files are removed from cache folders. A user who passes `--cache-dir ~` does not want to lose `~/trees`.
    private static func checkContent(_ root: FilePath) throws {
        guard WorkFiles.isFolder(root) else { return }
        if hasTag(root) { return }
        // A cache of an earlier version has no tag. Its file `users` is empty; names alone prove nothing, so look at what is in the parts.
        let hasUsers = if case .regular(size: 0, executable: _)? = try WorkFiles.kind(of: root.appending("users")) { true } else { false }
        let names = try WorkFiles.names(in: root)
        let areKnown = hasUsers || names.allSatisfy { parts.contains($0) || neighbours.contains($0) || isUnfinishedTag($0) }
        guard try areKnown && !names.contains(tagName) && names.filter(parts.contains).allSatisfy({ try hasOnlyOurs(root.appending($0), part: $0) }) else {
            throw BuildError(
                "cache folder \(root): is not empty, and is not a cache folder of this program",
                help: "name a folder that is empty or does not exist yet with --cache-dir", exitCode: .usage)
        }
    }

    /// What a run leaves that is killed while it writes the tag.
    private static func isUnfinishedTag(_ name: String) -> Bool { name.hasPrefix(".\(tagName).") && name.hasSuffix(".tmp") }

    private static func hasTag(_ root: FilePath) -> Bool {
        (try? WorkFiles.read(root.appending(tagName), limit: 4096)) == Array(tag.utf8)
    }

    /// Whether everything in a part of a cache has a name as the program gives it.
    private static func hasOnlyOurs(_ folder: FilePath, part: String) throws -> Bool {
        guard try WorkFiles.kind(of: folder) == .folder else { return false }
        func isKey(_ name: Substring) -> Bool { name.utf8.count == ContentKey.length && name.allSatisfy { $0.isHexDigit && !$0.isUppercase } }
        return try WorkFiles.names(in: folder).allSatisfy { name in
            let path = folder.appending(name), kind = try WorkFiles.kind(of: path)
            switch part {
            case "trees", "locks":
                return isKey(name.prefix { $0 != "-" }) && (kind == .folder) == (part == "trees")
            case "objects":
                guard name.utf8.count == 2, kind == .folder else { return false }
                return try WorkFiles.names(in: path).allSatisfy { isKey($0.drop { $0 == "." }.prefix { $0 != "." }) }
            default:
                // A run makes the lock first. One that was killed before left an empty folder.
                guard kind == .folder, UInt64(name, radix: 36) != nil else { return false }
                let names = try WorkFiles.names(in: path)
                return names.isEmpty || names.contains("lock")
            }
        }
    }

    /// Xen's makefiles split their own path at white space, and shells and make interpret other special characters.
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

    /// The path of a folder with links resolved, even if the folder does not exist yet.
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

    /// Makes a folder for one run, and removes the folders of runs that have ended.
    func makeWorkArea() throws -> WorkArea {
        let all = root.appending("work")
        for name in try WorkFiles.names(in: all) {
            let folder = all.appending(name)
            guard let kind = try WorkFiles.kind(of: folder), kind == .folder else { continue }
            // A folder without the lock file is being made at this moment, or its run died before making the lock file.
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

/// A folder that belongs to one run for as long as the run lives.
final class WorkArea: Sendable {
    let folder: FilePath
    private let lock: FileLock

    init(folder: FilePath, lock: FileLock) {
        self.folder = folder
        self.lock = lock
    }

    func remove() { try? WorkFiles.remove(folder) }
}

/// The place for the private tree of one key. Hold the key's lock while using it.
///
/// Each attempt gets its own folder: make may outlive a killed run for a moment, and must not write into the next run's folder.
struct TreePlace: Sendable {
    let folder: FilePath

    private var marker: FilePath { folder.appending("complete") }
    private var record: FilePath { folder.appending("files") }

    /// Marks a tree as complete: the tree's folder, the digest of the record of its files, and their size.
    fileprivate struct Marker {
        var name: String
        var digest: String
        /// In bytes.
        var size: Int64

        var bytes: [UInt8] { Array("\(name) \(digest) \(size)".utf8) }
    }

    /// The finished tree; nil if there is none. It reads every file: if one is damaged or lost, or somebody else can change one of the folders,
    /// the whole tree counts as missing.
    ///
    /// - Throws: `WorkFileError` when a file can't be read but may be undamaged; `CancellationError`.
    func completed(jobs: Int) async throws -> FilePath? {
        guard WorkFiles.isOursAlone(folder),
            let marker = (try? WorkFiles.read(marker)).flatMap(Marker.init), let bytes = try? WorkFiles.read(record),
            ContentKey.of(bytes) == marker.digest, let files = FolderRecord(bytes: bytes)
        else { return nil }
        let path = folder.appending(marker.name)
        guard try await files.holds(for: path, jobs: jobs) else { return nil }
        WorkFiles.touch(self.marker)
        return path
    }

    /// When the tree was last used; nil if it is not complete.
    var lastUsed: Double? { WorkFiles.lastTouched(marker) }

    /// The size of all files, in bytes.
    func size() throws -> Int64 {
        if let bytes = try? WorkFiles.read(marker), let marker = Marker(bytes: bytes) { return marker.size }
        return try WorkFiles.size(of: folder)
    }

    /// Makes a new folder for one attempt. It removes what it can of earlier attempts.
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
    /// - Returns: nil if the bytes are not a marker.
    fileprivate init?(bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, !words[0].isEmpty, let size = Int64(words[2]) else { return nil }
        self.init(name: words[0], digest: words[1], size: size)
    }
}

private func randomName() -> String { String(UInt64.random(in: 1...UInt64.max), radix: 36) }

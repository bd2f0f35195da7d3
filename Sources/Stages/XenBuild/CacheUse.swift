import Diagnostics
import SystemPackage
import WorkFiles

/// A run's use of the cache folder. Meanwhile nothing is removed from the folder.
///
/// `buildObjectPairs` and `buildHypervisor` return files in that folder, so the use must not end before they have been read.
package struct CacheUse: ~Copyable, Sendable {
    private let cache: Cache
    private let lock: FileLock

    /// Makes the folder if it is missing. Waits while another run removes things from it.
    ///
    /// - Throws: `BuildError` (exit 64) for a folder that make can't work in, and for a folder that is not a cache folder;
    ///   `WorkFileError`, `CancellationError`.
    package static func begin(_ folder: FilePath) async throws -> CacheUse {
        let lock = try await FileLock.acquire(try Cache(folder).users, .shared)
        // Make it again: the run that had the lock may have removed everything in it.
        return CacheUse(cache: try Cache(folder), lock: lock)
    }

    private init(cache: Cache, lock: FileLock) {
        self.cache = cache
        self.lock = lock
    }

    /// Ends the use and frees space, starting with what was unused for the longest time. Nothing is removed while other runs use the
    /// folder; the last of them does it.
    ///
    /// - Parameter limit: in bytes; nil for none.
    package consuming func end(limit: Int64?) throws {
        let content = CacheContent(cache)
        _ = consume self
        if let limit { try content.trim(to: limit) }
    }
}

/// The contents of a cache folder: counts and sizes.
package struct CacheUsage: Sendable, Equatable, Codable {
    package struct Part: Sendable, Equatable, Codable {
        package var count = 0
        /// In bytes.
        package var size: Int64 = 0
    }

    /// Private copies of Xen trees, configured, with their generated files.
    package var trees = Part()
    package var objects = Part()
    /// Folders of runs that are active or were killed.
    package var work = Part()

    package init() {}

    /// In bytes.
    package var size: Int64 { trees.size + objects.size + work.size }
}

/// Measures a cache folder without making anything in it.
///
/// - Returns: zero counts if the folder does not exist or is empty.
/// - Throws: `BuildError` (exit 64) for a folder that is not a cache folder; `WorkFileError`.
package func cacheUsage(of folder: FilePath) throws -> CacheUsage {
    guard let cache = try Cache.existing(folder) else { return CacheUsage() }
    return try CacheContent(cache).usage()
}

/// Removes everything in a cache folder.
///
/// - Returns: what was there.
/// - Throws: `BuildError` when another run uses the folder, and (exit 64) for a folder that is not a cache folder; `WorkFileError`.
package func clearCache(_ folder: FilePath) throws -> CacheUsage {
    guard let cache = try Cache.existing(folder) else { return CacheUsage() }
    return try CacheContent(cache).clear()
}

private struct CacheContent {
    let cache: Cache

    init(_ cache: Cache) { self.cache = cache }

    /// The names in a part of the folder; empty if the part is missing.
    private func names(in part: String) throws -> [String] {
        let folder = cache.root.appending(part)
        guard WorkFiles.isFolder(folder) else { return [] }
        return try WorkFiles.names(in: folder)
    }

    private func objects() throws -> [ObjectStore.Usage] {
        guard WorkFiles.isFolder(cache.objects.root) else { return [] }
        return try cache.objects.usage()
    }

    func usage() throws -> CacheUsage {
        var usage = CacheUsage()
        for name in try names(in: "trees") {
            usage.trees.count += 1
            usage.trees.size += try cache.tree(name).size()
        }
        for entry in try objects() {
            usage.objects.count += 1
            usage.objects.size += entry.size
        }
        let work = cache.root.appending("work")
        for name in try names(in: "work") {
            usage.work.count += 1
            // The folder may vanish meanwhile.
            usage.work.size += (try? WorkFiles.size(of: work.appending(name))) ?? 0
        }
        return usage
    }

    func clear() throws -> CacheUsage {
        guard let lock = try FileLock.tryAcquire(cache.users) else {
            throw BuildError("the cache folder \(cache.root) is in use by another run", help: "wait until it has ended", exitCode: .internalFault)
        }
        defer { withExtendedLifetime(lock) {} }
        let usage = try usage()
        for name in Cache.parts { try WorkFiles.remove(cache.root.appending(name)) }
        return usage
    }

    /// Removes what was unused for the longest time until at most nine tenths of the limit are left. The margin saves the next runs from
    /// trimming again.
    func trim(to limit: Int64) throws {
        guard let lock = try FileLock.tryAcquire(cache.users) else { return }
        defer { withExtendedLifetime(lock) {} }
        var things: [(lastUsed: Double, size: Int64, remove: () throws -> Void)] = []
        for name in try names(in: "trees") {
            let place = cache.tree(name)
            things.append((place.lastUsed ?? 0, try place.size(), { place.removeAll() }))
        }
        for entry in try objects() {
            things.append((entry.lastUsed ?? 0, entry.size, { try cache.objects.remove(entry.key) }))
        }
        var size = things.reduce(0) { $0 + $1.size }
        guard size > limit else { return }
        for thing in things.sorted(by: { $0.lastUsed < $1.lastUsed }) where size > limit / 10 * 9 {
            try thing.remove()
            size -= thing.size
        }
    }
}

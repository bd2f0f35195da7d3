import SystemPackage
import WorkFiles

/// Compiled objects that are kept between runs, each with the list of files that it was made from; and what is known of their preprocessed
/// sources.
struct ObjectStore: Sendable {
    struct Entry: Sendable, Equatable {
        var object: FilePath
        /// Paths of the files that the compiler read, relative to `xen/`, links resolved.
        var dependencies: Set<String>
    }

    /// A preprocessed source, and the files that it was made from.
    struct PreprocessedSource: Sendable, Equatable {
        var text: PreprocessedText
        /// Relative to `xen/`, links resolved.
        var read: Set<String>
    }

    let root: FilePath

    private func path(_ key: String, _ suffix: String) -> FilePath {
        root.appending(String(key.prefix(2))).appending("\(key).\(suffix)")
    }

    /// The entry, if it is there and undamaged. A damaged one counts as missing, and so does one in a folder that somebody else can change.
    func find(_ key: String) -> Entry? {
        guard WorkFiles.isOursAlone(path(key, "o").removingLastComponent()), let sum = try? WorkFiles.read(path(key, "sum")),
            let object = try? WorkFiles.read(path(key, "o")),
            let list = try? WorkFiles.read(path(key, "list")), String(decoding: sum, as: UTF8.self) == Self.sum(object, list)
        else { return nil }
        WorkFiles.touch(path(key, "sum"))
        return Entry(object: path(key, "o"), dependencies: Self.names(list))
    }

    /// What was found out about the preprocessed source of an object; nil if nothing was.
    func findSource(_ key: String) -> PreprocessedSource? {
        guard let lines = findRecord(path(key, Self.sourceSuffix)), let digest = lines.first else { return nil }
        return PreprocessedSource(text: PreprocessedText(digest: digest), read: Set(lines.dropFirst()))
    }

    func store(_ key: String, source: PreprocessedSource) throws {
        try storeRecord([source.text.digest] + source.read.sorted(), at: path(key, Self.sourceSuffix))
    }

    /// Whether it was found that what a patched object emits does not use what differs between two preprocessed sources; nil if nobody looked.
    ///
    /// - Parameters:
    ///   - key: the patched object's.
    ///   - texts: the original's source and its own.
    func findVerdict(_ key: String, on texts: (PreprocessedText, PreprocessedText)) -> Bool? {
        guard let lines = findRecord(path(key, Self.verdictSuffix)), lines.count == 3, lines[0] == texts.0.digest, lines[1] == texts.1.digest else {
            return nil
        }
        return lines[2] == Self.withoutEffect
    }

    func store(_ key: String, verdict isWithoutEffect: Bool, on texts: (PreprocessedText, PreprocessedText)) throws {
        try storeRecord([texts.0.digest, texts.1.digest, isWithoutEffect ? Self.withoutEffect : "may differ"], at: path(key, Self.verdictSuffix))
    }

    private static let sourceSuffix = "preprocessed", verdictSuffix = "verdict", withoutEffect = "without effect"

    /// The lines of a record; nil if it is not there, is damaged, or is in a folder that somebody else can change.
    private func findRecord(_ file: FilePath) -> [String]? {
        guard WorkFiles.isOursAlone(file.removingLastComponent()), let bytes = try? WorkFiles.read(file) else { return nil }
        let lines = Self.lines(bytes)
        guard lines.count > 1, lines[0] == ContentKey.of([Cache.judgement] + lines[1...]) else { return nil }
        WorkFiles.touch(file)
        return Array(lines[1...])
    }

    private func storeRecord(_ lines: [String], at file: FilePath) throws {
        try WorkFiles.makeFolder(file.removingLastComponent())
        try WorkFiles.writeAtomically(Array(([ContentKey.of([Cache.judgement] + lines)] + lines).joined(separator: "\n").utf8), to: file)
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// An entry as seen when space is freed: all files whose names begin with its key, or with a dot and its key. A killed run leaves the
    /// latter.
    struct Usage: Sendable {
        var key: String
        /// In bytes.
        var size: Int64 = 0
        /// nil for an entry that was never finished.
        var lastUsed: Double?
    }

    /// All entries, finished or not.
    func usage() throws -> [Usage] {
        var result: [String: Usage] = [:]
        try WorkFiles.walk(root) { path, kind in
            guard case .regular(let size, _) = kind, let name = path.split(separator: "/").last else { return true }
            let key = String(name.drop { $0 == "." }.prefix { $0 != "." })
            result[key, default: Usage(key: key)].size += size
            if name.hasSuffix(".sum") || name.hasSuffix(".\(Self.sourceSuffix)") || name.hasSuffix(".\(Self.verdictSuffix)"),
                let touched = WorkFiles.lastTouched(root.appending(path))
            {
                let before = result[key]?.lastUsed ?? touched
                result[key]?.lastUsed = max(before, touched)
            }
            return true
        }
        return Array(result.values)
    }

    func remove(_ key: String) throws {
        // Without its sum an entry does not count.
        try WorkFiles.remove(path(key, "sum"))
        let folder = path(key, "o").removingLastComponent()
        for name in try WorkFiles.names(in: folder) where name.drop(while: { $0 == "." }).hasPrefix("\(key).") {
            try WorkFiles.remove(folder.appending(name))
        }
    }

    /// Stores a compiler's output. Parallel runs may store the same entry, so the file that makes it valid is written last.
    func store(_ key: String, object: FilePath, dependencies: Set<String>) throws -> Entry {
        try WorkFiles.makeFolder(path(key, "o").removingLastComponent())
        let bytes = try WorkFiles.read(object)
        let list = Array(dependencies.sorted().joined(separator: "\n").utf8)
        try WorkFiles.writeAtomically(bytes, to: path(key, "o"))
        try WorkFiles.writeAtomically(list, to: path(key, "list"))
        try WorkFiles.writeAtomically(Array(Self.sum(bytes, list).utf8), to: path(key, "sum"))
        try WorkFiles.remove(object)
        return Entry(object: path(key, "o"), dependencies: dependencies)
    }

    private static func sum(_ object: [UInt8], _ list: [UInt8]) -> String {
        var key = ContentKey()
        key.add(object)
        key.add(list)
        return key.finished()
    }

    private static func names(_ list: [UInt8]) -> Set<String> {
        Set(list.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) })
    }
}

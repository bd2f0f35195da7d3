import SystemPackage
import WorkFiles

/// A record of a folder's files, which shows later whether all of them are still there and unchanged.
///
/// In bytes, each file has its kind (a letter), the digest of its content, and its path in the folder, ended by NUL.
struct FolderRecord: Sendable {
    private enum Kind: String {
        case file = "f"
        case executable = "x"
        /// A symbolic link. Its content is the path that it leads to.
        case link = "l"
    }

    private struct Entry: Sendable, Equatable {
        var path: String
        var kind: Kind
        /// 64 hexadecimal digits.
        var digest: String
    }

    private var entries: [Entry]

    /// Reads the folder. It records files and links only: no empty folders, and nothing else.
    init(of folder: FilePath, jobs: Int) async throws {
        var paths: [String] = []
        try WorkFiles.walk(folder) { path, kind in
            switch kind {
            case .regular, .symbolicLink: paths.append(path)
            case .folder, .other: break
            }
            return true
        }
        entries = try await Self.inParts(paths, jobs: jobs) { try Self.entry($0, in: folder) }
    }

    /// - Returns: nil if the bytes are not a record.
    init?(bytes: [UInt8]) {
        entries = []
        guard bytes.last == 0 else { return nil }
        for part in bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false) {
            guard part.count > 65, let kind = Kind(rawValue: String(decoding: part.prefix(1), as: UTF8.self)) else { return nil }
            let digest = String(decoding: part.dropFirst().prefix(64), as: UTF8.self)
            entries.append(Entry(path: String(decoding: part.dropFirst(65), as: UTF8.self), kind: kind, digest: digest))
        }
    }

    var bytes: [UInt8] { entries.flatMap { Array("\($0.kind.rawValue)\($0.digest)\($0.path)".utf8) + [0] } }

    /// Whether every recorded file is still in the folder and unchanged, and nobody else can put files there. Additional files do not matter:
    /// commands that run there may make temporary files.
    ///
    /// - Throws: `WorkFileError` if a file can't be read now, but may be unchanged.
    func holds(for folder: FilePath, jobs: Int) async throws -> Bool {
        guard areFoldersOurs(in: folder) else { return false }
        return try await Self.inParts(entries, jobs: jobs) { entry in
            do {
                return try Self.entry(entry.path, in: folder) == entry
            } catch let error as WorkFileError {
                guard [.ioError, .noSuchFileOrDirectory].contains(error.errno) else { throw error }
                return false
            }
        }.allSatisfy(\.self)
    }

    private func areFoldersOurs(in folder: FilePath) -> Bool {
        let parents = Set(entries.map { entry in entry.path.lastIndex(of: "/").map { String(entry.path[..<$0]) } ?? "" })
        return parents.allSatisfy { WorkFiles.isOursAlone($0.isEmpty ? folder : folder.appending($0)) }
    }

    private static func entry(_ path: String, in folder: FilePath) throws(WorkFileError) -> Entry? {
        switch try WorkFiles.kind(of: folder.appending(path)) {
        case .regular(_, let executable):
            Entry(path: path, kind: executable ? .executable : .file, digest: ContentKey.of(try WorkFiles.read(folder, path)))
        case .symbolicLink:
            Entry(path: path, kind: .link, digest: ContentKey.of([try WorkFiles.linkTarget(folder.appending(path))]))
        case .folder, .other, nil: nil
        }
    }

    /// Files are many and small, so one task handles some hundred of them.
    private static func inParts<Item: Sendable, Result: Sendable>(
        _ items: [Item], jobs: Int, _ body: @escaping @Sendable (Item) throws -> Result?
    ) async throws -> [Result] {
        let size = 256
        let parts = stride(from: 0, to: items.count, by: size).map { items[$0..<min($0 + size, items.count)] }
        return try await inParallel(parts, limit: jobs) { try $0.compactMap(body) }.flatMap(\.self)
    }
}

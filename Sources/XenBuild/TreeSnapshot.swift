import SystemPackage
import WorkFiles
import XenSource

/// The files of the user's tree that a hypervisor's build reads, and a key for their content.
struct TreeSnapshot: Sendable {
    enum Entry: Sendable, Equatable {
        case file(executable: Bool)
        case link(target: String)
    }

    let top: FilePath
    /// By path relative to the top.
    let entries: [String: Entry]
    /// True when the tree was built in place, so that it holds more than its source.
    let wasBuilt: Bool
    /// Over all paths, modes and bytes.
    let key: String

    /// Reads the whole tree. Nothing is written.
    init(_ tree: XenTree) throws {
        var collector = Collector(top: tree.top)
        for path in BuildSystemQuirks.inputs { try collector.add(path) }
        top = tree.top
        entries = collector.entries
        wasBuilt = collector.wasBuilt
        var key = ContentKey()
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            try Self.add(path, entry, bytes: Self.bytes(of: path, entry, top: top), to: &key)
        }
        self.key = key.finished()
    }

    /// Copies the files into an empty private folder.
    /// - Throws: `BuildError` when the tree has changed since it was read.
    func copy(to folder: FilePath) throws {
        var key = ContentKey()
        var made: Set<FilePath> = []
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            try Task.checkCancellation()
            let bytes = try Self.bytes(of: path, entry, top: top)
            Self.add(path, entry, bytes: bytes, to: &key)
            let copy = folder.appending(path)
            if made.insert(copy.removingLastComponent()).inserted { try WorkFiles.makeFolder(copy.removingLastComponent()) }
            switch entry {
            case .file(let executable): try WorkFiles.write(bytes, to: copy, executable: executable)
            case .link(let target): try WorkFiles.makeLink(at: copy, to: WorkFiles.moved(target, from: top, to: folder))
            }
        }
        guard key.finished() == self.key else {
            throw BuildError("\(top) changed while it was copied", help: "run again when nothing else writes there")
        }
    }

    private static func bytes(of path: String, _ entry: Entry, top: FilePath) throws -> [UInt8] {
        switch entry {
        case .file: try WorkFiles.read(top.appending(path))
        case .link(let target): Array(target.utf8)
        }
    }

    private static func add(_ path: String, _ entry: Entry, bytes: [UInt8], to key: inout ContentKey) {
        key.add(path)
        switch entry {
        case .file(let executable): key.add(executable ? "x" : "f")
        case .link: key.add("l")
        }
        key.add(bytes)
    }

    private struct Collector {
        let top: FilePath
        var entries: [String: Entry] = [:]
        var wasBuilt = false

        mutating func add(_ path: String) throws {
            let full = top.appending(path)
            guard let name = full.lastComponent?.string else { return }
            switch try WorkFiles.kind(of: full) {
            case .folder:
                if BuildSystemQuirks.isVersionControl(name) { return }
                for name in try WorkFiles.names(in: full) { try add("\(path)/\(name)") }
            case .regular(_, let executable):
                if BuildSystemQuirks.isLeftover(path) { wasBuilt = true } else { entries[path] = .file(executable: executable) }
            case .symbolicLink:
                entries[path] = .link(target: try WorkFiles.linkTarget(full))
            case .other, nil: return
            }
        }
    }
}

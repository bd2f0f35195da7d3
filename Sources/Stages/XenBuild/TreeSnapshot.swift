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
    /// Whether the tree was built in place, so that it contains more than its source.
    let wasBuilt: Bool
    /// A digest of all paths, modes and bytes.
    let key: String

    /// Reads the whole tree and writes nothing.
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
        var made: Set<String> = []
        let root = folder.string
        for (path, entry) in entries.sorted(by: { $0.key < $1.key }) {
            try Task.checkCancellation()
            let bytes = try Self.bytes(of: path, entry, top: top)
            Self.add(path, entry, bytes: bytes, to: &key)
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            if made.insert(parent).inserted { try WorkFiles.makeFolder(folder.appending(parent)) }
            switch entry {
            case .file(let executable): try WorkFiles.write(bytes, to: "\(root)/\(path)", executable: executable)
            case .link(let target):
                try WorkFiles.makeLink(at: FilePath("\(root)/\(path)"), to: WorkFiles.moved(target, from: top, to: folder))
            }
        }
        guard key.finished() == self.key else {
            throw BuildError("\(top) changed while it was copied", help: "run again when nothing else writes there")
        }
    }

    private static func bytes(of path: String, _ entry: Entry, top: FilePath) throws -> [UInt8] {
        switch entry {
        case .file: try WorkFiles.read(top, path)
        case .link(let target):
            // The build follows a link that leads out of the tree, and no other part of the key covers the content there.
            if let place = WorkFiles.resolved(top.appending(path)), !place.string.hasPrefix("\(top)/"), WorkFiles.isReadableFile(place) {
                try Array(target.utf8) + [0] + WorkFiles.read(place)
            } else {
                Array(target.utf8)
            }
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
            guard let kind = try WorkFiles.kind(of: top.appending(path)) else { return }
            try note(path, kind)
            guard kind == .folder else { return }
            try WorkFiles.walk(top.appending(path)) { below, kind in
                if kind == .folder, BuildSystemQuirks.isVersionControl(IncludeGraph.basename(below)) { return false }
                try note("\(path)/\(below)", kind)
                return true
            }
        }

        /// The build would read what a folder outside the tree holds, and write into it, and the key would not say what it held.
        private func refuseFolderOutside(_ path: String) throws {
            guard let place = WorkFiles.resolved(top.appending(path)), WorkFiles.isFolder(place), place != top, !place.string.hasPrefix("\(top)/") else {
                return
            }
            throw BuildError(
                "\(top.appending(path)) is a link to a folder outside the source tree: \(place)", help: "put a copy of that folder in the link's place",
                exitCode: .usage)
        }

        private mutating func note(_ path: String, _ kind: FileKind) throws {
            switch kind {
            case .regular(_, let executable):
                if BuildSystemQuirks.isLeftover(path) { wasBuilt = true } else { entries[path] = .file(executable: executable) }
            case .symbolicLink:
                try refuseFolderOutside(path)
                entries[path] = .link(target: try WorkFiles.linkTarget(top.appending(path)))
            case .folder, .other: break
            }
        }
    }
}

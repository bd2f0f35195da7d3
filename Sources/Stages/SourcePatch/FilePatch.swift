/// What one patch file says about one file of the tree. Its form has been checked, but it has not been compared with the tree.
struct FilePatch: Equatable {
    enum Kind: Equatable { case modify, create, remove, rename, copy }

    var kind: Kind
    /// Relative paths, checked. They are equal for all kinds except rename and copy.
    var oldPath: String
    var newPath: String
    /// File modes as git writes them; nil if the patch does not state them.
    var oldMode: UInt32?
    var newMode: UInt32?
    /// A diff without git's headers does not say that a file is new. A first hunk with `-0,0` means that it may be new.
    var mayCreate = false
    var isBinary = false
    var hunks: [Hunk] = []
    /// Where this part begins in the patch file: a line number, counted from 1.
    var line: Int
    /// The leading folder that the reader dropped from the names: `a`, `b`, `xen-4.17.orig`. nil if the names had none (renames).
    var leadingFolder: String?

    var paths: [String] { oldPath == newPath ? [newPath] : [oldPath, newPath] }
}

/// One hunk of a unified diff.
struct Hunk: Equatable {
    enum Origin: UInt8 { case context = 0x20, added = 0x2B, removed = 0x2D }

    struct Line: Equatable {
        var origin: Origin
        /// With its line end. It has none only if the file has no newline at its end.
        var text: ArraySlice<UInt8>
    }

    var oldStart: Int
    var oldCount: Int
    var newStart: Int
    var newCount: Int
    var lines: [Line] = []
    /// Where the hunk's header is in the patch file: a line number, counted from 1.
    var line: Int

    /// The numbers between the `@@`, as diff writes them.
    var header: String {
        func range(_ start: Int, _ count: Int) -> String { count == 1 ? "\(start)" : "\(start),\(count)" }
        return "@@ -\(range(oldStart, oldCount)) +\(range(newStart, newCount)) @@"
    }

    /// The lines that must be in the file before the patch, and those that replace them.
    var before: [ArraySlice<UInt8>] { lines.filter { $0.origin != .added }.map(\.text) }
    var after: [ArraySlice<UInt8>] { lines.filter { $0.origin != .removed }.map(\.text) }
    var added: Int { lines.count { $0.origin == .added } }
    var removed: Int { lines.count { $0.origin == .removed } }
    var hasContext: Bool { lines.contains { $0.origin == .context } }
    var endsInContext: Bool { lines.last?.origin == .context }

    /// The hunk that undoes this one.
    var reversed: Hunk {
        var hunk = self
        (hunk.oldStart, hunk.oldCount, hunk.newStart, hunk.newCount) = (newStart, newCount, oldStart, oldCount)
        hunk.lines = lines.map {
            switch $0.origin {
            case .context: $0
            case .added: Line(origin: .removed, text: $0.text)
            case .removed: Line(origin: .added, text: $0.text)
            }
        }
        return hunk
    }
}

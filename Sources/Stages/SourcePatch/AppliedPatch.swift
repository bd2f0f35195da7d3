import Diagnostics

/// What a patch series does to a tree, as a value. Nothing has been written to disk.
package struct AppliedPatch: Sendable, Equatable {
    /// One file of the tree that differs after the patch.
    package struct File: Sendable, Equatable {
        package enum Change: Sendable, Equatable {
            /// The whole new content of the file, ready for the compiler. A C file may hold `#line` directives that keep the line numbers
            /// of unrelated code (see `renumbered(_:origins:)`).
            case write(content: [UInt8], executable: Bool)
            case remove
        }

        /// Relative to the top of the tree, the folder that holds `xen/`: `xen/common/kernel.c`.
        package var path: String
        package var change: Change
        /// True when the tree had no such file before.
        package var isNew: Bool
        /// Lines added and removed, as `git apply --numstat` counts them, summed over the series.
        package var added: Int
        package var removed: Int
        /// The content as the patch makes it, without line directives, as the user's own editor would show it. nil for a file that the
        /// patch removes.
        package var plainContent: [UInt8]?
        /// Maps the line numbers that the compiler reports to lines of `plainContent`.
        package var lineMap: LineMap
        /// Where the lines of `plainContent` come from.
        package var history: History

        /// Where the lines of a file come from.
        package struct History: Sendable, Equatable {
            /// The path of the tree's file that it was made from: another one after a rename, nil for a new file.
            package var path: String?
            /// The content of that file in the tree.
            package var before: [UInt8]
            /// What identifies each line of `plainContent`: a positive number is a line of `before`, counted from 1. A negative number is
            /// a line that the series added; it is the same in every series that begins with the same patches. 0 is a line of a copied
            /// file, which is the same as no other.
            package var lines: [Int]

            package init(path: String? = nil, before: [UInt8] = [], lines: [Int] = []) {
                self.path = path
                self.before = before
                self.lines = lines
            }
        }

        /// - Parameter plainContent: nil means the same as the content to write.
        package init(
            path: String, change: Change, isNew: Bool, added: Int, removed: Int, plainContent: [UInt8]? = nil,
            lineMap: LineMap = LineMap(), history: History = History()
        ) {
            self.path = path
            self.change = change
            self.isNew = isNew
            self.added = added
            self.removed = removed
            self.lineMap = lineMap
            self.history = history
            switch change {
            case .write(let content, _): self.plainContent = plainContent ?? content
            case .remove: self.plainContent = nil
            }
        }
    }

    /// Sorted by path, each path once.
    package var files: [File]
    /// Paths in the patch that lie outside `xen/`, sorted. They are not part of the hypervisor and were left out.
    package var leftOut: [String]
    /// Notes for the report: about hunks that applied at another line than the stated one, and about files that were left out.
    package var diagnostics: [Diagnostic]
    /// The bytes of the patch files, in order.
    package var patches: [[UInt8]]
    /// Every hunk of every patch, in order.
    package var hunks: [PatchHunk]

    package init(files: [File], leftOut: [String] = [], diagnostics: [Diagnostic] = [], patches: [[UInt8]] = [], hunks: [PatchHunk] = []) {
        self.hunks = hunks
        self.files = files
        self.leftOut = leftOut
        self.diagnostics = diagnostics
        self.patches = patches
    }

    /// Whether a file holds directives that keep line numbers.
    package var hasLineDirectives: Bool { withoutLineDirectives != self }

    /// The same patch, but the compiler gets its files as an editor shows them, with the line numbers that they have there.
    package var withoutLineDirectives: AppliedPatch {
        var plain = self
        for index in plain.files.indices {
            guard case .write(_, let executable) = files[index].change, let content = files[index].plainContent else { continue }
            plain.files[index].change = .write(content: content, executable: executable)
            plain.files[index].lineMap = LineMap()
        }
        return plain
    }

    /// What this series changes beyond the series `first`, which it begins with. The counts of added and removed lines are the
    /// differences between the two series.
    package func files(beyond first: AppliedPatch) -> [File] {
        let before = Dictionary(first.files.map { ($0.path, $0) }) { a, _ in a }
        return files.compactMap { file in
            guard let old = before[file.path] else { return file }
            guard old.change != file.change else { return nil }
            var rest = file
            rest.added = max(0, file.added - old.added)
            rest.removed = max(0, file.removed - old.removed)
            return rest
        }
    }
}

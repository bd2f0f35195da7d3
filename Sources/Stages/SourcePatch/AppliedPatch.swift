import Diagnostics

/// What a patch series does to a tree, as a value: nothing has been written anywhere yet.
package struct AppliedPatch: Sendable, Equatable {
    /// One file of the tree that differs after the patch.
    package struct File: Sendable, Equatable {
        package enum Change: Sendable, Equatable {
            /// The file's whole new content, ready for the compiler: a C file may hold `#line` directives that keep
            /// the line numbers of unrelated code (see `renumbered(_:origins:)`).
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
        /// The content as the patch makes it, without line directives: what the user's own editor would show.
        /// Nil for a file that goes.
        package var plainContent: [UInt8]?
        /// From the lines that the compiler reports to lines of `plainContent`.
        package var lineMap: LineMap

        /// `plainContent` nil means: the same as the content to write.
        package init(
            path: String, change: Change, isNew: Bool, added: Int, removed: Int, plainContent: [UInt8]? = nil,
            lineMap: LineMap = LineMap()
        ) {
            self.path = path
            self.change = change
            self.isNew = isNew
            self.added = added
            self.removed = removed
            self.lineMap = lineMap
            switch change {
            case .write(let content, _): self.plainContent = plainContent ?? content
            case .remove: self.plainContent = nil
            }
        }
    }

    /// Sorted by path, each path once.
    package var files: [File]
    /// Paths in the patch that lie outside `xen/`: they are not part of the hypervisor and were left out. Sorted.
    package var leftOut: [String]
    /// Notes for the report: hunks that applied at another line than they say, and one on what was left out.
    package var diagnostics: [Diagnostic]
    /// The bytes of the patch files, in order.
    package var patches: [[UInt8]]

    package init(files: [File], leftOut: [String] = [], diagnostics: [Diagnostic] = [], patches: [[UInt8]] = []) {
        self.files = files
        self.leftOut = leftOut
        self.diagnostics = diagnostics
        self.patches = patches
    }

    /// The files that this series, which begins with the patches of `first`, changes beyond it, with the lines that it adds and
    /// removes more.
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

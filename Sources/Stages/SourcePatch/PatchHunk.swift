/// One hunk of the patches: where it says that it is, and where it was applied.
///
/// A part of a patch without hunks (a rename, a new mode, an empty file) has an entry of its own, without lines.
package struct PatchHunk: Sendable, Equatable {
    /// Lines of a file. `start` counts from 1. If `count` is 0, nothing of the file is meant, and the place is before line `start`.
    package struct Lines: Sendable, Equatable, Codable {
        package var start: Int
        package var count: Int

        package init(start: Int, count: Int) {
            self.start = start
            self.count = count
        }
    }

    /// Which patch file of the series, counted from 0.
    package var patch: Int
    /// Relative to the top of the tree, the name after the patch: `xen/common/kernel.c`.
    package var file: String
    /// The line in the patch file, counted from 1.
    package var line: Int
    /// Counted from 1 in each part of the patch; nil for a part without hunks.
    package var hunk: Int?
    /// The lines in the file just before this patch, where the hunk was applied. A hunk outside `xen/` is not applied, so its lines are as
    /// the patch states them.
    package var old: Lines?
    package var new: Lines?
    /// The folder of the tree outside `xen/` that has the file, or an empty text for the top; nil for a file of the hypervisor.
    package var outside: String?

    package init(patch: Int, file: String, line: Int, hunk: Int? = nil, old: Lines? = nil, new: Lines? = nil, outside: String? = nil) {
        self.patch = patch
        self.file = file
        self.line = line
        self.hunk = hunk
        self.old = old
        self.new = new
        self.outside = outside
    }
}

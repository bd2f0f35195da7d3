import Diagnostics
import SystemPackage

/// Applies a series of patches to a Xen tree, in order and in memory.
///
/// - Parameters:
///   - patches: unified diffs, alone or in mails, with one leading folder in their paths (`-p1`), as `git diff`, `git format-patch` or `diff -Nru` write
///     them. A later patch sees the result of the earlier ones.
///   - top: the folder that holds `xen/`. It is only read, and need not be a git repository.
/// - Returns: the files that differ after the series. Files outside `xen/` are left out and named. A result without files is not an
///   error: the series then changes nothing in the hypervisor.
/// - Throws: `PatchError` for the first patch that does not apply. Hunks must match exactly, as with `git apply`; a hunk
///   may match at another line than the stated one, which is noted.
package func applyPatches(_ patches: [PatchFile], to top: FilePath) throws(PatchError) -> AppliedPatch {
    // All paths of all patches are checked before the first file of the tree is read.
    var sections: [(patch: FilePath, files: [FilePatch], isDecoded: Bool)] = []
    for patch in patches {
        let decoded = try MailText.decoded(patch.bytes, from: patch.path)
        let files = try inText(isDecoded: decoded != nil) { () throws(PatchError) in try PatchReader.read(decoded ?? patch.bytes, from: patch.path) }
        sections.append((patch.path, files, decoded != nil))
    }
    var series = PatchSeries(top: top)
    for (patch, files, isDecoded) in sections {
        try inText(isDecoded: isDecoded) { () throws(PatchError) in try series.apply(files, from: patch) }
    }
    var result = try series.result()
    result.patches = patches.map(\.bytes)
    return result
}

/// Marks an error whose line is not a line of the patch file.
private func inText<Result>(isDecoded: Bool, _ body: () throws(PatchError) -> Result) throws(PatchError) -> Result {
    do {
        return try body()
    } catch {
        var error = error
        error.isDecoded = isDecoded
        throw error
    }
}

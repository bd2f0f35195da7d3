import SystemPackage
import WorkFiles

/// The list of patches that quilt(1) keeps as `series` beside them. Each line names a patch, relative to the list's own folder; `#` begins a comment.
enum QuiltSeries {
    static let fileName = "series"

    /// The patches that a file lists, in order; nil when the file is not called `series` or is a patch itself.
    ///
    /// - Throws: `PatchError` for a list that can't be read, an empty one, and an option of a patch that has no meaning here.
    static func patches(listedIn path: FilePath) throws(PatchError) -> [FilePath]? {
        guard path.lastComponent?.string == fileName, WorkFiles.isReadableFile(path) else { return nil }
        let text: String
        do {
            text = try WorkFiles.readText(path)
        } catch {
            throw PatchError(path, .unreadable(error.errno))
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.contains(where: { $0.hasPrefix("@@ ") || $0.hasPrefix("diff ") || $0.hasPrefix("--- ") }) { return nil }
        var patches: [FilePath] = []
        for (index, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let name = words.first else { continue }
            // quilt's default is one leading folder, as here.
            if let option = words.dropFirst().first(where: { $0 != "-p1" && $0 != "-pab" }) {
                throw PatchError(path, line: index + 1, .seriesOption(String(option)))
            }
            patches.append(path.removingLastComponent().pushing(FilePath(String(name))))
        }
        guard !patches.isEmpty else { throw PatchError(path, .emptySeries) }
        return patches
    }
}

/// Puts the patches that a quilt `series` lists in its place.
///
/// - Parameter paths: patch files and lists, in the order in which they are applied.
/// - Throws: `PatchError` for a list that can't be used.
package func expandSeries(_ paths: [FilePath]) throws(PatchError) -> [FilePath] {
    var patches: [FilePath] = []
    for path in paths { patches += try QuiltSeries.patches(listedIn: path) ?? [path] }
    return patches
}

/// Decides whether the paths of a patch begin at the folder that holds `xen/`.
///
/// A path outside `xen/` is left out of the payload. So a path that was made in another folder must not pass for one: its part of the fix
/// would be lost silently.
struct PathPlacement {
    enum Verdict: Equatable {
        /// Below this folder, which the tree has outside `xen/`; empty for the top of the tree.
        case outside(String)
        /// The tree has no such place, but it has this one: a file, or for a new file a folder with a slash at its end.
        case misplaced(String)
        /// The tree has nothing that the path can mean.
        case unknown
    }

    let tree: TreeFiles

    /// Judges a path outside `xen/`.
    ///
    /// - Parameters:
    ///   - file: the part of the patch that names the path.
    ///   - path: one of its two paths.
    func verdict(_ path: String, of file: FilePatch) -> Verdict {
        let parts = Self.parts(path)
        let top = parts.count > 1 ? parts[0] : ""
        let hasTop = top.isEmpty || tree.exists(top)
        // The tree's own folders decide: in `tools/`, which both places have, only the same path below `xen/` is another candidate.
        let isNew = file.makes(path) && !tree.exists(path)
        let candidates = top.isEmpty || !hasTop ? Self.everyPlace(path, file.leadingFolder, isNew: isNew) : ["xen/\(path)"]
        if isNew {
            if let folder = betterParent(for: path, among: candidates, ofKnownTop: hasTop) { return .misplaced(folder) }
            return hasTop ? .outside(top) : .unknown
        }
        if tree.exists(path), !file.hasHunks || fits(file, at: path) { return .outside(top) }
        if let place = candidates.first(where: { fits(file, at: $0) }) { return .misplaced(place) }
        if tree.exists(path) { return .outside(top) }
        if let place = candidates.first(where: { Self.parts($0).count > 2 && tree.exists($0) }) { return .misplaced(place) }
        // Older versions lack some of the documents beside `xen/`.
        return hasTop && (!top.isEmpty || Self.isDocument(path)) ? .outside(top) : .unknown
    }

    /// The place that a path inside `xen/` probably means if the tree does not have it; nil if the path may be right.
    func otherPlace(for path: String, of file: FilePatch) -> String? {
        guard !tree.exists(path) else { return nil }
        guard file.makes(path) else {
            let candidates = Self.everyPlace(path, file.leadingFolder, isNew: false)
            return candidates.first { fits(file, at: $0) } ?? candidates.first { Self.parts($0).count > 2 && tree.exists($0) }
        }
        // `b/xen/xen/common/new.c`: one folder too many.
        let rest = String(path.dropFirst("xen/".count))
        return PatchPath.isInHypervisor(rest) ? betterParent(for: path, among: [rest], ofKnownTop: true) : nil
    }

    // MARK: Evidence

    /// Whether the tree has a file at a place, and all hunks match it. A part without hunks fits any file.
    private func fits(_ file: FilePatch, at place: String) -> Bool {
        guard let content = try? tree.original(place) else { return false }
        if case .success = HunkLocator.locate(file.hunks, in: splitLines(content.bytes)) { return true }
        return false
    }

    /// The folder of the first candidate for a new file that the tree has more folders for than for `path`; with a slash at its end.
    ///
    /// - Parameter isKnown: whether the tree has the first folder of `path`.
    private func betterParent(for path: String, among candidates: [String], ofKnownTop isKnown: Bool) -> String? {
        let own = folders(of: path)
        // A name without a folder says nothing about its place.
        let missing = Self.parts(path).count == 1 ? 1 : own.missing
        return candidates.first { candidate in
            let other = folders(of: candidate)
            guard Self.parts(candidate).count > 1, other.there > own.there else { return false }
            return other.missing < missing || (!isKnown && other.missing == missing && other.there > 1)
        }.map { Self.parts($0).dropLast().joined(separator: "/") + "/" }
    }

    /// How many of the folders above a file the tree has, and how many it lacks.
    private func folders(of path: String) -> (there: Int, missing: Int) {
        let folders = Self.parts(path).dropLast()
        var there = 0
        while there < folders.count, tree.exists(folders[...there].joined(separator: "/")) { there += 1 }
        return (there, folders.count - there)
    }

    // MARK: Names

    /// How many folders of a path are tried. No source tree is deeper, and each costs a look at the disk.
    private static let depth = 16

    /// Every place that a path can mean if leading folders were added or left out: below the top and below `xen/`, the longest first.
    ///
    /// - Parameter isNew: whether the tree has no such file, so that its name alone says nothing.
    private static func everyPlace(_ path: String, _ leading: String?, isNew: Bool) -> [String] {
        let all = (leading.map { [$0] } ?? []) + parts(path)
        let whole = Array(all.suffix(depth))
        return whole.indices.flatMap { start -> [String] in
            let rest = whole[start...].joined(separator: "/")
            if start + 1 < whole.count || whole.count == 1 { return [rest, "xen/\(rest)"] }
            return isNew ? [] : ["xen/\(rest)"]
        }.filter { $0 != path }
    }

    private static func parts(_ path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func isDocument(_ path: String) -> Bool {
        [".md", ".rst", ".txt"].contains { path.hasSuffix($0) } || ["COPYING", "CREDITS", "INSTALL", "MAINTAINERS", "README"].contains(path)
    }
}

extension FilePatch {
    /// Whether this part of the patch makes a file at that path, so that the tree need not have it.
    fileprivate func makes(_ path: String) -> Bool {
        switch kind {
        case .create: true
        case .rename, .copy: path == newPath
        case .modify: mayCreate
        case .remove: false
        }
    }

    fileprivate var hasHunks: Bool { !hunks.isEmpty }
}

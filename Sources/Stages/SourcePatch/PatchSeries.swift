import Diagnostics
import SystemPackage

/// The state of a series while its patches are applied one after the other.
struct PatchSeries {
    private var tree: TreeFiles
    private var leftOut: Set<String> = []
    private var counts: [String: (added: Int, removed: Int)] = [:]
    private var diagnostics: [Diagnostic] = []
    private var hunks: [PatchHunk] = []
    /// How many patches were applied.
    private var patchCount = 0
    /// How many lines the series has added so far. A series that begins with the same patches counts them the same way.
    private var addedLines = 0
    /// The last patch that was applied, for errors that are found at the end.
    private var lastPatch: FilePath?

    init(top: FilePath) {
        tree = TreeFiles(top: top)
    }

    /// Applies one patch file.
    mutating func apply(_ files: [FilePatch], from patch: FilePath) throws(PatchError) {
        lastPatch = patch
        defer { patchCount += 1 }
        let leftOutBefore = leftOut
        let inside = files.filter { $0.paths.contains(where: PatchPath.isInHypervisor) }
        for file in files {
            for path in file.paths where !PatchPath.isInHypervisor(path) {
                let folder = try folderOutside(path, file, patch)
                leftOut.insert(path)
                if path == file.newPath { noteOutside(file, folder) }
            }
            // A binary file outside xen/ (a picture in the documentation) does no harm beside a fix. A patch with nothing else is not a
            // source patch.
            if file.isBinary, inside.isEmpty || file.paths.contains(where: PatchPath.isInHypervisor) {
                throw PatchError(patch, line: file.line, .binary(file.newPath))
            }
        }
        // In git's patches, the source of a rename or copy is the file as it was before the whole patch, whatever the order of sections.
        let before = tree
        let leaving = Set(inside.filter { $0.kind == .rename || $0.kind == .remove }.map(\.oldPath))
        var arrived: Set<String> = []
        for file in inside {
            let source: TreeFiles.Content?
            if file.kind == .rename || file.kind == .copy {
                source = try read(file.oldPath, in: before, file, patch)
                // Earlier changes to files outside xen/ were not applied, so their content is not known.
                if leftOutBefore.contains(file.oldPath) {
                    let why = "lies outside xen/, and an earlier patch changes it"
                    throw PatchError(patch, line: file.line, .unsupportedFile(file.oldPath, why))
                }
            } else {
                source = try read(file.oldPath, in: tree, file, patch)
            }
            if !PatchPath.isInHypervisor(file.newPath) {
                // Only the removal of the old name has to do with the hypervisor.
                hunks.append(PatchHunk(patch: patchCount, file: file.oldPath, line: file.line))
                guard source != nil else { throw PatchError(patch, line: file.line, .missing(file.oldPath)) }
                if file.kind == .rename { tree.remove(file.oldPath) }
                continue
            }
            let new = try patched(file, source, leaving: leaving, patch)
            if file.kind == .rename, PatchPath.isInHypervisor(file.oldPath), !arrived.contains(file.oldPath) {
                tree.remove(file.oldPath)
            }
            if let new {
                tree.write(new, to: file.newPath)
                arrived.insert(file.newPath)
            } else {
                tree.remove(file.newPath)
            }
            count(file)
        }
    }

    private mutating func count(_ file: FilePatch) {
        let old = counts[file.newPath] ?? (0, 0)
        counts[file.newPath] = file.hunks.reduce(old) { ($0.0 + $1.added, $0.1 + $1.removed) }
    }

    /// The new content of one file; nil when the patch removes it.
    private mutating func patched(
        _ file: FilePatch, _ source: TreeFiles.Content?, leaving: Set<String>, _ patch: FilePath
    ) throws(PatchError) -> TreeFiles.Content? {
        func failure(_ reason: PatchError.Reason) -> PatchError { PatchError(patch, line: file.line, reason) }
        var old: TreeFiles.Content
        switch file.kind {
        case .create:
            guard source == nil || (source?.bytes.isEmpty == true && !file.hunks.isEmpty) else {
                throw failure(.alreadyThere(file.newPath))
            }
            if source == nil, let place = placement.otherPlace(for: file.newPath, of: file) { throw failure(.wrongBase(file.newPath, place)) }
            old = TreeFiles.Content(bytes: [], isExecutable: false, origins: [])
        case .rename, .copy:
            guard let source else { throw failure(.missing(file.oldPath)) }
            if file.oldPath != file.newPath, !leaving.contains(file.newPath),
                try read(file.newPath, in: tree, file, patch) != nil
            {
                throw failure(.alreadyThere(file.newPath))
            }
            old = source
            // A copy is a new file: its lines have no old numbers to keep.
            if file.kind == .copy {
                old.origins = old.origins.map { _ in 0 }
                old.originalPath = nil
            }
        case .modify, .remove:
            if let source {
                old = source
            } else if let place = placement.otherPlace(for: file.oldPath, of: file) {
                throw failure(.wrongBase(file.oldPath, place))
            } else if file.mayCreate {
                old = TreeFiles.Content(bytes: [], isExecutable: false, origins: [])
            } else {
                throw failure(.missing(file.oldPath))
            }
        }
        var new = try applyHunks(of: file, to: old, patch)
        if file.kind == .remove {
            guard new.bytes.isEmpty else { throw failure(.leavesContents(file.oldPath)) }
            if file.hunks.isEmpty { hunks.append(PatchHunk(patch: patchCount, file: file.newPath, line: file.line)) }
            return nil
        }
        if file.hunks.isEmpty { hunks.append(PatchHunk(patch: patchCount, file: file.newPath, line: file.line)) }
        // Only an explicit mode changes the executable bit. git's index line only states the mode of the author's file.
        if let mode = file.newMode { new.isExecutable = mode & 0o100 != 0 }
        return new
    }

    private mutating func applyHunks(
        of file: FilePatch, to old: TreeFiles.Content, _ patch: FilePath
    ) throws(PatchError) -> TreeFiles.Content {
        guard !file.hunks.isEmpty else { return old }
        let lines = splitLines(old.bytes)
        let places: [Int]
        switch HunkLocator.locate(file.hunks, in: lines) {
        case .success(let found): places = found
        case .failure(let misfit):
            let hunk = file.hunks[misfit.hunk]
            throw PatchError(
                patch, line: hunk.line,
                .hunkDoesNotMatch(
                    hunk: misfit.hunk + 1, header: hunk.header, file: file.oldPath,
                    hint: HunkLocator.hint(for: misfit.hunk, of: file.hunks, in: lines)))
        }
        noteOffsets(of: file, places)
        notePlaces(of: file, places)
        var new = old
        do {
            new.bytes = try GitApply().apply(file.hunks, at: places, to: old.bytes)
        } catch {
            throw PatchError(patch, line: file.line, .library(error.words))
        }
        new.origins = origins(old.origins, file.hunks, places)
        guard splitLines(new.bytes).count == new.origins.count else {
            throw PatchError(patch, line: file.line, .library("libgit2 made another number of lines than the patch says"))
        }
        return new
    }

    /// What identifies each line of the result: a context line stays what it was, an added line gets a new number.
    private mutating func origins(_ old: [Int], _ hunks: [Hunk], _ places: [Int]) -> [Int] {
        var origins: [Int] = []
        var next = 0
        for (place, hunk) in zip(places, hunks).sorted(by: { $0.0 < $1.0 }) {
            origins += old[next..<place]
            next = place
            for line in hunk.lines {
                switch line.origin {
                case .removed: next += 1
                case .added:
                    addedLines += 1
                    origins.append(-addedLines)
                default:
                    origins.append(old[next])
                    next += 1
                }
            }
        }
        return origins + old[next...]
    }

    private mutating func notePlaces(of file: FilePatch, _ places: [Int]) {
        var shift = 0
        for (number, (hunk, place)) in zip(file.hunks, places).enumerated() {
            hunks.append(
                PatchHunk(
                    patch: patchCount, file: file.newPath, line: hunk.line, hunk: number + 1, old: .init(start: place + 1, count: hunk.oldCount),
                    new: .init(start: place + 1 + shift, count: hunk.newCount)))
            shift += hunk.newCount - hunk.oldCount
        }
    }

    private mutating func noteOutside(_ file: FilePatch, _ folder: String) {
        if file.hunks.isEmpty { hunks.append(PatchHunk(patch: patchCount, file: file.newPath, line: file.line, outside: folder)) }
        for (number, hunk) in file.hunks.enumerated() {
            hunks.append(
                PatchHunk(
                    patch: patchCount, file: file.newPath, line: hunk.line, hunk: number + 1, old: .init(start: hunk.oldStart, count: hunk.oldCount),
                    new: .init(start: hunk.newStart, count: hunk.newCount), outside: folder))
        }
    }

    private mutating func noteOffsets(of file: FilePatch, _ places: [Int]) {
        var shift = 0
        for (number, (hunk, place)) in zip(file.hunks, places).enumerated() {
            let offset = hunk.oldCount == 0 ? 0 : place + 1 - hunk.oldStart
            if offset != 0, hunk.oldStart > 0 {
                let lines = abs(offset) == 1 ? "1 line" : "\(abs(offset)) lines"
                let location = SourceLocation(file: String(file.newPath.dropFirst("xen/".count)), line: place + 1 + shift)
                diagnostics.append(
                    Diagnostic(
                        .hunkOffset, .note, location: location,
                        message: "hunk \(number + 1) of \(file.newPath) applies \(lines) further \(offset > 0 ? "down" : "up")"))
            }
            shift += hunk.newCount - hunk.oldCount
        }
    }

    /// The result of the series. Files that ended up as they were are not included.
    func result() throws(PatchError) -> AppliedPatch {
        var files: [AppliedPatch.File] = []
        for (path, content) in tree.written.sorted(by: { $0.key < $1.key }) where PatchPath.isInHypervisor(path) {
            let original: TreeFiles.Content?, source: TreeFiles.Content?
            do {
                original = try tree.original(path)
                if let origin = content?.originalPath, origin != path { source = try tree.original(origin) } else { source = original }
            } catch {
                throw PatchError(lastPatch ?? "", PatchSeries.reason(error, path))
            }
            let (added, removed) = counts[path] ?? (0, 0)
            guard let content else {
                if original != nil {
                    files.append(
                        .init(
                            path: path, change: .remove, isNew: false, added: added, removed: removed,
                            history: .init(path: path, before: original?.bytes ?? [])))
                }
                continue
            }
            if let original, original.bytes == content.bytes, original.isExecutable == content.isExecutable { continue }
            // Assembly sources are preprocessed too. So are linker scripts, but their line numbers do not matter.
            let isPreprocessed = [".c", ".h", ".S"].contains { path.hasSuffix($0) } && !path.hasSuffix(".lds.S")
            let ready = isPreprocessed ? renumbered(content.bytes, origins: content.origins) : (content.bytes, LineMap())
            files.append(
                .init(
                    path: path, change: .write(content: ready.0, executable: content.isExecutable), isNew: original == nil,
                    added: added, removed: removed, plainContent: content.bytes, lineMap: ready.1,
                    history: .init(path: content.originalPath, before: source?.bytes ?? [], lines: content.origins)))
        }
        return AppliedPatch(
            files: files, leftOut: leftOut.sorted(), diagnostics: diagnostics + outsideNote, hunks: hunks.sorted { ($0.patch, $0.line) < ($1.patch, $1.line) })
    }

    /// One note for all files that are left out, because they are not part of the payload. It is a warning if the hypervisor's build
    /// reads one of them.
    private var outsideNote: [Diagnostic] {
        let (read, others) = (leftOut.filter(PatchPath.isReadByBuild).sorted(), leftOut.filter { !PatchPath.isReadByBuild($0) }.sorted())
        var result: [Diagnostic] = []
        if !others.isEmpty { result.append(Diagnostic(.outsideHypervisor, .note, message: "left out, because outside xen/: \(others.listed(atMost: 3))")) }
        if !read.isEmpty {
            result.append(
                Diagnostic(
                    .outsideHypervisor, .warning,
                    message: "left out, though the hypervisor's build reads \(read.count == 1 ? "it" : "them"): \(read.listed(atMost: 3))",
                    help: "if the fix needs the hypervisor to be built differently, a payload is not enough"))
        }
        return result
    }

    // MARK: the tree

    private func read(
        _ path: String, in tree: TreeFiles, _ file: FilePatch, _ patch: FilePath
    ) throws(PatchError) -> TreeFiles.Content? {
        do {
            return try tree.read(path)
        } catch {
            throw PatchError(patch, line: file.line, PatchSeries.reason(error, path))
        }
    }

    private static func reason(_ failure: TreeFiles.Failure, _ path: String) -> PatchError.Reason {
        switch failure {
        case .symbolicLink(let place):
            .unsafePath(path, place == path ? "is a symbolic link" : "leads through the symbolic link \(place)")
        case .notRegular(let place):
            .unsupportedFile(path, place == path ? "is not a regular file" : "lies below \(place), which is not a folder")
        case .tooLarge: .unsupportedFile(path, "is larger than \(TreeFiles.sizeLimit >> 20) MiB")
        case .system(.fileNameTooLong): .unsupportedFile(path, "has a name that is too long for this file system")
        case .system(let errno): .unreadableSource(path, errno)
        }
    }

    private var placement: PathPlacement { PathPlacement(tree: tree) }

    /// The folder of the tree that a path outside `xen/` lies in; empty for the top.
    ///
    /// Refuses a path that was made inside `xen/` or with another number of leading folders: its change would be left out silently.
    private func folderOutside(_ path: String, _ file: FilePatch, _ patch: FilePath) throws(PatchError) -> String {
        switch placement.verdict(path, of: file) {
        case .outside(let folder): return folder
        case .misplaced(let place): throw PatchError(patch, line: file.line, tree.exists(path) ? .wrongFile(path, place) : .wrongBase(path, place))
        case .unknown: throw PatchError(patch, line: file.line, .unknownPlace(path))
        }
    }
}

import SystemPackage

/// Reads one patch file: finds the sections about files among mail headers, commit messages and signatures, and reads their headers. It
/// checks the form only and does not look at the tree.
///
/// Header grammar: git's own documentation of "generating patch text", and POSIX diff's unified format. git skips some lines as noise
/// although they look like part of a patch. This reader refuses them: no change may get lost silently.
struct PatchReader {
    typealias Bytes = ArraySlice<UInt8>

    let patch: FilePath
    /// The lines with their line ends.
    let lines: [Bytes]
    /// The line being read, counted from 0.
    var index = 0
    var files: [FilePatch] = []

    static func read(_ bytes: [UInt8], from patch: FilePath) throws(PatchError) -> [FilePatch] {
        guard !bytes.isEmpty else { throw PatchError(patch, .empty) }
        var reader = PatchReader(patch: patch, lines: splitLines(bytes))
        try reader.readAll()
        guard !reader.files.isEmpty else {
            throw PatchError(patch, bytes.contains(0) ? .notText : .noChanges)
        }
        return reader.files
    }

    mutating func readAll() throws(PatchError) {
        while let line = current {
            if line.starts(with: "diff --git ".utf8) {
                try readGitSection()
            } else if line.starts(with: "--- ".utf8), let next = peek(1), next.starts(with: "+++ ".utf8),
                let third = peek(2), third.starts(with: "@@".utf8)
            {
                guard third.starts(with: "@@ -".utf8) else { throw unsupported("a combined diff of a merge") }
                try readPlainSection()
            } else if line.starts(with: "@@ -".utf8), parseHunkHeader(line) != nil {
                throw malformed("a hunk without the name of a file above it")
            } else if line.starts(with: "diff --cc ".utf8) || line.starts(with: "diff --combined ".utf8) {
                throw unsupported("a combined diff of a merge")
            } else if line.starts(with: "***************".utf8), let above = peek(-1), above.starts(with: "--- ".utf8) {
                throw unsupported("a context diff")
            } else if let name = PatchReader.binaryName(line) {
                try append(FilePatch(kind: .modify, oldPath: name, newPath: name, isBinary: true, line: index + 1))
                index += 1
            } else if let damage {
                throw damage
            } else {
                index += 1
            }
        }
    }

    // MARK: A section of a git diff

    private struct GitHeader {
        var kind: FilePatch.Kind?
        var from: String?
        var to: String?
        var oldMode: UInt32?
        var newMode: UInt32?
        var newHash: Bytes?
        var similarity: Int?
        /// The names after `---` and `+++`. An inner nil means /dev/null.
        var old: String??
        var new: String??
    }

    private mutating func readGitSection() throws(PatchError) {
        let start = index
        let names = lines[index].dropFirst("diff --git ".utf8.count)
        let common = try nameOnBothSides(trimmingLineEnd(names))
        var leadingFolder = PatchReader.leadingFolder(of: names)
        index += 1
        var header = GitHeader()
        var binary = false
        header: while let line = current {
            func value(_ key: String) -> Bytes? {
                line.starts(with: key.utf8) ? trimmingLineEnd(line.dropFirst(key.utf8.count)) : nil
            }
            if let mode = value("old mode ") {
                header.oldMode = try parseMode(mode)
            } else if let mode = value("new mode ") {
                header.newMode = try parseMode(mode)
            } else if let mode = value("deleted file mode ") {
                (header.kind, header.oldMode) = (.remove, try parseMode(mode))
            } else if let mode = value("new file mode ") {
                (header.kind, header.newMode) = (.create, try parseMode(mode))
            } else if let name = value("rename from ") ?? value("rename old ") {
                (header.kind, header.from) = (.rename, try checkedName(name, stripping: false))
            } else if let name = value("rename to ") ?? value("rename new ") {
                (header.kind, header.to) = (.rename, try checkedName(name, stripping: false))
            } else if let name = value("copy from ") {
                (header.kind, header.from) = (.copy, try checkedName(name, stripping: false))
            } else if let name = value("copy to ") {
                (header.kind, header.to) = (.copy, try checkedName(name, stripping: false))
            } else if let hashes = value("index ") {
                header.newHash = hashes.split(separator: UInt8(ascii: " ")).first?.split(separator: UInt8(ascii: ".")).last
            } else if let percent = value("similarity index ") {
                header.similarity = Int(String(decoding: percent.prefix { $0 != UInt8(ascii: "%") }, as: UTF8.self))
            } else if line.starts(with: "--- ".utf8), let next = peek(1), next.starts(with: "+++ ".utf8) {
                header.old = .some(try nameInFileLine(line).path)
                index += 1
                header.new = .some(try nameInFileLine(next).path)
                index += 1
                leadingFolder = PatchReader.leadingFolder(next, line)
                break header
            } else if line.starts(with: "GIT binary patch".utf8) || PatchReader.isBinaryNotice(line) {
                binary = true
                index += 1
                break header
            } else if value("dissimilarity index ") == nil {
                break header
            }
            index += 1
        }
        var file = try fileSection(header, common: common, start: start)
        file.isBinary = binary
        file.leadingFolder = leadingFolder
        try readHunks(into: &file)
        try requireWhole(file, header)
        try append(file)
    }

    /// Makes a section from the names and kinds in the header lines. Throws if they contradict each other.
    private func fileSection(_ header: GitHeader, common: String?, start: Int) throws(PatchError) -> FilePatch {
        func bad(_ what: String) -> PatchError { PatchError(patch, line: start + 1, .malformed(what)) }
        let old = header.old ?? common
        let new = header.new ?? common
        if header.old != nil, let common, (old ?? common) != common || (new ?? common) != common {
            throw bad("the lines --- and +++ name another file than the line diff --git")
        }
        var kind = header.kind
        if kind == nil, header.old != nil, old == nil { kind = .create }
        if kind == nil, header.new != nil, new == nil { kind = .remove }
        var paths: (old: String, new: String)
        switch kind {
        case .rename, .copy:
            guard let from = header.from, let to = header.to else { throw bad("a rename or copy lacks one of its names") }
            if header.old != nil, old != from || new != to {
                throw bad("the lines --- and +++ name other files than the rename or copy")
            }
            paths = (from, to)
        case .create:
            guard let new else { throw bad("the new file has no name") }
            if header.old != nil, old != nil { throw bad("a new file has an old name") }
            paths = (new, new)
        case .remove:
            guard let old else { throw bad("the removed file has no name") }
            if header.new != nil, new != nil { throw bad("a removed file has a new name") }
            paths = (old, old)
        case .modify, nil:
            guard let old, let new else { throw bad("no name of a file in the header of this change") }
            guard old == new else { throw bad("two different files, \(old) and \(new), without a rename") }
            paths = (old, new)
        }
        return FilePatch(
            kind: kind ?? .modify, oldPath: paths.old, newPath: paths.new, oldMode: header.oldMode,
            newMode: header.newMode, line: start + 1)
    }

    /// Throws if a section has lost its hunks (a truncated patch): it must not pass for one without hunks.
    private func requireWhole(_ file: FilePatch, _ header: GitHeader) throws(PatchError) {
        guard file.hunks.isEmpty, !file.isBinary else { return }
        let lost = PatchError(patch, line: file.line, .malformed("the changes of \(file.newPath) are missing here"))
        if header.old != nil { throw lost }
        switch file.kind {
        case .modify:
            if file.newMode == nil || file.newMode == file.oldMode { throw lost }
        case .create:
            // The hash of an empty blob, SHA-1 or SHA-256, needs no hunks.
            guard let hash = header.newHash else { return }
            let empty = [
                "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
                "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
            ]
            if !empty.contains(where: { $0.utf8.starts(with: hash) }) { throw lost }
        case .rename, .copy:
            if let similarity = header.similarity, similarity < 100 { throw lost }
        case .remove: break
        }
    }

    // MARK: A section of a plain diff

    private mutating func readPlainSection() throws(PatchError) {
        let start = index
        let first = try nameInFileLine(lines[index])
        index += 1
        let second = try nameInFileLine(lines[index])
        index += 1
        var kind = FilePatch.Kind.modify
        let path: String
        switch (first.path, second.path) {
        case (nil, nil): throw malformed("no name of a file in the header of this change")
        case (nil, let new?): (kind, path) = (.create, new)
        case (let old?, nil): (kind, path) = (.remove, old)
        case (let old?, let new?):
            // 'diff -N' marks a missing file only by the time stamp 0. If the new name adds a suffix to the old one, the old one is meant;
            // otherwise the new one.
            path = new.hasPrefix(old) ? old : new
            if first.isEpoch { kind = .create } else if second.isEpoch { kind = .remove }
        }
        var file = FilePatch(kind: kind, oldPath: path, newPath: path, line: start + 1)
        file.leadingFolder = PatchReader.leadingFolder(lines[start + 1], lines[start])
        try readHunks(into: &file)
        if let only = file.hunks.first, kind == .modify, only.oldStart == 0, only.oldCount == 0 { file.mayCreate = true }
        try append(file)
    }

    private mutating func append(_ file: FilePatch) throws(PatchError) {
        for mode in [file.oldMode, file.newMode] {
            guard let mode, mode & 0o170000 != 0o100000 else { continue }
            let what = mode & 0o170000 == 0o120000 ? "is a symbolic link" : "is not a regular file"
            throw PatchError(patch, line: file.line, .unsupportedFile(file.newPath, what))
        }
        files.append(file)
    }
}

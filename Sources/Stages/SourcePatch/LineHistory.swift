import Diagnostics

/// Which line of the original source became which line of the patched source. The patches say so; nothing is guessed from texts.
///
/// File names are relative to `xen/`. A file that no patch touches has the same lines on both sides.
package struct LineHistory: Sendable {
    /// A line of one side's source.
    package struct Line: Hashable, Sendable {
        package var file: String
        /// Counted from 1, in the source as an editor shows it.
        package var number: Int

        package init(file: String, number: Int) {
            self.file = file
            self.number = number
        }
    }

    /// Lines that the patch replaces by others, with no line in between that stays.
    package struct Hunk: Hashable, Sendable {
        /// The last patched line before it that stays. Its number is 0 if there is none.
        fileprivate var previous: Line
    }

    private let before: SourceSide
    private let after: SourceSide

    /// - Parameters:
    ///   - original: the patches that lead from the tree to the original source; empty if the original is the tree.
    ///   - patched: the patches that lead from the tree to the patched source. A line that both series add is known to be the same only if
    ///     one series begins with the other.
    package init(from original: AppliedPatch, to patched: AppliedPatch) {
        before = SourceSide(original, beside: patched)
        after = SourceSide(patched, beside: original)
    }

    /// Whether a patch touches a file, under its old or its new name.
    package func touches(_ file: String) -> Bool { before.files[file] != nil || after.files[file] != nil }

    /// The lines of the original source that the compiler may mean by a place that it reports. They are several if line directives give
    /// lines the same number.
    package func originalLines(at place: SourceLocation) -> [Line] { before.lines(at: place) }

    /// The lines of the patched source that the compiler may mean.
    package func patchedLines(at place: SourceLocation) -> [Line] { after.lines(at: place) }

    /// The line of the original source that a patched line was; nil for an added one.
    package func original(of line: Line) -> Line? { SourceSide.counterpart(of: line, from: after, in: before) }

    /// The line of the patched source that an original line became; nil if the patch removes it.
    package func patched(of line: Line) -> Line? { SourceSide.counterpart(of: line, from: before, in: after) }

    /// The text of a line without its end; nil for a file that no patch touches.
    package func originalText(_ line: Line) -> String? { before.text(line) }
    package func patchedText(_ line: Line) -> String? { after.text(line) }

    /// Whether the patch adds, removes or changes a preprocessor directive, such as the definition of a macro, in some file.
    ///
    /// - Parameter counts: whether a file counts, by its name relative to `xen/`.
    package func changesDirectives(where counts: (String) -> Bool) -> Bool {
        func changes(_ side: SourceSide, _ counterpart: (Line) -> Line?) -> Bool {
            side.files.contains { name, file in
                counts(name) && file.directiveLines.contains { counterpart(Line(file: name, number: $0)) == nil }
            }
        }
        return changes(before, patched) || changes(after, original)
    }

    // MARK: Hunks

    /// The hunk that adds a patched line; nil for a line that stays.
    package func hunk(adding line: Line) -> Hunk? {
        guard original(of: line) == nil else { return nil }
        var previous = line
        repeat { previous.number -= 1 } while previous.number > 0 && original(of: previous) == nil
        return Hunk(previous: previous)
    }

    /// The hunk that removes an original line; nil for a line that stays, and for one whose file the patch removes.
    package func hunk(removing line: Line) -> Hunk? {
        guard patched(of: line) == nil, let file = after.successor(of: line.file, in: before) else { return nil }
        var previous = line
        repeat { previous.number -= 1 } while previous.number > 0 && patched(of: previous) == nil
        return Hunk(previous: previous.number > 0 ? patched(of: previous) ?? Line(file: file, number: 0) : Line(file: file, number: 0))
    }

    /// The patched lines that a hunk adds, in order.
    package func lines(addedBy hunk: Hunk) -> [Line] {
        var line = hunk.previous, result: [Line] = []
        line.number += 1
        while after.has(line), original(of: line) == nil {
            result.append(line)
            line.number += 1
        }
        return result
    }

    /// The original lines that a hunk removes, in order.
    package func lines(removedBy hunk: Hunk) -> [Line] {
        var result: [Line] = []
        let top = before.successor(of: hunk.previous.file, in: after).map { Line(file: $0, number: 0) }
        guard var line = hunk.previous.number > 0 ? original(of: hunk.previous) : top else { return [] }
        line.number += 1
        while before.has(line), patched(of: line) == nil {
            result.append(line)
            line.number += 1
        }
        return result
    }
}

/// The files of one side that a patch of either side touches.
private struct SourceSide: Sendable {
    struct File: Sendable {
        let content: [UInt8]
        let lineCount: Int
        /// The file's name in the tree; nil for a new file.
        let treePath: String?
        /// What identifies each line, as `AppliedPatch.File.History.lines`; nil if the file is as in the tree.
        let identities: [Int]?
        /// The places in `identities` of the lines that come from the tree. The identities at these places ascend.
        let fromTree: [Int]
        let map: LineMap

        init(tree path: String, _ content: [UInt8]) {
            self.content = content
            lineCount = Self.lineCount(content)
            treePath = path
            identities = nil
            fromTree = []
            map = LineMap()
        }

        init(_ file: AppliedPatch.File, _ content: [UInt8]) {
            self.content = content
            lineCount = Self.lineCount(content)
            treePath = file.history.path.map(relative)
            identities = file.history.lines
            fromTree = file.history.lines.indices.filter { file.history.lines[$0] > 0 }
            map = file.lineMap
        }

        private static func lineCount(_ content: [UInt8]) -> Int {
            content.count { $0 == UInt8(ascii: "\n") } + (content.last.map { $0 == UInt8(ascii: "\n") ? 0 : 1 } ?? 0)
        }

        /// The numbers of the lines that belong to preprocessor directives, from 1.
        var directiveLines: [Int] {
            var result: [Int] = [], goesOn = false
            for (index, line) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
                let text = trimmingLineEnd(line)
                let isDirective = goesOn || text.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "#")
                if isDirective { result.append(index + 1) }
                goesOn = isDirective && text.last == UInt8(ascii: "\\")
            }
            return result
        }

        func identity(of number: Int) -> Int {
            guard let identities else { return number }
            return identities.indices.contains(number - 1) ? identities[number - 1] : 0
        }

        /// The number of the line that comes from a line of the tree's file.
        func number(ofTreeLine line: Int) -> Int? {
            guard let identities else { return line }
            var (low, high) = (0, fromTree.count)
            while low < high {
                let middle = (low + high) / 2
                if identities[fromTree[middle]] < line { low = middle + 1 } else { high = middle }
            }
            return low < fromTree.count && identities[fromTree[low]] == line ? fromTree[low] + 1 : nil
        }
    }

    private(set) var files: [String: File] = [:]
    private var byTreePath: [String: String] = [:]

    init(_ own: AppliedPatch, beside other: AppliedPatch) {
        var gone: Set<String> = []
        for file in own.files {
            if let content = file.plainContent { files[relative(file.path)] = File(file, content) } else { gone.insert(relative(file.path)) }
        }
        // What only the other side changes is here as in the tree.
        for file in other.files {
            guard let path = file.history.path.map(relative), files[path] == nil, !gone.contains(path) else { continue }
            files[path] = File(tree: path, file.history.before)
        }
        for (name, file) in files { if let path = file.treePath { byTreePath[path] = name } }
    }

    static func counterpart(of line: LineHistory.Line, from side: SourceSide, in other: SourceSide) -> LineHistory.Line? {
        guard let file = side.files[line.file] else { return other.files[line.file] == nil ? line : nil }
        let identity = file.identity(of: line.number)
        if identity > 0, let path = file.treePath, let name = other.byTreePath[path] {
            return other.files[name]?.number(ofTreeLine: identity).map { LineHistory.Line(file: name, number: $0) }
        }
        // Only a series that runs already can have added a line before this patch.
        guard identity < 0 else { return nil }
        for (name, file) in other.files {
            if let index = file.identities?.firstIndex(of: identity) { return LineHistory.Line(file: name, number: index + 1) }
        }
        return nil
    }

    /// The name that a file of the other side has on this side; nil if this side has no such file.
    func successor(of name: String, in other: SourceSide) -> String? {
        guard let file = other.files[name] else { return name }
        return file.treePath.flatMap { byTreePath[$0] } ?? (files[name] == nil ? nil : name)
    }

    func lines(at place: SourceLocation) -> [LineHistory.Line] {
        guard let line = place.line else { return [] }
        return (files[place.file]?.map ?? LineMap()).realLines(forReported: line).map { LineHistory.Line(file: place.file, number: $0) }
    }

    func has(_ line: LineHistory.Line) -> Bool { line.number <= files[line.file]?.lineCount ?? 0 }

    func text(_ line: LineHistory.Line) -> String? {
        guard let file = files[line.file], line.number > 0 else { return nil }
        var rest = file.content[...]
        for _ in 1..<line.number {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            rest = rest[(end + 1)...]
        }
        guard !rest.isEmpty else { return nil }
        return String(decoding: trimmingLineEnd(rest[...(rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex - 1)]), as: UTF8.self)
    }
}

/// Relative to `xen/`.
private func relative(_ path: String) -> String { path.hasPrefix("xen/") ? String(path.dropFirst("xen/".count)) : path }

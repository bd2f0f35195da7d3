import Diagnostics

/// The instructions of one function before and after the patch, side by side.
package struct FunctionListing: Sendable, Equatable, Codable {
    /// One line of the listing. A changed one has both instructions.
    package struct Row: Sendable, Equatable, Codable {
        package enum Kind: String, Sendable, Equatable, Codable { case same, changed, removed, added }

        package var kind: Kind
        package var before: ListedInstruction?
        package var after: ListedInstruction?

        package init(_ kind: Kind, before: ListedInstruction? = nil, after: ListedInstruction? = nil) {
            self.kind = kind
            self.before = before
            self.after = after
        }
    }

    /// The symbol's name.
    package var name: String
    /// `common/kernel.o`.
    package var object: String
    package var location: SourceLocation?
    /// Whether it has no twin in the original: then all rows are added ones.
    package var isNew: Bool
    package var rows: [Row]
    /// What else shows why it differs, in short sentences: `is_hvm_domain is no longer inlined`.
    package var remarks: [String]

    package init(
        name: String, object: String, location: SourceLocation? = nil, isNew: Bool = false, rows: [Row] = [], remarks: [String] = []
    ) {
        self.name = name
        self.object = object
        self.location = location
        self.isNew = isNew
        self.rows = rows
        self.remarks = remarks
    }

    /// Whether any instruction differs, as far as the listing shows it. Data that the function uses may differ all the same.
    package var isDifferent: Bool { rows.contains { $0.kind != .same } }

    package func count(_ kind: Row.Kind) -> Int { rows.count { $0.kind == kind } }
}

extension FunctionListing.Row {
    /// Puts the instructions of a function side by side.
    ///
    /// Instructions belong together if they do the same with the same operands. A jump is the same if it leads to instructions that belong
    /// together, however far they have moved.
    static func sideBySide(_ before: [ListedInstruction], _ after: [ListedInstruction]) -> [Self] {
        var rows: [Self] = [], (x, y) = (0, 0)
        // Only instructions that do the same with other operands are shown as one that changed.
        func replaced(_ a: ArraySlice<ListedInstruction>, _ b: ArraySlice<ListedInstruction>) -> [Self] {
            var rows: [Self] = [], (x, y) = (a.startIndex, b.startIndex)
            for pair in Alignment(a.map(\.mnemonic), b.map(\.mnemonic)).pairs {
                let (p, q) = (a.startIndex + pair.before, b.startIndex + pair.after)
                rows += a[x..<p].map { Self(.removed, before: $0) } + b[y..<q].map { Self(.added, after: $0) }
                rows.append(Self(.changed, before: a[p], after: b[q]))
                (x, y) = (p + 1, q + 1)
            }
            return rows + a[x...].map { Self(.removed, before: $0) } + b[y...].map { Self(.added, after: $0) }
        }
        for pair in Alignment(before.map(\.shape), after.map(\.shape)).pairs {
            rows += replaced(before[x..<pair.before], after[y..<pair.after])
            rows.append(Self(.same, before: before[pair.before], after: after[pair.after]))
            (x, y) = (pair.before + 1, pair.after + 1)
        }
        rows += replaced(before[x...], after[y...])
        markJumps(&rows)
        return rows
    }

    /// Marks jumps that look the same and lead elsewhere.
    ///
    /// Two jumps lead to the same if they lead to one row. Rows that differ, one after another, count as one: which of them belong together is
    /// a matter of taste. But then both jumps must lead to where that block begins.
    private static func markJumps(_ rows: inout [Self]) {
        var block = 0, before: [Int: Int] = [:], after: [Int: Int] = [:], isBegun = (before: false, after: false)
        for index in rows.indices {
            let isSame = rows[index].kind == .same
            if isSame || index == 0 || rows[index - 1].kind == .same { (block, isBegun) = (block + 1, (false, false)) }
            if let offset = rows[index].before?.offset, !isBegun.before { (before[offset], isBegun.before) = (block, true) }
            if let offset = rows[index].after?.offset, !isBegun.after { (after[offset], isBegun.after) = (block, true) }
        }
        for index in rows.indices where rows[index].kind == .same {
            guard let x = rows[index].before?.target, let y = rows[index].after?.target else { continue }
            // A place inside an instruction, or inside a block, has no row.
            if before[x] == nil || before[x] != after[y] { rows[index].kind = .changed }
        }
    }
}

extension FunctionListing.Row {
    /// The line of the source that instructions stand under.
    package struct Heading: Sendable, Equatable {
        package var location: SourceLocation
        /// Whether it is a line of the original source. Lines of the patched one may have the same number.
        package var isOriginal: Bool

        /// `common/kernel.c:12`, and which source is meant if it is not the patched one.
        package var words: String { isOriginal ? "\(location) before the patch" : location.description }
    }

    /// The patched line, if there is an instruction on that side.
    package var heading: Heading? { (after ?? before)?.location.map { Heading(location: $0, isOriginal: after == nil) } }

    /// The text of that line, if it is known and not the same as that of the row above.
    fileprivate var source: String? { (after ?? before)?.source }
}

extension FunctionListing {
    /// Adds the text of the source's lines where they are shown.
    ///
    /// - Parameters:
    ///   - original: the text of a line of the original source; nil if it is not known.
    ///   - patched: the same for the patched source.
    package mutating func addSources(original: (SourceLocation) -> String?, patched: (SourceLocation) -> String?) {
        let isShown = shownRows()
        var above: Row.Heading?
        for index in rows.indices {
            guard isShown[index] else {
                above = nil
                continue
            }
            guard let heading = rows[index].heading, heading != above else { continue }
            above = heading
            if heading.isOriginal { rows[index].before?.source = original(heading.location) } else { rows[index].after?.source = patched(heading.location) }
        }
    }

    /// A line of the listing as people see it.
    package enum Line: Sendable, Equatable {
        /// So many equal instructions, which are not shown.
        case folded(Int)
        /// The rows below come from this line of the source. Its text is there if it is known.
        case source(Row.Heading, text: String?)
        case row(Row)
    }

    /// The listing with long runs of equal rows folded, and the lines of the source above what came from them.
    package var lines: [Line] {
        var lines: [Line] = []
        for part in parts() {
            switch part {
            case .folded(let rows): lines.append(.folded(rows.count))
            case .shown(let rows):
                var above: Row.Heading?
                for row in rows {
                    if let heading = row.heading, heading != above {
                        above = heading
                        lines.append(.source(heading, text: row.source))
                    }
                    lines.append(.row(row))
                }
            }
        }
        return lines
    }

    /// A part of the listing: rows that are shown, or the number of equal ones that are not.
    package enum Part: Sendable, Equatable {
        case shown([Row])
        case folded([Row])
    }

    /// How many equal rows are shown around a difference.
    package static let context = 3

    /// For each row, whether it differs or is near one that does.
    private func shownRows(context: Int = Self.context) -> [Bool] {
        var isShown = [Bool](repeating: false, count: rows.count)
        for index in rows.indices where rows[index].kind != .same {
            for near in max(0, index - context)...min(rows.count - 1, index + context) { isShown[near] = true }
        }
        return isShown
    }

    /// The listing with long runs of equal rows apart.
    ///
    /// - Parameter context: how many equal rows stay around each difference.
    package func parts(context: Int = Self.context) -> [Part] {
        let isShown = shownRows(context: context)
        var parts: [Part] = [], shown: [Row] = [], start = 0
        while start < rows.count {
            let end = rows.indices[start...].first { isShown[$0] != isShown[start] } ?? rows.count
            // A fold takes a line itself.
            if isShown[start] || end - start == 1 {
                shown += rows[start..<end]
            } else {
                if !shown.isEmpty { parts.append(.shown(shown)) }
                parts.append(.folded(Array(rows[start..<end])))
                shown = []
            }
            start = end
        }
        if !shown.isEmpty { parts.append(.shown(shown)) }
        return parts
    }
}

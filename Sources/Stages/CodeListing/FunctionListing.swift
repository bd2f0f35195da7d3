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
        func replaced(_ a: ArraySlice<ListedInstruction>, _ b: ArraySlice<ListedInstruction>) -> [Self] {
            let common = min(a.count, b.count)
            return zip(a, b).map { Self(.changed, before: $0, after: $1) } + a.dropFirst(common).map { Self(.removed, before: $0) }
                + b.dropFirst(common).map { Self(.added, after: $0) }
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
    private static func markJumps(_ rows: inout [Self]) {
        // Rows that differ, one after another, count as one place: which of them belong together is a matter of taste.
        var block = 0, blocks: [Int] = []
        for index in rows.indices {
            if index == 0 || rows[index].kind == .same || rows[index - 1].kind == .same { block += 1 }
            blocks.append(block)
        }
        func places(_ offset: (Self) -> Int?) -> [Int: Int] {
            Dictionary(rows.indices.compactMap { index in offset(rows[index]).map { ($0, blocks[index]) } }) { first, _ in first }
        }
        let before = places { $0.before?.offset }, after = places { $0.after?.offset }
        for index in rows.indices where rows[index].kind == .same {
            guard let x = rows[index].before?.target, let y = rows[index].after?.target, before[x] != after[y] else { continue }
            rows[index].kind = .changed
        }
    }
}

extension FunctionListing.Row {
    /// The line of the source that the row is shown under: the patched one, if there is an instruction on that side.
    package var location: SourceLocation? { (after ?? before)?.location }

    /// The text of that line, if it is known and not the same as that of the row above.
    package var source: String? { (after ?? before)?.source }
}

extension FunctionListing {
    /// Adds the text of the source's lines where they are shown.
    ///
    /// - Parameters:
    ///   - original: the text of a line of the original source; nil if it is not known.
    ///   - patched: the same for the patched source.
    package mutating func addSources(original: (SourceLocation) -> String?, patched: (SourceLocation) -> String?) {
        let isShown = shownRows()
        var place: SourceLocation?
        for index in rows.indices {
            guard isShown[index] else {
                place = nil
                continue
            }
            guard let here = rows[index].location, here != place else { continue }
            place = here
            if rows[index].after != nil { rows[index].after?.source = patched(here) } else { rows[index].before?.source = original(here) }
        }
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
        var parts: [Part] = [], start = 0
        while start < rows.count {
            let end = rows.indices[start...].first { isShown[$0] != isShown[start] } ?? rows.count
            // A fold takes a line itself.
            let run = Array(rows[start..<end])
            if isShown[start] || run.count == 1 {
                if case .shown(let earlier)? = parts.last { parts[parts.count - 1] = .shown(earlier + run) } else { parts.append(.shown(run)) }
            } else {
                parts.append(.folded(run))
            }
            start = end
        }
        return parts
    }
}

import DebugInfo
import Diagnostics
import SourcePatch

/// Finds out in which line of one side's source each declaration stands.
///
/// The compiler's number may mean an added line as well as one that stays, because line directives give both the same number. The column
/// and the text decide first. If several lines are left, all declarations that the compiler reports there must be as many as the lines:
/// then they stand in them in this order.
struct LineResolver {
    typealias Line = LineHistory.Line

    private struct Entry {
        var key: LocalKey
        var scope: [DebugInfo.ScopeElement]
        var storage: SourceLines.Place?
        var place: SourceLocation?
        var lines: [Line]
    }

    private let entries: [Entry]
    private let linesAt: (SourceLocation) -> [Line]
    private let counterpart: (Line) -> Line?

    /// - Parameters:
    ///   - declarations: all with the names in question, also those without storage.
    ///   - linesAt: the lines that the compiler may mean.
    ///   - counterpart: the line of the other side.
    init(
        _ declarations: [VariableDeclarations.Declaration], at linesAt: @escaping (SourceLocation) -> [Line], text: (Line) -> String?,
        counterpart: @escaping (Line) -> Line?
    ) {
        self.linesAt = linesAt
        self.counterpart = counterpart
        entries = declarations.filter { !$0.isAutomatic && $0.enclosingFunction != nil }.map { declaration in
            var lines = declaration.place.map(linesAt) ?? []
            if lines.count > 1 {
                let fits = lines.map { DeclarationLines.fit(text($0), name: declaration.name, column: declaration.column) }
                let best = fits.max() ?? .not
                lines = zip(lines, fits).filter { $0.1 == best }.map(\.0)
            }
            return Entry(
                key: LocalKey(name: declaration.name, scope: declaration.scope), scope: declaration.scope, storage: declaration.storage,
                place: declaration.place, lines: lines)
        }
    }

    /// For each declaration, the lines in which it may stand.
    var possible: [LocalKey: [[Line]]] { Dictionary(grouping: entries, by: \.key).mapValues { $0.map(\.lines) } }

    /// The lines of static locals. One is missing if its line can't be told.
    ///
    /// - Parameter others: `possible` of the other side.
    func resolved<Side>(_ locals: [StaticLocal<Side>], others: [LocalKey: [[Line]]]) -> [Item<Side>.ID: Line] {
        var result: [Item<Side>.ID: Line] = [:]
        for local in locals {
            let storage = SourceLines.Place(section: local.variable.section, offset: Int(clamping: local.variable.offset))
            if let index = entries.firstIndex(where: { $0.storage == storage && $0.key == local.key }) {
                result[local.id] = line(of: index, others)
            } else {
                let lines = local.variable.declaration.map(linesAt) ?? []
                result[local.id] = lines.count == 1 ? lines[0] : nil
            }
        }
        return result
    }

    private func line(of index: Int, _ others: [LocalKey: [[Line]]]) -> Line? {
        let entry = entries[index]
        guard entry.lines.count > 1 else { return entry.lines.first }
        // A line that stays counts only if the same function declares the name there on the other side.
        let known = Set((others[entry.key] ?? []).flatMap { $0 })
        let staying = entry.lines.filter { counterpart($0).map(known.contains) ?? false }, moved = entry.lines.filter { counterpart($0) == nil }
        if staying.isEmpty { return moved.first ?? entry.lines.first }
        if staying.count == 1, moved.isEmpty { return staying[0] }
        let candidates = (staying + moved).sorted { $0.number < $1.number }
        let rivals = entries.indices.filter { entries[$0].place == entry.place && entries[$0].key.name == entry.key.name }
        let own = rivals.filter { entries[$0].key == entry.key }
        if own.count == candidates.count {
            let sorted = own.sorted { Self.stands(entries[$0].scope, before: entries[$1].scope) == true }
            let isCertain = own.allSatisfy { x in own.allSatisfy { y in x == y || Self.stands(entries[x].scope, before: entries[y].scope) != nil } }
            return isCertain ? sorted.firstIndex(of: index).map { candidates[$0] } : nil
        }
        // The other lines belong to other functions.
        return own.count == 1 && staying.count == 1 && rivals.count == candidates.count ? staying[0] : nil
    }

    /// Whether one block of a function stands before another; nil if one is inside the other, because the order of a block's declarations
    /// and its inner blocks is not known.
    private static func stands(_ a: [DebugInfo.ScopeElement], before b: [DebugInfo.ScopeElement]) -> Bool? {
        for (x, y) in zip(a, b) where x != y {
            if case .block(let i) = x, case .block(let j) = y { return i < j }
            return nil
        }
        return nil
    }
}

import DebugInfo
import Diagnostics
import SourcePatch

/// Correlates static locals by what the patch did to the lines that declare them.
///
/// 1. A declaration whose line the patch leaves alone is its own twin, also in a function with another name.
/// 2. In the outermost block of a function, the language allows a name only once: a line that changed there still declares the same.
/// 3. Where a hunk replaces the line, and the added line is the only one that can be meant, the patch rewrites it: the hunk puts something
///    around lines that all come again; or the function has no other removed or added declaration of that name; or none with these words,
///    and the hunk adds no more of that name than it removes; or each hunk has one and no other the words of it.
/// 4. A removed and an added declaration with the same words are one that moved, if the function has no other of them, or if all lines
///    around them moved along.
///
/// Words are the same if only white space differs. 2 to 4 hold only for what is left of a name in a function, and leave a doubt; 2 only if
/// other blocks of the function declare that name, too. A removed declaration and an added one that these rules do not join are two
/// variables if they have neither the words nor the hunk in common; otherwise the change is refused.
struct SurvivingDeclarations {
    typealias Line = LineHistory.Line

    private let originals: [StaticLocal<OriginalSide>]
    private let patched: [StaticLocal<PatchedSide>]
    private let lines: DeclarationLines
    private var history: LineHistory { lines.history }
    private let resolvedOriginals: [OriginalItem.ID: Line]
    private let resolvedPatched: [PatchedItem.ID: Line]
    /// All declarations of the names in question, also those without storage, with the lines in which they may stand.
    private let declaredBefore: [LocalKey: [[Line]]]
    private let declaredAfter: [LocalKey: [[Line]]]

    init(
        _ originals: [StaticLocal<OriginalSide>], _ patched: [StaticLocal<PatchedSide>], _ a: ExplainedGraph<OriginalSide>,
        _ b: ExplainedGraph<PatchedSide>, _ lines: DeclarationLines
    ) throws(InputError) {
        (self.originals, self.patched, self.lines) = (originals, patched, lines)
        let history = lines.history
        // Most names are declared in the same untouched lines on both sides. Only the others need a closer look at debug info.
        let before = Dictionary(grouping: originals, by: \.variable.name).mapValues { $0.map(lines.possible) }
        let after = Dictionary(grouping: patched, by: \.variable.name).mapValues { $0.map(lines.possible) }
        let names = after.keys.filter { name in
            guard let x = before[name], let y = after[name] else { return false }
            guard let left = Self.single(x), let right = Self.single(y) else { return true }
            return left.count != right.count || Set(right.compactMap(history.original)) != left
        }
        let resolverA = LineResolver(
            try a.declarations(named: Set(names)), at: { history.originalLines(at: lines.originalPlace($0)) }, text: history.originalText,
            counterpart: history.patched)
        let resolverB = LineResolver(
            try b.declarations(named: Set(names)), at: { history.patchedLines(at: lines.patchedPlace($0)) }, text: history.patchedText,
            counterpart: history.original)
        declaredBefore = resolverA.possible
        declaredAfter = resolverB.possible
        resolvedOriginals = resolverA.resolved(originals, others: resolverB.possible)
        resolvedPatched = resolverB.resolved(patched, others: resolverA.possible)
    }

    /// The lines of declarations, if each has one of its own.
    private static func single(_ declarations: [[Line]]) -> Set<Line>? {
        let lines = Set(declarations.compactMap { $0.count == 1 ? $0[0] : nil })
        return lines.count == declarations.count ? lines : nil
    }

    func pair(_ result: inout Correlation) {
        pairByLine(&result)
        noteFates(&result)
        let before = Dictionary(grouping: originals.filter { result.isFree($0.id) && !result.ended.contains($0.id) }, by: \.key)
        let after = Dictionary(grouping: patched.filter { result.isFree($0.id) && !result.begun.contains($0.id) }, by: \.key)
        for (key, items) in after {
            guard let twins = before[key] else { continue }
            pairByOutermostBlock(twins, items, &result)
            pairByHunk(twins.filter { result.isFree($0.id) }, items.filter { result.isFree($0.id) }, &result)
            pairByMove(twins.filter { result.isFree($0.id) }, items.filter { result.isFree($0.id) }, &result)
            let rest = twins.filter { result.isFree($0.id) }
            for item in items where result.isFree(item.id) && rest.allSatisfy({ areUnlike($0, item) }) { result.setApart(item.id) }
        }
    }

    /// Whether a removed and an added declaration have different words and are not in the same hunk. Then the patch removes one variable
    /// and adds another.
    private func areUnlike(_ twin: StaticLocal<OriginalSide>, _ item: StaticLocal<PatchedSide>) -> Bool {
        guard let from = resolvedOriginals[twin.id], let to = resolvedPatched[item.id], let hunk = history.hunk(adding: to) else { return false }
        return words(twin) != words(item) && history.hunk(removing: from) != hunk
    }

    // MARK: The line that stayed

    private struct LineKey: Hashable {
        var line: Line
        var name: String
    }

    private func pairByLine(_ result: inout Correlation) {
        let before = Self.byLine(originals, resolvedOriginals)
        for (place, items) in Self.byLine(patched, resolvedPatched) {
            guard let line = history.original(of: place.line), let twins = before[LineKey(line: line, name: place.name)] else { continue }
            // One line may belong to several functions (a file that is included twice), and a macro may declare a name several times.
            let left = Dictionary(grouping: twins, by: \.key), right = Dictionary(grouping: items, by: \.key)
            for (key, y) in right { pairInOrder(left[key] ?? [], y, &result) }
            let gone = left.filter { right[$0.key] == nil }, added = right.filter { left[$0.key] == nil }
            // The function has another name now.
            if gone.count == 1, added.count == 1, let x = gone.first?.value, let y = added.first?.value { pairInOrder(x, y, &result) }
        }
    }

    private static func byLine<Side>(_ locals: [StaticLocal<Side>], _ resolved: [Item<Side>.ID: Line]) -> [LineKey: [StaticLocal<Side>]] {
        var result: [LineKey: [StaticLocal<Side>]] = [:]
        for local in locals {
            if let line = resolved[local.id] { result[LineKey(line: line, name: local.variable.name), default: []].append(local) }
        }
        return result
    }

    /// Declarations of one line, in the same order on both sides. If one side has fewer, nothing says which are missing. Several come from a
    /// macro's body, and if the patch may have changed that, nothing says which is which.
    private func pairInOrder(_ x: [StaticLocal<OriginalSide>], _ y: [StaticLocal<PatchedSide>], _ result: inout Correlation) {
        guard x.count == y.count, y.count == 1 || !lines.macrosMayChange else { return }
        for (twin, item) in zip(x, y) {
            guard let place = item.variable.declaration else { continue }
            result.pair(twin.id, item.id, by: .declaration(place))
        }
    }

    /// A variable whose line the patch leaves alone is no other than that line's. So if that has no twin, it has none.
    private func noteFates(_ result: inout Correlation) {
        let before = Set(originals.filter { result.isFree($0.id) }.flatMap { keys($0.variable.name, resolvedOriginals[$0.id], lines.possible($0)) })
        let after = Set(patched.filter { result.isFree($0.id) }.flatMap { keys($0.variable.name, resolvedPatched[$0.id], lines.possible($0)) })
        for local in originals where result.isFree(local.id) {
            guard let same = resolvedOriginals[local.id].flatMap(history.patched) else { continue }
            if !after.contains(LineKey(line: same, name: local.variable.name)) { result.end(local.id) }
        }
        for local in patched where result.isFree(local.id) {
            guard let same = resolvedPatched[local.id].flatMap(history.original) else { continue }
            if !before.contains(LineKey(line: same, name: local.variable.name)) { result.begin(local.id) }
        }
    }

    private func keys(_ name: String, _ resolved: Line?, _ possible: [Line]) -> [LineKey] {
        (resolved.map { [$0] } ?? possible).map { LineKey(line: $0, name: name) }
    }

    // MARK: Lines that changed

    private func pairByOutermostBlock(_ x: [StaticLocal<OriginalSide>], _ y: [StaticLocal<PatchedSide>], _ result: inout Correlation) {
        let (outerX, outerY) = (x.filter(\.isInOutermostBlock), y.filter(\.isInOutermostBlock))
        guard outerX.count == 1, outerY.count == 1 else { return }
        let isOnly = declaredBefore[outerX[0].key]?.count == 1 && declaredAfter[outerY[0].key]?.count == 1
        result.pair(outerX[0].id, outerY[0].id, by: isOnly ? .onlyOneOfFunction : .outermostBlock)
    }

    private func pairByHunk(_ x: [StaticLocal<OriginalSide>], _ y: [StaticLocal<PatchedSide>], _ result: inout Correlation) {
        for item in y {
            guard let to = resolvedPatched[item.id], let hunk = history.hunk(adding: to) else { continue }
            let inHunk = x.filter { resolvedOriginals[$0.id].flatMap(history.hunk(removing:)) == hunk }
            let wrapped = inHunk.filter { twin in resolvedOriginals[twin.id].map { isWrapped($0, to, in: hunk) } ?? false }
            var twin = wrapped.count == 1 ? wrapped[0] : nil, isCertain = true
            if twin == nil {
                // Nothing but the place says that it is the same. So no other in the function may be like it.
                let alike = inHunk.filter {
                    x.count == 1 && y.count == 1 && areAlone($0, item) || haveWordsOfTheirOwn($0, x, item, y) || areAloneInHunk($0, x, item, y)
                }
                if alike.count == 1 { twin = alike[0] }
                isCertain = x.count == 1 && y.count == 1
            }
            if let found = twin, hasLookalike(found, in: hunk) { isCertain = false }
            guard let twin, result.isFree(twin.id), let from = resolvedOriginals[twin.id] else { continue }
            result.pair(
                twin.id, item.id,
                by: .rewrittenLine(
                    from: SourceLocation(file: from.file, line: from.number), to: SourceLocation(file: to.file, line: to.number),
                    hasSameText: isCertain && words(twin) == words(item)))
        }
    }

    /// Whether a hunk puts something around the lines that it removes: they all come again in the same order, white space aside, and these
    /// two are the same one of them.
    private func isWrapped(_ from: Line, _ to: Line, in hunk: LineHistory.Hunk) -> Bool {
        let removed = history.lines(removedBy: hunk), added = history.lines(addedBy: hunk)
        let before = removed.map { words(of: history.originalText($0)) }, after = added.map { words(of: history.patchedText($0)) }
        guard before.count > 1, let i = removed.firstIndex(of: from), let j = added.firstIndex(of: to), before[i] == after[j] else { return false }
        var rest = after[...]
        for words in before {
            guard let next = rest.firstIndex(where: { $0 == words }) else { return false }
            rest = rest[(next + 1)...]
        }
        let own = before[i]
        return before.count { $0 == own } == after.count { $0 == own } && before[..<i].count { $0 == own } == after[..<j].count { $0 == own }
    }

    /// Whether the lines that a hunk removes stand in the function once more, around another declaration of that name. Then only their order
    /// says which of the two the patch means.
    private func hasLookalike(_ twin: StaticLocal<OriginalSide>, in hunk: LineHistory.Hunk) -> Bool {
        let removed = history.lines(removedBy: hunk), own = removed.map { words(of: history.originalText($0)) }
        guard let index = resolvedOriginals[twin.id].flatMap(removed.firstIndex(of:)) else { return false }
        return originals.contains { other in
            guard other.id != twin.id, other.key == twin.key, let place = resolvedOriginals[other.id] else { return false }
            return own.indices.allSatisfy { words(of: history.originalText(Line(file: place.file, number: place.number - index + $0))) == own[$0] }
        }
    }

    /// Whether their hunk has no other declaration of that name in the function, and no other hunk has one with the words of either.
    private func areAloneInHunk(
        _ twin: StaticLocal<OriginalSide>, _ x: [StaticLocal<OriginalSide>], _ item: StaticLocal<PatchedSide>, _ y: [StaticLocal<PatchedSide>]
    ) -> Bool {
        guard let to = resolvedPatched[item.id], let hunk = history.hunk(adding: to) else { return false }
        guard declarationsRemoved(by: hunk, of: twin.key) == 1, declarationsAdded(by: hunk, of: item.key) == 1 else { return false }
        return x.allSatisfy { $0.id == twin.id || words($0) != words(item) } && y.allSatisfy { $0.id == item.id || words($0) != words(twin) }
            && x.count { words($0) == words(twin) } == 1 && y.count { words($0) == words(item) } == 1
    }

    private func declarationsRemoved(by hunk: LineHistory.Hunk, of key: LocalKey) -> Int {
        let lines = Set(history.lines(removedBy: hunk))
        return (declaredBefore[key] ?? []).count { !lines.isDisjoint(with: $0) }
    }

    private func declarationsAdded(by hunk: LineHistory.Hunk, of key: LocalKey) -> Int {
        let lines = Set(history.lines(addedBy: hunk))
        return (declaredAfter[key] ?? []).count { !lines.isDisjoint(with: $0) }
    }

    /// Whether both have the same words, and no other removed or added declaration of that name in the function has them. Their hunk adds no
    /// more of that name than it removes: else the old one may be another of those, with another type.
    private func haveWordsOfTheirOwn(
        _ twin: StaticLocal<OriginalSide>, _ x: [StaticLocal<OriginalSide>], _ item: StaticLocal<PatchedSide>, _ y: [StaticLocal<PatchedSide>]
    ) -> Bool {
        guard let own = words(twin), own == words(item), let hunk = resolvedPatched[item.id].flatMap(history.hunk(adding:)),
            declarationsAdded(by: hunk, of: item.key) <= declarationsRemoved(by: hunk, of: twin.key)
        else { return false }
        let removed = (declaredBefore[twin.key] ?? []).count { $0.contains { history.patched(of: $0) == nil && words(of: history.originalText($0)) == own } }
        let added = (declaredAfter[item.key] ?? []).count { $0.contains { history.original(of: $0) == nil && words(of: history.patchedText($0)) == own } }
        return removed == 1 && added == 1 && x.count { words($0) == own } == 1 && y.count { words($0) == own } == 1
    }

    private func pairByMove(_ x: [StaticLocal<OriginalSide>], _ y: [StaticLocal<PatchedSide>], _ result: inout Correlation) {
        for item in y {
            guard let to = resolvedPatched[item.id] else { continue }
            let twins = x.filter { twin in
                guard let from = resolvedOriginals[twin.id], let own = words(twin), own == words(item) else { return false }
                return (x.count == 1 && y.count == 1 && areAlone(twin, item)) || isMovedHunk(from, to)
            }
            guard twins.count == 1, result.isFree(twins[0].id), let from = resolvedOriginals[twins[0].id] else { continue }
            // Lines that the patch adds twice are no move.
            guard y.count(where: { $0.id == item.id || resolvedPatched[$0.id].map { isMovedHunk(from, $0) } ?? true }) == 1 else { continue }
            result.pair(
                twins[0].id, item.id,
                by: .movedLine(from: SourceLocation(file: from.file, line: from.number), to: SourceLocation(file: to.file, line: to.number)))
        }
    }

    /// Whether the patch removes and adds the name once in the function. Declarations that the compiler dropped count, too.
    private func areAlone(_ twin: StaticLocal<OriginalSide>, _ item: StaticLocal<PatchedSide>) -> Bool {
        let removed = (declaredBefore[twin.key] ?? []).count { $0.contains { history.patched(of: $0) == nil } }
        let added = (declaredAfter[item.key] ?? []).count { $0.contains { history.original(of: $0) == nil } }
        return removed == 1 && added == 1
    }

    /// Whether the patch removes lines in one place and adds lines with the same words in another, and these two are at the same position
    /// in them.
    private func isMovedHunk(_ from: Line, _ to: Line) -> Bool {
        guard let source = history.hunk(removing: from), let target = history.hunk(adding: to) else { return false }
        let removed = history.lines(removedBy: source), added = history.lines(addedBy: target)
        guard removed.count == added.count, removed.firstIndex(of: from) == added.firstIndex(of: to) else { return false }
        return zip(removed, added).allSatisfy { words(of: history.originalText($0)) == words(of: history.patchedText($1)) }
    }

    private func words(_ local: StaticLocal<OriginalSide>) -> [Substring]? { resolvedOriginals[local.id].flatMap { words(of: history.originalText($0)) } }
    private func words(_ local: StaticLocal<PatchedSide>) -> [Substring]? { resolvedPatched[local.id].flatMap { words(of: history.patchedText($0)) } }
    private func words(of text: String?) -> [Substring]? { DeclarationLines.words(of: text) }
}

extension DeclarationLines {
    /// A line without its white space.
    static func words(of text: String?) -> [Substring]? { text?.split { $0 == " " || $0 == "\t" } }

    /// The lines in which a static local may be declared.
    func possible(_ local: StaticLocal<OriginalSide>) -> [LineHistory.Line] {
        local.variable.declaration.map { history.originalLines(at: originalPlace($0)) } ?? []
    }

    func possible(_ local: StaticLocal<PatchedSide>) -> [LineHistory.Line] {
        local.variable.declaration.map { history.patchedLines(at: patchedPlace($0)) } ?? []
    }
}

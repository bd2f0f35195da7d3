import DebugInfo
import Diagnostics
import SourcePatch

/// Correlates static variables of file level whose names come from macros.
///
/// A name that stands in the line of the declaration says which variable it is. A name that a macro makes (`__COUNTER__`, `__LINE__`) may go
/// to another variable when the patch adds a line. Then the line counts: if the patch leaves it alone, its variables are those that it
/// declared before.
struct FileLevelStatics {
    private typealias Line = LineHistory.Line

    private struct Static<Side: ComparisonSide> {
        let id: Item<Side>.ID
        let name: String
        let place: SourceLocation
        let order: Int
        /// nil if it can't be told.
        var line: Line?
        /// Whether the name, or a part of it, stands in the line. True for a file that the patch does not touch.
        var isSpelled = true
    }

    private let originals: [Static<OriginalSide>]
    private let patched: [Static<PatchedSide>]
    private let lines: DeclarationLines
    private var history: LineHistory { lines.history }

    init(_ a: ExplainedGraph<OriginalSide>, _ b: ExplainedGraph<PatchedSide>, _ lines: DeclarationLines) {
        self.lines = lines
        let history = lines.history
        originals = Self.statics(a, at: { history.originalLines(at: lines.originalPlace($0)) }, text: history.originalText)
        patched = Self.statics(b, at: { history.patchedLines(at: lines.patchedPlace($0)) }, text: history.patchedText)
    }

    // MARK: Lines

    private static func statics<Side>(
        _ graph: ExplainedGraph<Side>, at linesAt: (SourceLocation) -> [Line], text: (Line) -> String?
    ) -> [Static<Side>] {
        let all = graph.graph.items.compactMap { item -> Static<Side>? in
            guard item.kind == .data, [.writable, .perCPU].contains(item.role), item.isNamed, !item.isGlobal, item.size > 0, !CompilerName(item.name).isDerived,
                let variable = graph.variable(item.id), variable.enclosingFunction == nil, let place = variable.declaration, place.line != nil
            else { return nil }
            return Static(id: item.id, name: item.name, place: place, order: graph.order(item.id))
        }
        var result: [Static<Side>] = []
        for (place, items) in Dictionary(grouping: all, by: \.place) { result += resolve(items.sorted { $0.order < $1.order }, linesAt(place), text) }
        return result.sorted { $0.order < $1.order }
    }

    /// Finds the line of each variable that the compiler reports in one place. Line directives can give several lines that place.
    private static func resolve<Side>(_ items: [Static<Side>], _ lines: [Line], _ text: (Line) -> String?) -> [Static<Side>] {
        func spells(_ line: Line, _ name: String) -> Bool { text(line).map { spelled(name, in: $0) } ?? true }
        // A directive declares nothing, whatever it names.
        let lines = lines.filter { text($0)?.drop { $0 == " " || $0 == "\t" }.first != "#" }
        var result = items, left = Set(lines)
        for index in result.indices {
            let own = lines.filter { spells($0, result[index].name) }
            result[index].isSpelled = !own.isEmpty
            guard own.count == 1 else { continue }
            result[index].line = own[0]
            left.remove(own[0])
        }
        let open = result.indices.filter { !result[$0].isSpelled }, rest = lines.filter { left.contains($0) && !Words(of: text($0) ?? "").all.isEmpty }
        // The uses of one macro declare equally many variables.
        guard !rest.isEmpty, open.count % rest.count == 0, Set(rest.map { text($0).flatMap { Words(of: $0).all.first?.text } }).count == 1 else {
            return result
        }
        for (position, index) in open.enumerated() { result[index].line = rest[position / (open.count / rest.count)] }
        return result
    }

    /// Whether the name is a word of the line, or a word of the line is a part of the name, as in `DEFINE_PER_CPU(int, x)` for `per_cpu__x`.
    private static func spelled(_ name: String, in text: String) -> Bool {
        Words(of: text).all.contains { word in
            if word.text == name { return true }
            guard word.text.count > 1, !keywords.contains(String(word.text)) else { return false }
            return name.hasSuffix("_\(word.text)") || name.hasPrefix("\(word.text)_") || name.contains("_\(word.text)_")
        }
    }

    private static let keywords: Set<String> = [
        "static", "const", "volatile", "unsigned", "signed", "int", "char", "long", "short", "bool", "struct", "union", "enum",
    ]

    // MARK: Pairs

    /// Pairs the variables that lines show.
    ///
    /// - Returns: patched variables that are not to be paired by name.
    func pair(_ result: inout Correlation) -> Set<PatchedItem.ID> {
        var unclear: Set<PatchedItem.ID> = []
        let before = Dictionary(grouping: originals.filter { $0.line != nil }, by: \.line)
        for (line, items) in Dictionary(grouping: patched.filter { $0.line != nil }, by: \.line) {
            guard let line, let old = history.original(of: line), let twins = before[old] else { continue }
            let stay = Set(twins.map(\.name)).intersection(items.map(\.name)).filter { name in items.contains { $0.name == name && $0.isSpelled } }
            let x = twins.filter { !stay.contains($0.name) }, y = items.filter { !stay.contains($0.name) }
            guard Set(x.map(\.name)) != Set(y.map(\.name)) else { continue }
            guard x.count == y.count, y.count == 1 || !lines.macrosMayChange else {
                unclear.formUnion(y.map(\.id))
                if !x.isEmpty { for item in y { result.leaveOpen(item.id, among: Set(x.map(\.id))) } }
                continue
            }
            for (twin, item) in zip(x, y) { result.pair(twin.id, item.id, by: .macroDeclaration(item.place, isCertain: !lines.macrosMayChange)) }
        }
        let namesakes = Dictionary(originals.map { ($0.name, $0) }) { first, _ in first }
        for item in patched where result.isFree(item.id) && !item.isSpelled {
            if let twin = namesakes[item.name], !mayBeSame(twin, item) { unclear.insert(item.id) }
        }
        return unclear
    }

    /// Whether the lines of two variables of one name, which a macro makes, allow that they are the same.
    private func mayBeSame(_ twin: Static<OriginalSide>, _ item: Static<PatchedSide>) -> Bool {
        guard let from = twin.line, let to = item.line else { return false }
        if let old = history.original(of: to) { return old == from }
        return history.patched(of: from) == nil && history.originalText(from) == history.patchedText(to)
    }
}

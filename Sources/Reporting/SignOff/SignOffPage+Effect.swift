import Report

// What the payload replaces, and when that runs.

extension SignOffPage {
    var effects: Page.Section? {
        guard !report.functions.isEmpty else { return nil }
        return Page.Section("effect", "Functions and when they run") {
            let isKnown = report.functions.contains { $0.effect != nil }
            if !isKnown { element(.p, .classes(.warn)) { "When their code runs was not looked into: the build ended before." } }
            table(
                report.payload == nil ? "Functions that would be replaced" : "Functions that the payload replaces or adds",
                [
                    Column("function"), Column("source"), Column("bytes before", isNumber: true), Column("bytes after", isNumber: true),
                    Column("why it is there"),
                ] + (isKnown ? [Column("when its code runs")] : []),
                rows: report.functions.map { functionRow($0) + (isKnown ? [effect($0)] : []) })
            let ways = CallTree(report.functions)
            if !ways.isEmpty {
                element(.h3) { "Call paths to the new code" }
                element(.p) {
                    "The shortest way to each replaced function, as the hypervisor's own code and data show it. A call through a pointer counts as possible wherever an address is taken. This is said of the function, not of the lines that changed in it."
                }
                ways.picture
            }
        }
    }

    var hooks: Page.Section? {
        guard let hooks = report.hooks, !hooks.isEmpty else { return nil }
        return Page.Section("hooks", "Hooks") {
            table(
                "Functions that the hypervisor calls once", [Column("hook"), Column("functions"), Column("when they run")],
                rows: hooks.map { [HTML(text: $0.name), literal($0.functions.joined(separator: ", ")), HTML(text: $0.moment)] })
        }
    }

    private func functionRow(_ function: BuildReport.Function) -> [HTML] {
        [
            literal(function.name), HTML(text: place(function.file, function.line)), HTML(text: function.oldSize.map(grouped) ?? "–"),
            HTML(text: grouped(function.newSize)), why(function),
        ]
    }

    private func why(_ function: BuildReport.Function) -> HTML {
        element(.span) {
            function.status.rawValue
            if let difference = function.firstDifference { ": \(difference.summary)" }
            for step in function.why.dropFirst() { " ← \(step.name) (\(step.reason))" }
        }
    }

    private func effect(_ function: BuildReport.Function) -> HTML {
        guard let effect = function.effect else {
            return HTML(text: function.oldSize == nil ? "whenever its callers run" : "nothing shows it")
        }
        let isLater = effect.verdict != .runsOnItsOwn
        return element(.span) {
            element(.span, .classes(isLater ? .warn : .good)) { effect.words }
            if effect.occasions.count > 1 { element(.span, .classes(.faint)) { " (all: \(effect.occasions.map(\.words).joined(separator: ", ")))" } }
        }
    }
}

/// The ways to the replaced functions as one tree: those that begin alike share their beginning.
struct CallTree {
    private struct Node {
        var name: String
        /// How the node above leads here.
        var how: String?
        var depth: Int
        var isReplaced: Bool
        var children: [Int] = []
    }

    private var nodes: [Node] = []
    private var roots: [Int] = []

    init(_ functions: [BuildReport.Function]) {
        for function in functions {
            guard let effect = function.effect, !effect.way.isEmpty else { continue }
            var above: Int?
            let occasion = effect.occasions.first.map { BuildReport.Effect.Step(name: $0.words) }
            let steps = [occasion].compactMap(\.self) + effect.way
            for (index, step) in steps.enumerated() { above = add(step, below: above, isReplaced: index == steps.count - 1) }
        }
    }

    var isEmpty: Bool { nodes.isEmpty }

    private mutating func add(_ step: BuildReport.Effect.Step, below above: Int?, isReplaced: Bool) -> Int {
        let siblings = above.map { nodes[$0].children } ?? roots
        if let known = siblings.first(where: { nodes[$0].name == step.name && nodes[$0].how == step.how }) {
            if isReplaced { nodes[known].isReplaced = true }
            return known
        }
        nodes.append(Node(name: step.name, how: step.how, depth: above.map { nodes[$0].depth + 1 } ?? 0, isReplaced: isReplaced))
        let index = nodes.count - 1
        if let above { nodes[above].children.append(index) } else { roots.append(index) }
        return index
    }

    /// The nodes from top to bottom, each behind the one above it.
    private var ordered: [Int] {
        var result: [Int] = [], waiting = Array(roots.reversed())
        while let next = waiting.popLast() {
            result.append(next)
            waiting += nodes[next].children.reversed()
        }
        return result
    }

    // MARK: Drawing

    // In pixels. A character of the page's monospaced type is at most as wide as this.
    private static let line = 30, indent = 22, character = 9, padding = 8, height = 22

    /// An SVG picture: one line a node, with an edge from the node above.
    var picture: HTML {
        let order = ordered, rows = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        let width = order.map { left(nodes[$0]) + Self.width(nodes[$0].name) + Self.width(nodes[$0].how ?? "") }.max() ?? 0
        return element(.div, .classes(.scroll), .role("region"), .label("Picture of the ways to the new code"), .focusable) {
            HTML.element(
                .svg,
                [
                    .role("img"), .label(description(order)), .number(.width, width + Self.padding), .number(.height, order.count * Self.line),
                    .viewBox(width: width + Self.padding, height: order.count * Self.line),
                ],
                HTML([
                    HTML(order.map { node in HTML(nodes[node].children.map { edge(from: node, to: $0, rows) }) }),
                    HTML(order.map { box($0, rows) }),
                ]))
        }
    }

    private func description(_ order: [Int]) -> String {
        let ends = order.filter { nodes[$0].isReplaced }.map { nodes[$0].name }
        return "Ways to \(ends.joined(separator: ", "))"
    }

    private static func width(_ text: String) -> Int { text.isEmpty ? 0 : text.count * character + 2 * padding }
    private func left(_ node: Node) -> Int { Self.padding + node.depth * Self.indent }
    private func middle(_ row: Int) -> Int { row * Self.line + Self.line / 2 }

    private func edge(from above: Int, to below: Int, _ rows: [Int: Int]) -> HTML {
        let x = left(nodes[above]) + Self.indent / 2, start = middle(rows[above] ?? 0) + Self.height / 2, end = middle(rows[below] ?? 0)
        return element(.path, .classes(.edge), .path("M\(x) \(start)V\(end)H\(left(nodes[below]))"))
    }

    private func box(_ index: Int, _ rows: [Int: Int]) -> HTML {
        let node = nodes[index], y = middle(rows[index] ?? 0), x = left(node), width = Self.width(node.name)
        return element(.g) {
            element(
                .rect, .classes(node.isReplaced ? .leaf : .node), .number(.x, x), .number(.y, y - Self.height / 2), .number(.width, width),
                .number(.height, Self.height), .number(.radius, 4))
            element(.text, .number(.x, x + Self.padding), .number(.y, y + 5)) { node.name }
            if let how = node.how, how != "calls" {
                element(.text, .classes(.word), .number(.x, x + width + Self.padding), .number(.y, y + 5)) { how }
            }
        }
    }
}

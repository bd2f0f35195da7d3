import CodeListing

/// The instructions of functions before and after the patch, side by side, for the terminal.
package enum CodeText {
    package static func render(_ listings: [FunctionListing], style: TextStyle) -> String {
        listings.map { render($0, style: style) }.joined(separator: "\n\n")
    }

    private static func render(_ listing: FunctionListing, style: TextStyle) -> String {
        var lines = ["\(style.paint(style.shown(listing.name), .bold))   \(style.shown(listing.location?.description ?? listing.object))   \(summary(listing))"]
        lines += listing.remarks.map { style.wrap(style.shown($0), first: "  ", rest: "  ") }
        guard listing.isDifferent else { return lines.joined(separator: "\n") }
        let shown = listing.lines, width = columnWidth(shown, style: style)
        lines += shown.map { line in
            switch line {
            case .folded(let count): style.paint("  \(style.ellipsis) \(counted(count, "equal instruction"))", .faint)
            case .source(let heading, _): style.paint("  \(style.shown(heading.words))", .faint)
            case .row(let row): self.line(row, width: width, style: style)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// What differs, in numbers.
    package static func summary(_ listing: FunctionListing) -> String {
        if listing.isNew { return "new, \(counted(listing.rows.count, "instruction"))" }
        let counts: [(Int, String)] = [(listing.count(.changed), "changed"), (listing.count(.removed), "removed"), (listing.count(.added), "added")]
        let named = counts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
        return named.isEmpty ? "the same instructions" : named.joined(separator: ", ") + " of \(counted(listing.rows.count, "instruction"))"
    }

    /// The width of the left side: as wide as needed, but on a terminal at most half of it.
    private static func columnWidth(_ lines: [FunctionListing.Line], style: TextStyle) -> Int {
        var needed = 0
        for case .row(let row) in lines { needed = max(needed, text(row.before, style).count) }
        return style.isTerminal ? min(needed, max(20, style.width / 2 - 4)) : needed
    }

    private static func text(_ instruction: ListedInstruction?, _ style: TextStyle) -> String {
        instruction.map { ("+0x" + String($0.offset, radix: 16)).padded(to: 8) + style.shown($0.text) } ?? ""
    }

    private static func line(_ row: FunctionListing.Row, width: Int, style: TextStyle) -> String {
        let (sign, paint): (String, TextStyle.Paint?) =
            switch row.kind {
            case .same: (" ", nil)
            case .changed: ("~", .yellow)
            case .removed: ("-", .red)
            case .added: ("+", .green)
            }
        func cut(_ text: String, _ width: Int) -> String {
            style.isTerminal && text.count > width ? text.prefix(width - style.ellipsis.count) + style.ellipsis : text
        }
        let left = cut(text(row.before, style), width).padded(to: width), right = cut(text(row.after, style), max(20, style.width - width - 6))
        let line = "  \(left)  \(sign) \(right)"
        let end = line.lastIndex { $0 != " " }.map { line[...$0] } ?? ""
        return paint.map { style.paint(String(end), $0) } ?? String(end)
    }
}

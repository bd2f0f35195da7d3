import ObjectDiff

/// A type's layout before and after, as a table: shown below a refusal, and by `diff`.
package enum LayoutText {
    /// More rows would push the text below them off the screen.
    private static let maximumRows = 24
    private static let gap = "   "

    /// The table of differences, then the types that change because they contain this one, then the users of the type.
    package static func render(_ change: LayoutChange, style: TextStyle) -> String {
        var lines: [String] = []
        if let old = change.oldSize, let new = change.newSize, old != new {
            lines.append("     size \(grouped(Int(clamping: old))) \(style.arrow) \(counted(Int(clamping: new), "byte"))")
        }
        lines += change.enumerators.isEmpty ? memberTable(change, style: style) : enumeratorTable(change, style: style)
        if !change.alsoChanged.isEmpty {
            let shown = change.alsoChanged.prefix(6).map(style.shown).joined(separator: ", ")
            let more = change.alsoChanged.count > 6 ? " and \(grouped(change.alsoChanged.count - 6)) more" : ""
            lines.append(style.wrap("changes along, as it contains this: \(shown)\(more)", first: "  ", rest: "    "))
        }
        if let users = change.users { lines += userLines(users, style: style) }
        return lines.joined(separator: "\n")
    }

    // MARK: Users

    private static func userLines(_ users: LayoutChange.Users, style: TextStyle) -> [String] {
        var lines: [String] = []
        if users.outsideCount > 0 {
            let more = users.outsideCount - users.outside.count
            let names = users.outside.map(style.shown).joined(separator: ", ") + (more > 0 ? " and \(grouped(more)) more" : "")
            let use = users.outsideCount == 1 ? "uses" : "use"
            lines.append(
                style.wrap(
                    "\(counted(users.outsideCount, "function")) that this payload does not replace \(use) it: \(names)", first: "  ", rest: "    "))
        } else {
            lines.append(
                users.inPayload == 0
                    ? "  debug info names no function that uses it"
                    : "  all \(counted(users.inPayload, "function")) that debug info knows to use it would be replaced")
        }
        if !users.variables.isEmpty {
            lines.append(
                style.wrap("variables that hold it or point to it: \(users.variables.map(style.shown).joined(separator: ", "))", first: "  ", rest: "    "))
        }
        return lines
    }

    // MARK: Tables

    private static func memberTable(_ change: LayoutChange, style: TextStyle) -> [String] {
        guard !change.members.isEmpty else { return [] }
        // If there are too many rows, leave out moved members first: they moved only because other members changed.
        let moved = change.members.filter { $0.change == .moved }
        let telling = change.members.filter { $0.change != .moved }
        let shown = Array((telling + moved.prefix(max(3, maximumRows - telling.count))).prefix(maximumRows))
        let rows = inOrder(shown).map { member in
            [
                style.shown(member.name), place(member.old, style: style), place(member.new, style: style),
                remark(member, style: style),
            ]
        }
        let hidden = change.members.count - shown.count
        return table(["member", "before", "after", ""], rows, style: style)
            + rest(hidden: hidden, of: hidden > 0 && shown.count >= telling.count ? "moved" : "changed", change, style: style)
    }

    private static func remark(_ member: LayoutChange.Member, style: TextStyle) -> String {
        let (old, new) = (member.old.map { style.shown($0.type) }, member.new.map { style.shown($0.type) })
        switch (member.change, old, new) {
        case (.renamed, _, _): return "was \(style.shown(member.oldName ?? ""))"
        case (.new, _, let new?): return "new: \(new)"
        case (.retyped, let old?, let new?) where old != new, (.resized, let old?, let new?) where old != new:
            return "\(member.change.rawValue): \(old) \(style.arrow) \(new)"
        default: return member.change.rawValue
        }
    }

    /// Sorts members by their place in the patched type, and removed members by their old place.
    private static func inOrder(_ members: [LayoutChange.Member]) -> [LayoutChange.Member] {
        members.enumerated().sorted { a, b in
            let (x, y) = (a.element.new ?? a.element.old, b.element.new ?? b.element.old)
            return (x?.bitOffset ?? 0, a.offset) < (y?.bitOffset ?? 0, b.offset)
        }.map(\.element)
    }

    private static func enumeratorTable(_ change: LayoutChange, style: TextStyle) -> [String] {
        func value(_ number: Int64?) -> String { number.map { String($0) } ?? style.none }
        let rows = change.enumerators.prefix(maximumRows).map { enumerator in
            [
                style.shown(enumerator.name), value(enumerator.old), value(enumerator.new),
                enumerator.old == nil ? "new" : enumerator.new == nil ? "removed" : "changed",
            ]
        }
        return table(["value", "before", "after", ""], rows, style: style)
            + rest(hidden: change.enumerators.count - rows.count, of: "changed", change, style: style)
    }

    private static func rest(hidden: Int, of kind: String, _ change: LayoutChange, style: TextStyle) -> [String] {
        let parts =
            (hidden > 0 ? ["\(grouped(hidden)) more \(kind)"] : [])
            + (change.unchanged > 0 ? ["\(grouped(change.unchanged)) unchanged"] : [])
        return parts.isEmpty ? [] : ["     \(style.ellipsis) \(parts.joined(separator: ", "))"]
    }

    /// `8, 4 bytes`; `8.3, 1 bit` for a member that does not begin or end at a byte.
    private static func place(_ place: LayoutChange.Place?, style: TextStyle) -> String {
        guard let place else { return style.none }
        let isWhole = !place.isBitField && place.bitOffset.isMultiple(of: 8)
        let start = "\(place.bitOffset / 8)" + (isWhole ? "" : ".\(place.bitOffset % 8)")
        let size = place.bitSize.map { counted(Int(clamping: isWhole ? $0 / 8 : $0), isWhole ? "byte" : "bit") } ?? "open end"
        return "\(start), \(size)"
    }

    private static let width = 80
    private static let indent = "     "

    /// A table for 80 columns: long names lose their middle, and a remark that is too long gets a line of its own.
    private static func table(_ heading: [String], _ rows: [[String]], style: TextStyle) -> [String] {
        let cells = ([heading] + rows).map { row in row.dropLast().map { cut($0, 30, style) } }
        let widths = heading.indices.dropLast().map { column in cells.map { $0[column].count }.max() ?? 0 }
        return zip(cells, [heading] + rows).enumerated().flatMap { number, row in
            var line = indent + zip(row.0, widths).map { $0.padded(to: $1) }.joined(separator: gap)
            let remark = row.1.last ?? ""
            let isTooLong = line.count + gap.count + remark.count > width
            if !isTooLong, !remark.isEmpty { line += gap + remark }
            while line.last == " " { line.removeLast() }
            let lines = [number == 0 ? style.paint(line, .faint) : line]
            return isTooLong ? lines + [indent + "  " + cut(remark, width - indent.count - 2, style)] : lines
        }
    }

    private static func cut(_ text: String, _ limit: Int, _ style: TextStyle) -> String {
        guard text.count > limit else { return text }
        let half = (limit - style.ellipsis.count) / 2
        return text.prefix(limit - style.ellipsis.count - half) + style.ellipsis + text.suffix(half)
    }
}

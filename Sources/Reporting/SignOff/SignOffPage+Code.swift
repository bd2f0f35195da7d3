import CodeListing
import Report

// The instructions of the functions that differ, before and after.

extension SignOffPage {
    var machineCode: Page.Section? {
        guard !code.listings.isEmpty || code.problem != nil else { return nil }
        return Page.Section("code", "What the machine code changes") { code.html }
    }
}

extension SignOffPage.Code {
    var html: HTML {
        HTML([
            problem.map { problem in element(.p, .classes(.warn)) { "The instructions can't be shown: \(problem)" } } ?? HTML(),
            omitted > 0 ? element(.p, .classes(.warn)) { "\(counted(omitted, "further function")) not shown" } : HTML(),
            listings.contains { $0.isDifferent }
                ? element(.p, .classes(.faint)) {
                    "Each group of instructions stands below its source line, as the debug information has it. Line numbers are those that the compiler was told: lines that the patch adds have the number of a line beside them. The code is the compiler's, before it was linked into the payload."
                } : HTML(),
            HTML(listings.map { ListingView($0, isOpen: listings.count <= 3).html }),
        ])
    }
}

/// A function's instructions, side by side.
struct ListingView {
    private let listing: FunctionListing
    private let isOpen: Bool
    /// How many lines of one function are shown.
    private static let shown = 3_000

    init(_ listing: FunctionListing, isOpen: Bool) { (self.listing, self.isOpen) = (listing, isOpen) }

    var html: HTML {
        let heading = element(.summary) {
            literal(listing.name)
            "  \(listing.location?.description ?? listing.object)  \(CodeText.summary(listing))"
            if listing.lines.count > Self.shown { element(.span, .classes(.warn)) { "  cut short" } }
        }
        let remarks = element(.ul) { for remark in listing.remarks { element(.li) { remark } } }
        return HTML.element(.details, isOpen ? [.open] : [], HTML([heading, listing.remarks.isEmpty ? HTML() : remarks, rows]))
    }

    private var rows: HTML {
        guard listing.isDifferent else { return HTML() }
        let caption = "Instructions of \(listing.name)"
        return element(.div, .classes(.scroll), .role("region"), .label(caption), .focusable) {
            element(.table, .classes(.listing)) {
                element(.caption) { caption }
                element(.thead) {
                    element(.tr) {
                        for title in ["", "at", "before", "at", "after"] { element(.th, .scope("col")) { title.isEmpty ? "change" : title } }
                    }
                }
                element(.tbody) { HTML(body) }
            }
        }
    }

    private var body: [HTML] {
        let lines = listing.lines, rest = lines.dropFirst(Self.shown)
        var result = lines.prefix(Self.shown).map { line in
            switch line {
            case .folded(let count): across(.fold, "⋯ \(counted(count, "equal instruction"))")
            case .source(let heading, let text): across(.source, heading.words + (text.map { "  \($0.drop { $0.isWhitespace })" } ?? ""))
            case .row(let row): self.line(row)
            }
        }
        if !rest.isEmpty {
            let different = rest.count { if case .row(let row) = $0 { row.kind != .same } else { false } }
            result.append(across(.fold, "… \(counted(rest.count, "further line")) not shown; \(grouped(different)) of them differ"))
        }
        return result
    }

    /// A line over all columns.
    private func across(_ kind: CSSClass, _ text: String) -> HTML { element(.tr, .classes(kind)) { element(.td, .columns(5)) { text } } }

    private func line(_ row: FunctionListing.Row) -> HTML {
        let (sign, colour): (String, CSSClass) =
            switch row.kind {
            case .same: (" ", .same)
            case .changed: ("~", .changed)
            case .removed: ("−", .removed)
            case .added: ("+", .added)
            }
        let (before, after) = row.kind == .changed ? Self.marked(row.before?.text ?? "", row.after?.text ?? "") : (plain(row.before), plain(row.after))
        return element(.tr, .classes(colour)) {
            element(.td) { sign }
            element(.td, .classes(.number)) { offset(row.before) }
            element(.td) { before }
            element(.td, .classes(.number)) { offset(row.after) }
            element(.td) { after }
        }
    }

    private func plain(_ instruction: ListedInstruction?) -> HTML { HTML(text: instruction?.text ?? "") }
    private func offset(_ instruction: ListedInstruction?) -> String { instruction.map { "+0x" + String($0.offset, radix: 16) } ?? "" }

    /// Two instructions with the part marked in which they differ.
    private static func marked(_ before: String, _ after: String) -> (HTML, HTML) {
        let (x, y) = (Array(before.unicodeScalars), Array(after.unicodeScalars))
        let start = zip(x, y).prefix { $0 == $1 }.count
        let end = zip(x.dropFirst(start).reversed(), y.dropFirst(start).reversed()).prefix { $0 == $1 }.count
        func parts(_ text: [UnicodeScalar]) -> HTML {
            func piece(_ scalars: ArraySlice<UnicodeScalar>) -> String { String(String.UnicodeScalarView(scalars)) }
            let middle = piece(text[start..<text.count - end])
            return HTML([
                HTML(text: piece(text[..<start])), middle.isEmpty ? HTML() : element(.mark) { middle }, HTML(text: piece(text[(text.count - end)...])),
            ])
        }
        return (parts(x), parts(y))
    }
}

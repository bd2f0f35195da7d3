/// How text may look at its destination: the width, the colours, and the characters to use.
package struct TextStyle: Sendable, Equatable {
    package enum Paint: String, Sendable {
        case bold = "1"
        case faint = "2"
        case red = "1;31"
        case green = "32"
        case yellow = "1;33"
        case blue = "1;34"
    }

    /// The number of columns at which prose is wrapped.
    package var width: Int
    package var colours: Bool
    /// False when the locale is not UTF-8: then the program writes only ASCII.
    package var unicode: Bool
    /// True when tables are shortened to `width`; a file or a pipe gets them whole.
    package var isTerminal: Bool

    package init(width: Int = 100, colours: Bool = false, unicode: Bool = true, isTerminal: Bool = false) {
        self.width = max(40, width)
        self.colours = colours
        self.unicode = unicode
        self.isTerminal = isTerminal
    }

    package func paint(_ text: String, _ paint: Paint) -> String {
        colours && !text.isEmpty ? "\u{1b}[\(paint.rawValue)m\(text)\u{1b}[0m" : text
    }

    package var tick: String { unicode ? "✓" : "+" }
    package var cross: String { unicode ? "✗" : "x" }
    package var arrow: String { unicode ? "→" : "->" }
    package var leftArrow: String { unicode ? "←" : "<-" }
    package var ellipsis: String { unicode ? "…" : "..." }
    package var minus: String { unicode ? "−" : "-" }
    package var none: String { unicode ? "–" : "-" }
    package var spinner: [String] { unicode ? ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] : ["|", "/", "-", "\\"] }

    /// Makes text from a file or a stage safe to show. Control characters could steer the terminal, so they are written as
    /// `\x1b`, and what can't be seen or reorders the text as `\u202e`. Without UTF-8, dashes and quotes become similar ASCII characters, and all
    /// other characters `?`.
    package func shown(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7f..<0xa0:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count < 2 ? "0" : "") + digits
            case ..<0x7f:
                result.unicodeScalars.append(scalar)
            case _ where Self.isInvisible(scalar):
                result += "\\u" + String(scalar.value, radix: 16)
            case _ where unicode:
                result.unicodeScalars.append(scalar)
            default:
                result += Self.relatives[scalar] ?? "?"
            }
        }
        return result
    }

    /// Whether a character shows nothing of its own, reorders its neighbours, ends a line, or means something to one program only. A no-break
    /// space is shown: prose has it.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isDefaultIgnorableCodePoint { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: true
        case .spaceSeparator: scalar != "\u{a0}"
        default: scalar == "\u{2800}"
        }
    }

    private static let relatives: [Unicode.Scalar: String] = [
        "…": "...", "→": "->", "←": "<-", "–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "“": "\"", "”": "\"", "×": "x", "✓": "+",
    ]

    /// Breaks prose at spaces, at `width` columns. `first` and `rest` are the indentations; a word longer than a line stays whole.
    package func wrap(_ text: String, first: String = "", rest: String = "") -> String {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ", omittingEmptySubsequences: true) {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = rest
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        lines.append(line)
        return lines.joined(separator: "\n")
    }
}

/// `7312` as `7,312`.
package func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
        result.append(digit)
    }
    return number < 0 ? "-" + result : result
}

/// `1 entry`, `2 entries`: a number and its noun, given in the singular.
package func counted(_ number: Int, _ noun: String) -> String {
    let plural = noun.hasSuffix("y") ? noun.dropLast() + "ies" : noun + "s"
    return "\(grouped(number)) \(number == 1 ? noun : plural)"
}

extension String {
    package func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func alignedRight(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

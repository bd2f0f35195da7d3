/// Follows C source line by line, just far enough to know between what lines a preprocessor directive may be inserted.
///
/// It knows comments, literals, continued lines, directives and parentheses. It is not a preprocessor: it reads all branches of
/// conditional groups, each starting with the parentheses that are open at the group's `#if`.
struct CLineLexer {
    /// How a line changes the conditional groups.
    enum Conditional { case opens, alternates, closes }

    private enum Literal { case none, string, character, lineComment, blockComment }
    private struct Group {
        var depthBefore: Int
        var deepestEnd: Int?
    }

    private var literal = Literal.none
    private var isContinued = false
    private var inDirective = false
    /// The letters read so far of a directive's name; nil when no name is expected.
    private var directive: [UInt8]?
    private var parentheses = 0
    private var groups: [Group] = []
    /// Whether branches left different numbers of parentheses open. Then the count is a guess until the end of a function.
    private var isUnsure = false

    /// Whether a directive may stand before the next line: not in a comment or literal, not in a continued line, and not between
    /// parentheses, where it might end up in the arguments of a macro (C11 6.10.3, paragraph 11).
    var isBetweenTokensOfNoMacro: Bool {
        literal != .blockComment && !isContinued && parentheses == 0
    }

    /// Reads the next line, with or without its line end.
    mutating func read(_ line: ArraySlice<UInt8>) -> Conditional? {
        let text = trimmingLineEnd(line)
        // A comment counts as one blank, so a directive goes on after a comment that begins in it, even lines later.
        let goesOn = isContinued || (inDirective && literal == .blockComment)
        if !goesOn {
            inDirective = false
            directive = nil
        }
        if !isContinued, literal != .blockComment { literal = .none }
        var atStart = !goesOn
        isContinued = text.last == UInt8(ascii: "\\")
        let wholeLine = literal == .none && atStart && !isContinued
        var rest = isContinued ? text.dropLast() : text
        while let byte = rest.popFirst() {
            step(byte, &rest, &atStart)
        }
        if wholeLine, isUnsure, endsFunction(text) {
            parentheses = 0
            isUnsure = false
        }
        return isContinued ? nil : takeConditional()
    }

    private mutating func step(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>, _ atStart: inout Bool) {
        switch literal {
        case .lineComment:
            return
        case .blockComment:
            if byte == UInt8(ascii: "*"), rest.first == UInt8(ascii: "/") {
                rest.removeFirst()
                literal = .none
            }
            return
        case .string, .character:
            if byte == UInt8(ascii: "\\") {
                _ = rest.popFirst()
            } else if byte == UInt8(ascii: literal == .string ? "\"" : "'") {
                literal = .none
            }
            return
        case .none: break
        }
        if byte == UInt8(ascii: "/"), rest.first == UInt8(ascii: "*") {
            rest.removeFirst()
            literal = .blockComment
            return
        }
        if byte == UInt8(ascii: "/"), rest.first == UInt8(ascii: "/") {
            literal = .lineComment
            return
        }
        let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
        if atStart, !isBlank {
            atStart = false
            if byte == UInt8(ascii: "#") {
                inDirective = true
                directive = []
                return
            }
        }
        if inDirective, let name = directive, name.count < 8, !(name.isEmpty && isBlank) {
            directive = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? name + [byte] : name + [0]
        }
        switch byte {
        case UInt8(ascii: "\""): literal = .string
        case UInt8(ascii: "'"): literal = .character
        // Parentheses in the body of a macro need not be balanced.
        case UInt8(ascii: "(") where !inDirective: parentheses += 1
        case UInt8(ascii: ")") where !inDirective: parentheses = max(0, parentheses - 1)
        default: break
        }
    }

    private func endsFunction(_ text: ArraySlice<UInt8>) -> Bool {
        text.first == UInt8(ascii: "}")
            && text.dropFirst().allSatisfy { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private mutating func takeConditional() -> Conditional? {
        guard inDirective, let letters = directive else { return nil }
        directive = nil
        switch String(decoding: letters.prefix { $0 != 0 }, as: UTF8.self) {
        case "if", "ifdef", "ifndef":
            groups.append(Group(depthBefore: parentheses))
            return .opens
        case "else", "elif", "elifdef", "elifndef":
            endBranch()
            parentheses = groups.last?.depthBefore ?? parentheses
            return .alternates
        case "endif":
            endBranch()
            if let group = groups.popLast(), let deepest = group.deepestEnd { parentheses = deepest }
            return .closes
        default:
            return nil
        }
    }

    private mutating func endBranch() {
        guard let last = groups.indices.last else { return }
        if let deepest = groups[last].deepestEnd, deepest != parentheses { isUnsure = true }
        groups[last].deepestEnd = max(groups[last].deepestEnd ?? 0, parentheses)
    }
}

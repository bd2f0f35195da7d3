/// The tokens of a preprocessed C source: what is left of it without blanks and line markers.
struct SourceTokens: Sendable {
    enum Kind: UInt8, Sendable {
        case identifier
        case number
        /// A string or a character constant.
        case literal
        /// One byte. `++` is two, of which the second is joined to the first.
        case punctuator
        /// A whole line: `#pragma`, `#ident`.
        case directive
    }

    struct Token: Sendable {
        let kind: Kind
        /// Whether no blank is before it.
        let isJoined: Bool
        /// Where its bytes are in the text.
        let start: Int32
        let end: Int32
        /// What it is: the identifier's number, or the punctuator's byte; 0 for others.
        let value: Int32

        func isPunctuator(_ byte: UInt8) -> Bool { kind == .punctuator && value == Int32(byte) }
        func isWord(_ word: Word) -> Bool { kind == .identifier && value == word.rawValue }
        var word: Word? { kind == .identifier ? Word(rawValue: value) : nil }
    }

    let text: [UInt8]
    private(set) var tokens: [Token] = []
    private(set) var names = NameTable()
    /// Whether the text has a spelling that this reader does not know: digraphs, raw strings, comments, escapes in names, quotes in numbers.
    private(set) var isUnusual = false

    /// - Parameter text: the output of the compiler's `-E`.
    init(_ text: [UInt8]) {
        self.text = text
        tokens.reserveCapacity(text.count / 4)
        text.withUnsafeBufferPointer { read($0) }
    }

    func bytes(of token: Token) -> ArraySlice<UInt8> { text[Int(token.start)..<Int(token.end)] }

    /// The number of a name, which need not be a token.
    mutating func number(ofName name: UnsafeBufferPointer<UInt8>) -> Int32 { names.number(of: name) }

    private mutating func read(_ text: UnsafeBufferPointer<UInt8>) {
        var index = 0, isLineStart = true, isJoined = false
        func add(_ kind: Kind, to end: Int, _ value: Int32 = 0) {
            if isJoined, let last = tokens.last, isUnusual(last, before: text[index]) { isUnusual = true }
            tokens.append(Token(kind: kind, isJoined: isJoined, start: Int32(index), end: Int32(end), value: value))
            index = end
            isJoined = true
        }
        while index < text.count {
            let byte = text[index]
            switch Self.classes[Int(byte)] {
            case .blank:
                if byte == 0x0a { isLineStart = true }
                // To GCC it ends a line; `-E` writes none.
                if byte == 0x0d { isUnusual = true }
                index += 1
                isJoined = false
                continue
            case .hash where isLineStart:
                var end = index
                while end < text.count, text[end] != 0x0a {
                    if text[end] == UInt8(ascii: "\\") || text[end] == 0x0d { isUnusual = true }
                    end += 1
                }
                if Self.isLineMarker(text, index) { index = end } else { add(.directive, to: end) }
            case .letter:
                var end = index + 1
                while end < text.count, Self.continuesName[Int(text[end])] { end += 1 }
                add(.identifier, to: end, names.number(of: UnsafeBufferPointer(rebasing: text[index..<end])))
            case .digit: add(.number, to: Self.endOfNumber(text, index))
            case .dot where index + 1 < text.count && Self.classes[Int(text[index + 1])] == .digit: add(.number, to: Self.endOfNumber(text, index))
            case .quote: add(.literal, to: Self.endOfLiteral(text, index))
            case .other where byte == UInt8(ascii: "\\"):
                isUnusual = true
                index += 1
            case .hash, .dot, .other: add(.punctuator, to: index + 1, Int32(byte))
            }
            isLineStart = false
        }
    }

    /// Whether a token and the byte right behind it are more than the two.
    private func isUnusual(_ token: Token, before byte: UInt8) -> Bool {
        switch token.kind {
        // `<:`, `<%`, `%:`, and comments, which `-C` leaves in. The closing ones are of no use alone.
        case .punctuator:
            switch UInt8(truncatingIfNeeded: token.value) {
            case UInt8(ascii: "<"): byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
            case UInt8(ascii: "%"): byte == UInt8(ascii: ":")
            case UInt8(ascii: "/"): byte == UInt8(ascii: "/") || byte == UInt8(ascii: "*")
            default: false
            }
        // `R"x(...)x"`, `u8R"..."`.
        case .identifier: byte == UInt8(ascii: "\"") && bytes(of: token).last == UInt8(ascii: "R")
        case .number: byte == UInt8(ascii: "'")
        case .literal, .directive: false
        }
    }

    private enum Class: UInt8 { case blank, hash, letter, digit, dot, quote, other }

    private static let classes: [Class] = (0...255).map { value in
        switch UInt8(value) {
        case 0x20, 0x09...0x0d: .blank
        case UInt8(ascii: "#"): .hash
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...: .letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .digit
        case UInt8(ascii: "."): .dot
        case UInt8(ascii: "\""), UInt8(ascii: "'"): .quote
        default: .other
        }
    }

    private static let continuesName = classes.map { $0 == .letter || $0 == .digit }

    /// Whether this is a line marker such as `# 12 "file" 2`: a hash, blanks and a digit.
    private static func isLineMarker(_ text: UnsafeBufferPointer<UInt8>, _ hash: Int) -> Bool {
        var index = hash + 1
        while index < text.count, text[index] == 0x20 { index += 1 }
        return index > hash + 1 && index < text.count && classes[Int(text[index])] == .digit
    }

    /// A number as the preprocessor sees it (C11 6.4.8): digits, letters and dots, and a sign behind the letter of an exponent.
    private static func endOfNumber(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start + 1
        while index < text.count {
            let byte = text[index], isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            guard continuesName[Int(byte)] || byte == UInt8(ascii: ".") || isSign && "eEpP".utf8.contains(text[index - 1]) else { break }
            index += 1
        }
        return index
    }

    /// The index after the closing quote, or at the end of the line if there is none.
    private static func endOfLiteral(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var index = start + 1
        while index < text.count, text[index] != 0x0a {
            if text[index] == text[start] { return index + 1 }
            index += text[index] == UInt8(ascii: "\\") && index + 1 < text.count && text[index + 1] != 0x0a ? 2 : 1
        }
        return min(index, text.count)
    }
}

// Names that a source has in texts: assembly names symbols, and attributes such as `alias` do. Directives name them without quotes.

extension SourceTokens {
    /// For each part, the names in its texts and directives. Texts that follow each other are one (C11 6.4.5).
    mutating func quotedNames(in parts: [Range<Int>]) -> [[Int32]] {
        var result: [[Int32]] = []
        result.reserveCapacity(parts.count)
        for part in parts {
            var found: [Int32] = [], content: [UInt8] = []
            for index in part {
                let token = tokens[index]
                switch token.kind {
                case .literal: appendContent(of: token, to: &content)
                case .directive: found += names(in: Array(bytes(of: token)))
                // The prefix of a text, `u8"..."`, does not part it from the one before.
                case .identifier where index + 1 < part.upperBound && tokens[index + 1].kind == .literal && tokens[index + 1].isJoined: break
                default:
                    if !content.isEmpty { found += names(in: content) }
                    content.removeAll(keepingCapacity: true)
                }
            }
            if !content.isEmpty { found += names(in: content) }
            result.append(found)
        }
        return result
    }

    /// The characters of a literal between its quotes, with its escapes decoded (C11 6.4.4.4). One that gives no plain character becomes a zero byte.
    private func appendContent(of token: Token, to content: inout [UInt8]) {
        var rest = bytes(of: token).dropFirst()
        if rest.last == text[Int(token.start)] { rest = rest.dropLast() }
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                content.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = Int(escape - UInt8(ascii: "0"))
                for _ in 0..<2 {
                    guard let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { break }
                    value = value * 8 + Int(digit - UInt8(ascii: "0"))
                    rest = rest.dropFirst()
                }
                content.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
                var value: UInt32 = 0, count = 0
                let limit = escape == UInt8(ascii: "x") ? Int.max : escape == UInt8(ascii: "u") ? 4 : 8
                while count < limit, let digit = rest.first, let number = Self.value(ofHexadecimal: digit) {
                    value = value << 4 | UInt32(number)
                    count += 1
                    rest = rest.dropFirst()
                }
                if escape == UInt8(ascii: "x") {
                    content.append(UInt8(truncatingIfNeeded: value))
                } else {
                    content += Unicode.Scalar(value).map { Array(String($0).utf8) } ?? [0]
                }
            default: content.append(0)
            }
        }
    }

    private static func value(ofHexadecimal digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The words of some text, with and without dollars: assembly has one before immediate values, and a name may have one.
    private mutating func names(in content: [UInt8]) -> [Int32] {
        var found: [Int32] = []
        content.withUnsafeBufferPointer { content in
            var index = 0
            while index < content.count {
                guard Self.isOfWord(content[index]) || content[index] == Self.dollar else {
                    index += 1
                    continue
                }
                let start = index
                var piece = index, hasDollar = false
                while index < content.count, Self.isOfWord(content[index]) || content[index] == Self.dollar {
                    if content[index] == Self.dollar {
                        if index > piece { found.append(number(ofName: UnsafeBufferPointer(rebasing: content[piece..<index]))) }
                        (piece, hasDollar) = (index + 1, true)
                    }
                    index += 1
                }
                if index > piece { found.append(number(ofName: UnsafeBufferPointer(rebasing: content[piece..<index]))) }
                if hasDollar { found.append(number(ofName: UnsafeBufferPointer(rebasing: content[start..<index]))) }
            }
        }
        return found
    }

    private static let dollar = UInt8(ascii: "$")

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}

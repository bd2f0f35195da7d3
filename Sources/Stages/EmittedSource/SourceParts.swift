import Crypto

/// A preprocessed source, cut into parts: declarations at file scope, function bodies with them, and lines such as `#pragma`.
///
/// The cut needs no understanding of what it cuts: a part ends at a semicolon outside all brackets, or behind a body in braces that follows a
/// parenthesis. A part that is the same in two sources need not be understood at all.
package struct SourceParts: Sendable {
    /// 128 bits of the SHA-256 of a part's tokens.
    package struct Digest: Hashable, Sendable {
        fileprivate let high: UInt64, low: UInt64
    }

    let source: SourceTokens
    /// The tokens of each part.
    let parts: [Range<Int>]
    package let digests: [Digest]
    /// For each part, the names within its texts and lines of directives: assembly and attributes may mean symbols by them.
    let quoted: [[Int32]]

    /// - Parameters:
    ///   - text: the output of the compiler's `-E`.
    ///   - top: the path of the source tree. Literals that differ in it only are the same.
    /// - Returns: nil if the text has a spelling that is not known, unbalanced brackets, parameters declared behind a function's head, a question for its own place, or two gigabytes.
    package init?(_ text: [UInt8], top: [UInt8]) {
        guard text.count < Int32.max, !text.contains(0) else { return nil }
        var source = SourceTokens(text)
        guard !source.isUnusual, !Self.questions.contains(where: { source.names.existing($0.utf8) != nil }), let parts = Self.cut(source) else { return nil }
        quoted = source.quotedNames(in: parts)
        self.parts = parts
        self.source = source
        digests = parts.map { source.digest(of: $0, top: top) }
    }

    /// What makes the place of a declaration in its file part of the object.
    private static let questions = ["__builtin_LINE", "__builtin_FILE", "__builtin_FUNCTION"]

    private static func cut(_ source: SourceTokens) -> [Range<Int>]? {
        var parts: [Range<Int>] = [], start = 0, depth = 0, isBody = false
        for (index, token) in source.tokens.enumerated() {
            switch token.kind {
            case .directive where depth == 0 && start == index:
                parts.append(start..<index + 1)
                start = index + 1
            case .punctuator:
                switch UInt8(truncatingIfNeeded: token.value) {
                case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "{"):
                    if depth == 0 { isBody = source.endsWithParentheses(start..<index) }
                    depth += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                    depth -= 1
                    guard depth >= 0 else { return nil }
                    if depth == 0, isBody, token.isPunctuator(UInt8(ascii: "}")) {
                        parts.append(start..<index + 1)
                        (start, isBody) = (index + 1, false)
                    }
                case UInt8(ascii: ";") where depth == 0:
                    parts.append(start..<index + 1)
                    start = index + 1
                default: break
                }
            default: break
            }
        }
        if start < source.tokens.count { parts.append(start..<source.tokens.count) }
        // A body alone: the declarations before it are those of parameters, as C was written before 1989.
        guard depth == 0, !parts.contains(where: { source.tokens[$0.lowerBound].isPunctuator(UInt8(ascii: "{")) }) else { return nil }
        return parts
    }
}

extension SourceParts.Digest {
    fileprivate init(_ bytes: some Sequence<UInt8>) {
        var numbers: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.prefix(16).enumerated() {
            if index < 8 { numbers.0 = numbers.0 << 8 | UInt64(byte) } else { numbers.1 = numbers.1 << 8 | UInt64(byte) }
        }
        (high, low) = numbers
    }
}

extension SourceTokens {
    /// Whether the last tokens are something in parentheses, apart from attributes: `f(void)`, but not `struct __attribute__((packed))`.
    fileprivate func endsWithParentheses(_ range: Range<Int>) -> Bool {
        var end = range.upperBound
        while end > range.lowerBound, tokens[end - 1].isPunctuator(UInt8(ascii: ")")) {
            var index = end - 1, depth = 0
            repeat {
                if tokens[index].isPunctuator(UInt8(ascii: ")")) { depth += 1 }
                if tokens[index].isPunctuator(UInt8(ascii: "(")) { depth -= 1 }
                index -= 1
            } while depth > 0 && index >= range.lowerBound
            guard index >= range.lowerBound, tokens[index].word?.isAttribute == true else { return true }
            end = index
        }
        return false
    }

    fileprivate func digest(of part: Range<Int>, top: [UInt8]) -> SourceParts.Digest {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(part.isEmpty ? 0 : Int(tokens[part.upperBound - 1].end - tokens[part.lowerBound].start))
        for token in tokens[part] {
            // `+ +` is not `++`; and behind a directive's line, the same words mean something else than on it.
            if !token.isJoined || token.kind != .punctuator { bytes.append(0x20) }
            if token.kind == .literal { bytes.append(self.bytes(of: token), without: top) } else { bytes += self.bytes(of: token) }
            if token.kind == .directive { bytes.append(0x0a) }
        }
        var hash = SHA256()
        hash.update(data: bytes)
        return SourceParts.Digest(hash.finalize())
    }
}

/// What is wrong with a text that should be JSON (RFC 8259): the place where it stops being JSON, or a key that an object has twice.
struct JSONFault: Equatable {
    /// Counted from 1, the column in bytes.
    var line, column: Int
    var text: String

    /// The first fault; nil if there is none.
    static func find(in bytes: [UInt8]) -> JSONFault? {
        var scanner = JSONScanner(bytes: bytes)
        do throws(JSONScanner.Failure) {
            try scanner.document()
            return nil
        } catch {
            let before = bytes[..<min(error.offset, bytes.count)]
            let line = before.count { $0 == 0x0a } + 1
            let column = before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
            return JSONFault(line: line, column: column, text: error.text)
        }
    }
}

private struct JSONScanner {
    struct Failure: Error {
        var offset: Int
        var text: String
    }

    /// Objects and lists in each other; a manifest has four.
    private static let depthLimit = 100

    let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    mutating func document() throws(Failure) {
        try value()
        blanks()
        if index < bytes.count { throw failure("there is more behind the end of the JSON text") }
    }

    private func failure(_ text: String) -> Failure { Failure(offset: index, text: text) }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func blanks() { while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { index += 1 } }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func value() throws(Failure) {
        blanks()
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw failure("is not JSON that this program reads: too many lists in each other") }
        switch next {
        case UInt8(ascii: "{"): try object()
        case UInt8(ascii: "["): try list()
        case UInt8(ascii: "\""): _ = try string()
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): try number()
        default:
            for word in ["true", "false", "null"] where bytes[index...].starts(with: word.utf8) {
                index += word.utf8.count
                return
            }
            throw failure("is not JSON: a value is missing")
        }
    }

    private mutating func object() throws(Failure) {
        index += 1
        var keys: Set<[UInt8]> = []
        blanks()
        if take("}") { return }
        repeat {
            blanks()
            let start = index
            guard next == UInt8(ascii: "\"") else { throw failure("is not JSON: a key is missing") }
            let key = try string()
            guard keys.insert(key).inserted else {
                throw Failure(offset: start, text: "the key '\(String(decoding: key, as: UTF8.self))' is there twice")
            }
            blanks()
            guard take(":") else { throw failure("is not JSON: ':' is missing") }
            try value()
            blanks()
        } while take(",")
        guard take("}") else { throw failure("is not JSON: ',' or '}' is missing") }
    }

    private mutating func list() throws(Failure) {
        index += 1
        blanks()
        if take("]") { return }
        repeat {
            try value()
            blanks()
        } while take(",")
        guard take("]") else { throw failure("is not JSON: ',' or ']' is missing") }
    }

    private mutating func digits() throws(Failure) {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        if index == start { throw failure("is not JSON: a digit is missing") }
    }

    private mutating func number() throws(Failure) {
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
    }

    /// The string's text, in UTF-8: one text can be written in several ways.
    private mutating func string() throws(Failure) -> [UInt8] {
        index += 1
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("is not JSON: a control character in a string") }
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            text += try escape()
        }
        guard take("\"") else { throw failure("is not JSON: a string has no end") }
        return text
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        guard let byte = next else { throw failure("is not JSON: a string has no end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]), bytes[index...].starts(with: "\\u".utf8) {
                index += 2
                units.append(try unit())
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        default:
            index -= 1
            throw failure("is not JSON: an unknown escape in a string")
        }
    }

    private mutating func unit() throws(Failure) -> UInt16 {
        guard index + 4 <= bytes.count, bytes[index..<index + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw failure("is not JSON: \\u needs four hexadecimal digits") }
        index += 4
        return unit
    }
}

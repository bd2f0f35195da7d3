/// Content as a word in a listing. Different content gives different words, however much of it is shown.
enum ContentText {
    /// The longest text and the largest constant that are shown whole, in bytes.
    private static let shownText = 100, shownBytes = 16

    /// A text up to its zero byte, as C writes it: `"a\n"`.
    static func string(_ bytes: ArraySlice<UInt8>) -> String {
        let text = bytes.prefix { $0 != 0 }
        let shown = "\"" + text.prefix(shownText).map(escaped).joined() + "\""
        return text.count > shownText ? "\(shown)… (\(text.count) bytes, \(digest(text)))" : shown
    }

    /// Data without a name: `{00 ff}`.
    static func data(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.count > shownBytes ? "{\(bytes.count) bytes, \(digest(bytes))}" : "{" + bytes.map(hexadecimal).joined(separator: " ") + "}"
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7f: String(UnicodeScalar(byte))
        default: "\\x" + hexadecimal(byte)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

    /// Tells contents apart that begin alike (FNV-1a, 64 bits); it is no protection against somebody who wants two to look the same.
    private static func digest(_ bytes: ArraySlice<UInt8>) -> String {
        String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}

import Diagnostics

/// Content as a word in a message or a listing. Different content gives different words, however much of it is shown.
package enum ContentText {
    /// The longest text and the largest constant that are shown whole, in bytes.
    private static let shownText = 100, shownBytes = 16

    /// A text up to its zero byte, as C writes it: `"a\n"`.
    package static func string(_ bytes: ArraySlice<UInt8>) -> String {
        let text = bytes.prefix { $0 != 0 }
        let shown = "\"\(cText(text.prefix(shownText)))\""
        return text.count > shownText ? "\(shown)… (\(text.count) bytes, \(digest(text)))" : shown
    }

    /// Data without a name: `{00 ff}`.
    package static func data(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.count > shownBytes ? "{\(bytes.count) bytes, \(digest(bytes))}" : "{" + bytes.map(hexadecimal).joined(separator: " ") + "}"
    }

    /// Tells contents apart that begin alike (FNV-1a, 64 bits); it is no protection against somebody who wants two to look the same.
    private static func digest(_ bytes: ArraySlice<UInt8>) -> String {
        String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}

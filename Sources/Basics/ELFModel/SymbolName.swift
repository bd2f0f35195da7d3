#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A name as an ELF file has it: bytes, without the zero byte at the end.
///
/// Two names are the same only if all their bytes are. Text would not do: it replaces whatever is not UTF-8, and it takes two spellings of
/// one accent for the same.
package struct SymbolName: Sendable, Hashable {
    package let bytes: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8)[...] }

    /// For people. Bytes that are not UTF-8 are replaced.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The name as text, if all of it is UTF-8; nil if not.
    package var exactText: String? { String(validating: bytes, as: UTF8.self) }

    /// The name as text, if Swift takes two such texts for the same only when all their bytes are the same; nil if not.
    ///
    /// Such a text is UTF-8, each of its characters is one code point, and none of them has another spelling (Unicode Standard Annex 15: the
    /// code points that NFC excludes). Those that `distinctText` uses for bytes are left out.
    package var comparableText: String? {
        if let text = bytes.withUnsafeBytes(Self.asciiText) { return text }
        guard let text = exactText, text.count == text.unicodeScalars.count else { return nil }
        return text.unicodeScalars.contains { $0.properties.isFullCompositionExclusion || Self.bytesOfNoText.contains($0) } ? nil : text
    }

    /// The name as text, so that different names give different texts. Where `comparableText` is nil, each byte that is not a plain character
    /// becomes a code point for private use.
    package var distinctText: String {
        if let text = comparableText { return text }
        var scalars = String.UnicodeScalarView()
        for byte in bytes {
            scalars.append(Self.isPlain(byte) ? UnicodeScalar(byte) : UnicodeScalar(Self.bytesOfNoText.lowerBound.value + UInt32(byte)) ?? "?")
        }
        return String(scalars)
    }

    private static let bytesOfNoText: ClosedRange<UnicodeScalar> = "\u{f700}"..."\u{f7ff}"

    /// `distinctText` of a name that ends with a zero byte.
    package static func distinctText(_ name: UnsafePointer<CChar>) -> String {
        let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
        return asciiText(bytes) ?? SymbolName(Array(bytes)[...]).distinctText
    }

    /// The fast way for nearly all names: text of plain characters only; nil for any other.
    package static func asciiText(_ bytes: UnsafeRawBufferPointer) -> String? {
        bytes.allSatisfy(isPlain) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// Whether a byte is a character of its own: a carriage return and a line feed together are one.
    private static func isPlain(_ byte: UInt8) -> Bool { byte < 0x80 && byte != UInt8(ascii: "\r") }

    package var isEmpty: Bool { bytes.isEmpty }

    package func hasPrefix(_ text: String) -> Bool { bytes.starts(with: text.utf8) }

    package func prefix(_ count: Int) -> SymbolName { SymbolName(bytes.prefix(count)) }
}

extension SymbolName: ExpressibleByStringLiteral, Comparable {
    package init(stringLiteral text: String) { self.init(text) }

    package static func < (a: SymbolName, b: SymbolName) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

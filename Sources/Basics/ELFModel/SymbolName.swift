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

    package var isEmpty: Bool { bytes.isEmpty }

    package func hasPrefix(_ text: String) -> Bool { bytes.starts(with: text.utf8) }

    package func prefix(_ count: Int) -> SymbolName { SymbolName(bytes.prefix(count)) }
}

extension SymbolName: ExpressibleByStringLiteral, Comparable {
    package init(stringLiteral text: String) { self.init(text) }

    package static func < (a: SymbolName, b: SymbolName) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

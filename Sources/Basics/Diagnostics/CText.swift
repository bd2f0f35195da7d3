/// Bytes as C writes them in a string literal: `a\n`, `\xc3`. Different bytes give different texts.
///
/// - Parameter bytes: of any encoding.
package func cText(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "\n"): text += "\\n"
        case UInt8(ascii: "\t"): text += "\\t"
        case UInt8(ascii: "\r"): text += "\\r"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7f: text.unicodeScalars.append(UnicodeScalar(byte))
        default: text += "\\x" + hexadecimal(byte)
        }
    }
    return text
}

/// A byte as two lower-case hexadecimal digits.
package func hexadecimal(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

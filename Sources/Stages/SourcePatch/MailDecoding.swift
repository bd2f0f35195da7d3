/// What is wrong with an encoded text, and in which line, counted from 0.
struct MailDecodingError: Error, Equatable {
    var line: Int
    var what: String
}

/// Decodes quoted-printable (RFC 2045, section 6.7).
///
/// - Parameter lines: with their line ends; their indices are the numbers of lines in errors.
func decodeQuotedPrintable(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(MailDecodingError) -> [UInt8] {
    var text: [UInt8] = []
    var isOpen = false
    for (number, line) in zip(lines.indices, lines) {
        let end = line[trimmingLineEnd(line).endIndex...]
        // Blanks at the end of a line were added on the way.
        var rest = MailHeader.trimmed(line)
        isOpen = false
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                guard byte == 0x09 || (0x20...0x7E).contains(byte) else {
                    throw MailDecodingError(line: number, what: "the mail says that it is quoted-printable, but has a byte that such a text can't have")
                }
                text.append(byte)
                continue
            }
            if rest.isEmpty {
                isOpen = true
                break
            }
            guard let high = rest.popFirst().flatMap(hexadecimalDigit), let low = rest.popFirst().flatMap(hexadecimalDigit) else {
                throw MailDecodingError(line: number, what: "the mail says that it is quoted-printable, but has a '=' without two hexadecimal digits")
            }
            text.append(high << 4 | low)
        }
        if !isOpen { text += end }
    }
    guard !isOpen else { throw MailDecodingError(line: max(lines.endIndex - 1, 0), what: "the mail ends in the middle of a line") }
    return text
}

func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
}

/// Decodes base64 (RFC 2045, section 6.8).
///
/// - Parameter lines: as for `decodeQuotedPrintable`.
func decodeBase64(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(MailDecodingError) -> [UInt8] {
    var text: [UInt8] = []
    var bits: UInt32 = 0, count = 0, padding = 0, last = 0
    for (number, line) in zip(lines.indices, lines) {
        for byte in MailHeader.trimmed(line) {
            last = number
            if byte == UInt8(ascii: "="), count + padding >= 2 {
                padding += 1
                continue
            }
            guard let digit = base64Digit(byte), padding == 0 else {
                throw MailDecodingError(line: number, what: "the mail says that it is base64, but has other text (a mailing list may have added its own)")
            }
            bits = bits << 6 | UInt32(digit)
            count += 1
            guard count == 4 else { continue }
            text += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
            (bits, count) = (0, 0)
        }
    }
    guard count == 0 ? padding == 0 : count + padding == 4 else { throw MailDecodingError(line: last, what: "the mail's base64 is cut short") }
    switch count {
    case 2: text.append(UInt8(truncatingIfNeeded: bits >> 4))
    case 3: text += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
    default: break
    }
    return text
}

private func base64Digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}

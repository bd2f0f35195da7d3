import SystemPackage

/// A preprocessed source without what makes no difference to the compiler: where lines came from, how wide the blanks are, and where the
/// private tree lies. Of two sources with the same text the compiler makes the same object but for line numbers in its debug information.
struct PreprocessedText: Sendable, Equatable {
    /// Of the text that is left.
    let digest: String

    /// - Parameters:
    ///   - bytes: what the compiler's `-E` wrote.
    ///   - top: the private tree it was made in.
    init(_ bytes: [UInt8], top: FilePath) {
        let essence = Self.essence(of: bytes, top: Array(top.string.utf8))
        // The compiler itself knows the line where this stands.
        digest = ContentKey.of(essence.firstRange(of: Array("__builtin_LINE".utf8)) == nil ? essence : bytes)
    }

    /// Blanks become one blank, or one end of line when there is one among them: an assembler and `#pragma` depend on lines.
    static func essence(of bytes: [UInt8], top: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 2)
        var blank: UInt8?
        var index = 0, isLineStart = true
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x0a:
                blank = 0x0a
                isLineStart = true
                index += 1
                continue
            case 0x20, 0x09, 0x0b, 0x0c, 0x0d:
                blank = blank ?? 0x20
                index += 1
                continue
            case UInt8(ascii: "#") where isLineStart && isLineMarker(bytes, index):
                while index < bytes.count, bytes[index] != 0x0a { index += 1 }
                continue
            default: break
            }
            isLineStart = false
            if let found = blank, !result.isEmpty { result.append(found) }
            blank = nil
            let end: Int
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): end = endOfLiteral(bytes, index)
            default: end = index + 1
            }
            append(bytes[index..<end], to: &result, without: top)
            index = end
        }
        return result
    }

    /// `# 12 "file" 2`: a hash, blanks and a digit.
    private static func isLineMarker(_ bytes: [UInt8], _ hash: Int) -> Bool {
        var index = hash + 1
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        return index > hash + 1 && index < bytes.count && (0x30...0x39).contains(bytes[index])
    }

    /// Past the closing quote, or at the end of the line where there is none.
    private static func endOfLiteral(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != 0x0a {
            if bytes[index] == bytes[start] { return index + 1 }
            index += bytes[index] == UInt8(ascii: "\\") && index + 1 < bytes.count && bytes[index + 1] != 0x0a ? 2 : 1
        }
        return index
    }

    /// A literal may name a file of the tree (`__FILE__`).
    private static func append(_ part: ArraySlice<UInt8>, to result: inout [UInt8], without top: [UInt8]) {
        guard part.count > top.count, !top.isEmpty else {
            result += part
            return
        }
        var rest = part
        while let first = rest.first {
            if first == top[0], rest.starts(with: top) {
                result.append(0)
                rest = rest.dropFirst(top.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
    }
}

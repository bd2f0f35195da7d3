import EmittedSource
import SystemPackage

/// A preprocessed source without what makes no difference to the compiler: line markers, the width of blanks, and the path of the private
/// tree. The compiler makes the same object from two sources with the same text, except for line numbers in debug information.
struct PreprocessedText: Sendable, Equatable {
    /// The digest of the remaining text.
    let digest: String

    init(digest: String) { self.digest = digest }

    /// - Parameters:
    ///   - bytes: the output of the compiler's `-E`.
    ///   - top: the private tree in which it was made.
    init(_ bytes: [UInt8], top: FilePath) {
        let essence = Self.essence(of: bytes, top: Array(top.string.utf8))
        // `__builtin_LINE` gives the compiler's own line number, so then the line markers matter.
        digest = ContentKey.of(essence.firstRange(of: Array("__builtin_LINE".utf8)) == nil ? essence : bytes)
    }

    /// Reduces a run of blanks to one blank, or to one end of line if it contains one: assembly and `#pragma` depend on lines.
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
            result.append(bytes[index..<end], without: top)
            index = end
        }
        return result
    }

    /// Whether this is a line marker such as `# 12 "file" 2`: a hash, blanks and a digit.
    private static func isLineMarker(_ bytes: [UInt8], _ hash: Int) -> Bool {
        var index = hash + 1
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        return index > hash + 1 && index < bytes.count && (0x30...0x39).contains(bytes[index])
    }

    /// The index after the closing quote, or at the end of the line if there is none.
    private static func endOfLiteral(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != 0x0a {
            if bytes[index] == bytes[start] { return index + 1 }
            index += bytes[index] == UInt8(ascii: "\\") && index + 1 < bytes.count && bytes[index + 1] != 0x0a ? 2 : 1
        }
        return index
    }
}

import Crypto

/// A SHA-256 of parts. Each part's length is hashed before it, so two different lists of parts never give the same input.
struct ContentKey {
    private var hash = SHA256()

    mutating func add(_ bytes: [UInt8]) {
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    /// The number of digits of a key.
    static let length = 64

    /// 64 hexadecimal digits.
    func finished() -> String {
        let digits = Array("0123456789abcdef")
        return String(hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    static func of(_ parts: [String]) -> String {
        var key = ContentKey()
        for part in parts { key.add(part) }
        return key.finished()
    }

    static func of(_ bytes: [UInt8]) -> String {
        var key = ContentKey()
        key.add(bytes)
        return key.finished()
    }
}

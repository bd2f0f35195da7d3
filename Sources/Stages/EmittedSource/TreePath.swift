extension [UInt8] {
    /// Appends a part of a source, with a zero byte in place of the path of the tree: a literal may contain it (`__FILE__`).
    package mutating func append(_ part: ArraySlice<UInt8>, without path: [UInt8]) {
        guard !path.isEmpty, part.count > path.count else {
            self += part
            return
        }
        var rest = part
        while let first = rest.first {
            if first == path[0], rest.starts(with: path) {
                append(0)
                rest = rest.dropFirst(path.count)
            } else {
                append(first)
                rest = rest.dropFirst()
            }
        }
    }
}

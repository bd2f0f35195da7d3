/// Finds remains of changes among the lines between the parts of a patch. A reader that skipped them would lose a change silently.
extension PatchReader {
    /// What is wrong with the current line, which begins no part of the patch; nil for text that means nothing to a patch.
    var damage: PatchError? {
        guard let line = current else { return nil }
        if line.starts(with: "@@".utf8) || line.starts(with: "@ -".utf8) { return malformed("a hunk header that can't be read") }
        if line.starts(with: "diff --git".utf8), line.dropFirst("diff --git".utf8.count).first != UInt8(ascii: " ") {
            return malformed("a line diff --git that can't be read")
        }
        if line.starts(with: "--- ".utf8), let name = Self.path(inFileLine: line) {
            // A context diff has its stars above.
            if peek(-1)?.starts(with: "*** ".utf8) == true { return nil }
            let next = peek(1)
            if next == nil || next.flatMap({ $0.starts(with: "+++ ".utf8) ? Self.path(inFileLine: $0) : nil }) != nil {
                return malformed("the changes of \(name) are missing here")
            }
        }
        if let file = Self.onlyOnOneSide(line) {
            return malformed("diff left out \(file), which only one side has: make the patch with diff -N")
        }
        if Self.isNormalDiff(line), let next = peek(1), next.starts(with: "< ".utf8) || next.starts(with: "> ".utf8) {
            return unsupported("a diff without context")
        }
        return nil
    }

    /// The path in a line `--- PATH`; nil if what is there does not look like one, as in prose. A path has a slash, and no blank before its
    /// time stamp.
    private static func path(inFileLine line: Bytes) -> String? {
        var name = trimmingLineEnd(line.dropFirst(4))
        if let end = name.firstIndex(of: UInt8(ascii: "\t")) ?? TimeStamp.firstDate(in: name) { name = name[..<end] }
        while name.last == UInt8(ascii: " ") { name.removeLast() }
        guard name.contains(UInt8(ascii: "/")), !name.contains(UInt8(ascii: " ")) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// The file of the hypervisor in `Only in b/xen/common: new.c`, which diff writes without `-N`. nil for other lines, and for files that
    /// a build leaves behind.
    private static func onlyOnOneSide(_ line: Bytes) -> String? {
        guard line.starts(with: "Only in ".utf8) else { return nil }
        let parts = String(decoding: trimmingLineEnd(line.dropFirst("Only in ".utf8.count)), as: UTF8.self).split(separator: ": ", maxSplits: 1)
        guard parts.count == 2, parts[0].split(separator: "/").dropFirst().first == "xen" else { return nil }
        let name = parts[1]
        let isSource = [".c", ".h", ".S"].contains { name.hasSuffix($0) } || name.hasPrefix("Makefile") || name.hasPrefix("Kconfig") || !name.contains(".")
        return isSource ? "\(parts[0])/\(name)" : nil
    }

    /// Whether a line is a command of a diff without `-u`: `57c57`, `3,4d2`.
    private static func isNormalDiff(_ line: Bytes) -> Bool {
        let text = trimmingLineEnd(line)
        guard let first = text.first, (0x30...0x39).contains(first), let last = text.last, (0x30...0x39).contains(last) else { return false }
        let letters = text.filter { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ",") }
        return letters.count == 1 && "acd".utf8.contains(letters[0])
    }
}

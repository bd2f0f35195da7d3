import SystemPackage

/// What may be in the header with a build's facts when it comes from beside xen-syms. A macro more, or a macro with code in it, would change what
/// the patched functions do, and no table would show it.
extension BuildFacts {
    /// In bytes. The largest header, with a banner, has some two thousand.
    static let sizeLimit = 64 << 10

    /// The macros of Xen's own templates, 4.7 to 4.22, and of Debian's.
    private static let names: Set = [
        "XEN_BANNER", "XEN_CHANGESET", "XEN_COMPILER", "XEN_COMPILE_BY", "XEN_COMPILE_DATE", "XEN_COMPILE_DOMAIN", "XEN_COMPILE_HOST",
        "XEN_COMPILE_SYSTEM_DISTRIBUTION", "XEN_COMPILE_SYSTEM_MAINTAINER_DOMAIN", "XEN_COMPILE_SYSTEM_MAINTAINER_LOCAL",
        "XEN_COMPILE_SYSTEM_VERSION", "XEN_COMPILE_TIME", "XEN_EXTRAVERSION", "XEN_SUBVERSION", "XEN_VERSION", "XEN_VERSION_STRING",
    ]

    /// Refuses a header that holds anything but texts and numbers.
    ///
    /// - Parameters:
    ///   - path: the header's path, for the message.
    ///   - generated: the header that the tree's make writes, which may have macros of a vendor.
    /// - Throws: `BuildError` (exit 64) that names the line.
    static func check(_ bytes: [UInt8], of path: FilePath, alsoKnown generated: [UInt8]?) throws(BuildError) {
        let known = names.union(generated.map { BuildFacts($0).macros } ?? [])
        var line = 1
        for (text, name, value) in BuildFacts(bytes).lines {
            let isBlank = text.utf8.allSatisfy { " \t\r".utf8.contains($0) }
            guard isBlank || name.map(known.contains) == true && isFact(value) else {
                throw BuildError(
                    "\(path):\(line): is no text or number about the hypervisor's build",
                    help: "put the compile.h of xen-syms's own build there, or remove the file", exitCode: .usage)
            }
            line += text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        }
    }

    /// Whether a macro's value is a number or one or more C strings, with line breaks between them only.
    private static func isFact(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        if !bytes.isEmpty, bytes.allSatisfy({ (0x30...0x39).contains($0) }) { return true }
        var index = 0, strings = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): index += 1
            case UInt8(ascii: "\\") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n"): index += 2
            case UInt8(ascii: "\""):
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    if bytes[index] == UInt8(ascii: "\\") { index += 1 }
                    guard index < bytes.count, bytes[index] >= 0x20 else { return false }
                    index += 1
                }
                guard index < bytes.count else { return false }
                index += 1
                strings += 1
            default: return false
            }
        }
        return strings > 0
    }
}

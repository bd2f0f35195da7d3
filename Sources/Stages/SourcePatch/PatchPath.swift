/// What the hypervisor's build reads outside `xen/`, relative to the top of the tree: the makefiles there, and the policy that the flask
/// module builds in (from 4.7 on, if checkpolicy is installed).
package let readBesideHypervisor = ["Config.mk", ".config", "version.sh", "config", "tools/flask/policy", "tools/Rules.mk"]

/// The rules for paths that a patch names. A patch is untrusted: it must not lead out of the tree.
enum PatchPath {
    struct Violation: Error, Equatable {
        var path: String
        var why: String
    }

    /// Checks a name from a header line and makes it relative to the top of the tree.
    ///
    /// `stripping` drops the first component (`a/`, `b/`), as `-p1` does.
    static func checked(_ name: [UInt8], stripping: Bool) throws(Violation) -> String {
        guard name.count < lengthLimit else {
            throw Violation(path: String(decoding: name.prefix(60), as: UTF8.self) + "...", why: "is too long")
        }
        let shown = String(decoding: name, as: UTF8.self)
        func refuse(_ why: String) -> Violation { Violation(path: shown, why: why) }
        guard !name.isEmpty else { throw refuse("is empty") }
        guard name.first != UInt8(ascii: "/") else { throw refuse("is absolute") }
        guard let text = String(validating: name, as: UTF8.self) else { throw refuse("is not UTF-8") }
        guard name.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw refuse("has control characters") }
        // Compare bytes, as the system does: as a Swift character, a slash with a combining mark is not a slash. Check before stripping:
        // '../x' must not become the harmless 'x'.
        let components = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for component in components {
            if component.count > componentLimit { throw Violation(path: String(shown.prefix(60)) + "...", why: "has a name in it that is too long") }
            if component.isEmpty { throw refuse("has an empty component") }
            if component.elementsEqual("..".utf8) { throw refuse("leads out of the tree") }
            if component.elementsEqual(".".utf8) { throw refuse("has a '.' component") }
            // Setting bit 5 makes capital letters small.
            if component.map({ $0 | 0x20 }).elementsEqual(".git".utf8) { throw refuse("lies in git's own folder") }
        }
        if stripping, components.count < 2 { throw refuse("lacks the leading folder, as in a/\(text)") }
        let path = String(decoding: stripping ? name[components[1].startIndex...] : name[...], as: UTF8.self)
        // Two names that are equal to Unicode are still two files. No file of the hypervisor needs such names.
        guard !isInHypervisor(path) || path.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw refuse("has characters outside ASCII")
        }
        return path
    }

    /// In bytes. Linux takes paths of 4,095 bytes (PATH_MAX), and the path of the private tree is in front.
    private static let lengthLimit = 2048
    /// In bytes. Linux takes no longer names (NAME_MAX).
    private static let componentLimit = 255

    static func isReadByBuild(_ path: String) -> Bool { readBesideHypervisor.contains { path == $0 || path.hasPrefix("\($0)/") } }

    static func isInHypervisor(_ path: String) -> Bool { path.utf8.starts(with: "xen/".utf8) }

    /// Undoes git's C-style quoting. `bytes` begins with a quotation mark. Returns the name and how many bytes the quoted form took; nil
    /// if it is malformed.
    static func unquote(_ bytes: ArraySlice<UInt8>) -> (name: [UInt8], length: Int)? {
        var name: [UInt8] = []
        var rest = bytes.dropFirst()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return (name, rest.startIndex - bytes.startIndex)
            case UInt8(ascii: "\\"):
                guard let escape = rest.popFirst() else { return nil }
                switch escape {
                case UInt8(ascii: "a"): name.append(7)
                case UInt8(ascii: "b"): name.append(8)
                case UInt8(ascii: "t"): name.append(9)
                case UInt8(ascii: "n"): name.append(10)
                case UInt8(ascii: "v"): name.append(11)
                case UInt8(ascii: "f"): name.append(12)
                case UInt8(ascii: "r"): name.append(13)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): name.append(escape)
                case UInt8(ascii: "0")...UInt8(ascii: "3"):
                    var value = Int(escape - UInt8(ascii: "0"))
                    for _ in 0..<2 {
                        guard let digit = rest.popFirst(), (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else {
                            return nil
                        }
                        value = value * 8 + Int(digit - UInt8(ascii: "0"))
                    }
                    name.append(UInt8(truncatingIfNeeded: value))
                default: return nil
                }
            default:
                name.append(byte)
            }
        }
        return nil
    }
}

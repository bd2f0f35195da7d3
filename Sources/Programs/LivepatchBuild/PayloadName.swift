import SystemPackage
import XenVersions

/// Makes the payload's file name from the names of the patch files.
package enum PayloadName {
    /// The name without the suffix of the format.
    ///
    /// The host tool passes this name to the hypervisor as the payload's name. So it has only ASCII letters and digits, `_` and `-` (any other
    /// character becomes `-`), and at most 127 characters. It does not begin with `-`, as options do. A final `.patch` or `.diff` is dropped. A
    /// series is named after its first patch.
    package static func name(for patches: [FilePath]) -> String {
        var name = patches.first?.lastComponent?.string ?? ""
        for suffix in [".patch", ".diff"] where name.hasSuffix(suffix) {
            name = String(name.dropLast(suffix.count))
            break
        }
        let allowed = name.map { character -> Character in
            let isPlain = character.isASCII && (character.isLetter || character.isNumber)
            return isPlain || character == "_" || character == "-" ? character : "-"
        }
        let plain = allowed.drop { $0 == "-" }
        return plain.isEmpty ? "payload" : String(plain.prefix(PayloadABI.maximumNameLength))
    }

    /// A payload without a patch is named after the first function whose code becomes NOPs.
    static func name(for options: BuildOptions) -> String {
        if let name = options.payload.name { return name }
        let first = options.fix.nops.first.map { FilePath("nop-" + ($0.function.split(separator: "#").last ?? "")) }
        return name(for: options.input.patches.isEmpty ? [first].compactMap(\.self) : options.input.patches)
    }
}

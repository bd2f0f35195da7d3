import Diagnostics
import SystemPackage
import WorkFiles
import XenVersions

/// Recognises a Xen source tree by the files that every version since 4.7 has. Nothing is written.
///
/// - Parameter path: the top of the tree, the folder that holds `xen/`, or `xen/` itself.
/// - Throws: `XenSourceError` (exit 64). It says what this function looked for, or that this Xen has no live patching.
package func recogniseTree(at path: FilePath) throws(XenSourceError) -> XenTree {
    guard WorkFiles.isFolder(path) else { throw XenSourceError("\(path): no such folder") }
    guard let top = WorkFiles.resolved(path).flatMap(topOfTree) else {
        throw XenSourceError(
            "\(path) is not a Xen source tree: neither xen/Makefile nor Makefile there sets XEN_VERSION",
            help: "-s takes the top of the tree (the folder that holds xen/) or xen/ itself")
    }
    let makefile = top.appending("xen/Makefile")
    guard let text = try? WorkFiles.readText(makefile), var version = XenVersion(makefile: text) else {
        throw XenSourceError("\(makefile): XEN_VERSION or XEN_SUBVERSION is not a number")
    }
    // Release tarballs may set the extra version in a file of its own, which xen/Makefile includes after setting its own value.
    if let override = try? WorkFiles.readText(top.appending("xen/xen-version")), let more = makeVariable("XEN_EXTRAVERSION", in: override) {
        version.extra = withoutReferences(more)
    }
    let header = top.appending("xen/include/public/sysctl.h")
    guard let sysctl = try? WorkFiles.readText(header) else {
        throw XenSourceError("\(path) is not a complete Xen source tree: \(header) can't be read")
    }
    guard let abi = PayloadABI(sysctlHeader: sysctl, version: version) else {
        throw XenSourceError(
            "\(path): Xen \(version) has no live patching (no payload version in xen/include/public/sysctl.h)",
            help: "live patching came with Xen 4.7")
    }
    return XenTree(top: top, version: version, abi: abi)
}

extension XenVersion {
    /// Reads the version from the text of `xen/Makefile`; nil if it is not there.
    init?(makefile text: String) {
        guard let major = makeVariable("XEN_VERSION", in: text).flatMap({ Int($0) }),
            let minor = makeVariable("XEN_SUBVERSION", in: text).flatMap({ Int($0) })
        else { return nil }
        self.init(major: major, minor: minor, extra: withoutReferences(makeVariable("XEN_EXTRAVERSION", in: text) ?? ""))
    }
}

extension PayloadABI {
    /// Reads the payload format from the text of `xen/include/public/sysctl.h`; nil if the header has none.
    init?(sysctlHeader text: String, version xen: XenVersion) {
        if let version = cMacro("LIVEPATCH_PAYLOAD_VERSION", in: text) {
            guard let number = UInt8(version) else { return nil }
            self.init(format: .livepatch, version: number, takesHooksAndNOPs: xen.livepatchFormat.takesHooksAndNOPs)
        } else if cMacro("XSPLICE_PAYLOAD_VERSION", in: text) != nil || text.contains("struct xsplice_patch_func") {
            self = .xspliceV1
        } else {
            return nil
        }
    }
}

/// The folder that holds `xen/`: `path` itself, or its parent when `path` is `xen/`; nil when `path` is neither.
private func topOfTree(_ path: FilePath) -> FilePath? {
    func isHypervisor(_ folder: FilePath) -> Bool {
        (try? WorkFiles.readText(folder.appending("Makefile"))).flatMap { makeVariable("XEN_VERSION", in: $0) } != nil
    }
    if isHypervisor(path.appending("xen")) { return path }
    // The build needs the files above this folder, and the folder's name must be xen.
    if isHypervisor(path), path.lastComponent?.string == "xen" { return path.removingLastComponent() }
    return nil
}

/// The value of `NAME = value` (`:=`, `?=`, with or without `export`) in a makefile.
private func makeVariable(_ name: String, in text: String) -> String? {
    for line in text.split(whereSeparator: \.isNewline) {
        var rest = line.drop { $0 == " " || $0 == "\t" }
        if rest.hasPrefix("export ") { rest = rest.dropFirst(7).drop { $0 == " " } }
        guard rest.hasPrefix(name) else { continue }
        rest = rest.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }
        if let first = rest.first, first == ":" || first == "?" { rest = rest.dropFirst() }
        guard rest.first == "=" else { continue }
        let value = rest.dropFirst().prefix { $0 != "#" }
        return trimmed(value)
    }
    return nil
}

/// Turns `.5$(XEN_VENDORVERSION)` into `.5`, because the values of make's variables and functions are unknown here.
private func withoutReferences(_ value: String) -> String {
    var result = "", depth = 0
    var previous: Character = " "
    for character in value {
        if character == "(", depth > 0 || previous == "$" {
            // A nested reference has no dollar sign in the result.
            if depth == 0 { result.removeLast() }
            depth += 1
        } else if character == ")", depth > 0 {
            depth -= 1
        } else if depth == 0 {
            result.append(character)
        }
        previous = character
    }
    return result
}

/// The value of `#define NAME value`.
private func cMacro(_ name: String, in text: String) -> String? {
    for line in text.split(whereSeparator: \.isNewline) {
        let words = line.split { $0 == " " || $0 == "\t" }
        let compact = words.first == "#" ? words.dropFirst().map(String.init) : words.map(String.init)
        guard compact.count >= 3, compact[0] == "#define" || compact[0] == "define", compact[1] == name else { continue }
        return compact[2]
    }
    return nil
}

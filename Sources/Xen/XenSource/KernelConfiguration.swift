import Diagnostics
import SystemPackage
import WorkFiles

/// A `.config` of the hypervisor: which options are set, and to what.
///
/// The format is Kconfig's: `CONFIG_NAME=value` a line, `# CONFIG_NAME is not set`, comments, blank lines.
package struct KernelConfiguration: Sendable, Equatable {
    /// By name without `CONFIG_`; values as written, strings without their quotes.
    package private(set) var options: [String: String]

    /// Reads the text of a `.config`. Skips lines that Kconfig would not write.
    package init(text: String) {
        options = [:]
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("CONFIG_") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].dropFirst("CONFIG_".count)
            var value = trimmed(line[line.index(after: equals)...])
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = String(value.dropFirst().dropLast()) }
            options[String(name)] = value
        }
    }

    /// - Throws: `XenSourceError` (exit 64) when the file can't be read or is not the configuration of a hypervisor.
    package init(contentsOf path: FilePath) throws(XenSourceError) {
        guard let text = try? WorkFiles.readText(path) else {
            throw XenSourceError("\(path): the configuration can't be read")
        }
        self.init(text: text)
        if options.isEmpty {
            throw XenSourceError(
                "\(path) is not a hypervisor configuration: no line of it sets a CONFIG_ option",
                help: "-c takes the .config that the hypervisor was built with")
        }
    }

    package subscript(_ name: String) -> String? { options[name] }
    package func isOn(_ name: String) -> Bool { options[name] == "y" }

    /// Xen called it XSPLICE while 4.7 was developed.
    package var hasLivePatching: Bool { isOn("LIVEPATCH") || isOn("XSPLICE") }

    /// Options that make the compiler add code or data of its own, or leave no machine code in the objects.
    /// COVERAGE was GCOV before 4.11.
    package var instrumentation: [String] { ["COVERAGE", "GCOV", "UBSAN", "LTO"].filter(isOn) }

    /// The value of `make XEN_TARGET_ARCH=` that the configuration is for, or nil when it does not say.
    ///
    /// - Parameter options: for each of those values, the option that stands for it.
    package func architectureName(by options: [String: String]) -> String? {
        options.sorted { $0.key < $1.key }.first { isOn($0.value) }?.key
    }

    /// The names of options whose values differ, sorted.
    package func differences(from other: KernelConfiguration) -> [String] {
        Set(options.keys).union(other.options.keys).filter { options[$0] != other.options[$0] }.sorted()
    }

    /// Refuses a configuration for which no payload can be built, before anything is built.
    ///
    /// - Parameters:
    ///   - file: the configuration's name, for the message.
    ///   - architecture: as `make XEN_TARGET_ARCH=` names it.
    ///   - options: as for `architectureName`.
    /// - Throws: `XenSourceError`: live patching off or another architecture (exit 64); instrumented (exit 4).
    package func check(file: String, architecture: String, options: [String: String]) throws(XenSourceError) {
        if let own = architectureName(by: options), own != architecture {
            throw XenSourceError(
                "\(file) configures a hypervisor for \(own), not for \(architecture)", help: "give --arch \(own), or another -c")
        }
        if !hasLivePatching {
            throw XenSourceError(
                "\(file): live patching is off (CONFIG_LIVEPATCH is not set), so that hypervisor loads no payload",
                help: "set CONFIG_LIVEPATCH=y (`make -C xen menuconfig`, Common Features), rebuild the hypervisor and boot it")
        }
        if let option = instrumentation.first {
            throw XenSourceError(
                "\(file): CONFIG_\(option)=y makes an instrumented build, "
                    + "whose functions can't be live-patched",
                help: "use the configuration of the production hypervisor", exitCode: .cannotBeLivePatched,
                diagnosticID: .instrumentedBuild)
        }
    }
}

/// The text without blanks and line breaks at either end.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = text[...]
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}

/// How a hypervisor or an object was built, as far as its files say.
package struct BuildTraits: Sendable, Equatable {
    /// The names of the compilers in `.comment`: `GCC: (Debian 12.2.0-14) 12.2.0`.
    package var compilers: Set<String>
    /// Nil when it is unknown.
    package var configuration: KernelConfiguration?
    /// The options that the compiler got, by the main source file relative to `xen/`. Files without debug information are missing.
    package var flags: [String: Set<String>]

    package init(compilers: Set<String> = [], configuration: KernelConfiguration? = nil, flags: [String: Set<String>] = [:]) {
        self.compilers = compilers
        self.configuration = configuration
        self.flags = flags
    }

    /// The texts in a `.comment` section. Each ends with a zero byte.
    package static func compilers(inComment bytes: [UInt8]) -> Set<String> {
        Set(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    /// The options among the words of a DW_AT_producer: `GNU C99 12.2.0 -m64 -O2`.
    package static func flags(inProducer text: String) -> Set<String> {
        Set(text.split(separator: " ").filter { $0.hasPrefix("-") }.map(String.init))
    }
}

extension KernelConfiguration {
    /// The options that the two configurations set differently, a phrase each. What Kconfig finds out about the tools does not count.
    ///
    /// - Parameter here: the other configuration; `self` is the one "there".
    package func describedDifferences(from here: KernelConfiguration) -> [String] {
        func isAboutTools(_ name: String) -> Bool {
            ["CC_", "HAS_AS_", "HAS_CC_", "AS_", "LD_"].contains { name.hasPrefix($0) } || name.hasSuffix("_VERSION")
        }
        func shown(_ value: String?) -> String { value ?? "not set" }
        return differences(from: here).filter { !isAboutTools($0) }
            .map { "CONFIG_\($0) is \(shown(self[$0])) there, \(shown(here[$0])) here" }
    }
}

/// The value of an option, either for one target (`ARCH=VALUE`) or without a target (`VALUE`).
package struct TargetValue<Value: Sendable & Equatable>: Sendable, Equatable {
    /// The name as in `--arch`; nil when the option names no target.
    package var architecture: String?
    package var value: Value

    package init(_ value: Value, for architecture: String? = nil) {
        self.architecture = architecture
        self.value = value
    }
}

extension TargetValue {
    /// Parses the argument of an option.
    ///
    /// File names may contain `=` as well, so the text before it counts as a target only if it is the name of a known architecture.
    package init(argument: String, _ value: (String) -> Value) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, let architecture = Architectures.named(parts[0]) {
            self.init(value(String(parts[1])), for: architecture.name)
        } else {
            self.init(value(argument))
        }
    }
}

extension [TargetValue<String>] {
    /// The value for one target.
    ///
    /// - Parameter target: the target that a value without a name counts for; nil if it could be meant for several.
    func value(for architecture: String, unnamedFor target: String?) -> String? {
        let found = first { $0.architecture == architecture } ?? (target == architecture ? first { $0.architecture == nil } : nil)
        return found?.value
    }
}

/// What an option says for one target (`ARCH=VALUE`), or without saying for which (`VALUE`).
package struct TargetValue<Value: Sendable & Equatable>: Sendable, Equatable {
    /// As in `--arch`; nil where the option does not say.
    package var architecture: String?
    package var value: Value

    package init(_ value: Value, for architecture: String? = nil) {
        self.architecture = architecture
        self.value = value
    }
}

extension TargetValue {
    /// Takes an option's argument apart.
    ///
    /// File names may hold an `=` too, so only the name of a known architecture counts before it.
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
    /// What is said for one target.
    ///
    /// - Parameter target: the one that a value without a name is meant for; nil where several could be meant.
    func value(for architecture: String, unnamedFor target: String?) -> String? {
        let found = first { $0.architecture == architecture } ?? (target == architecture ? first { $0.architecture == nil } : nil)
        return found?.value
    }
}

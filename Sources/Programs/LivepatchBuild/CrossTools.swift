import TargetArchitecture

/// The tools that compile for one target.
///
/// What stands before their names is, in this order: `--cross-compile ARCH=PREFIX`; `--cross-compile PREFIX`; `CROSS_COMPILE` of the
/// environment, which counts for the machine's own architecture too, as in Xen's own make; nothing for the machine's own architecture;
/// the architecture's usual prefix. A value that does not say for which target it is counts for the only target, or for the only one
/// that is not the machine's own.
///
/// `CC` of the environment is taken as it is, whatever the prefix, as in Xen's own make; the other tools still have the prefix. With several
/// targets it counts for the machine's own architecture alone.
struct CrossTools: Sendable, Equatable {
    /// `aarch64-linux-gnu-`, or empty.
    var prefix: String
    /// The whole compiler command; nil is the prefix and `gcc`.
    var compiler: String?
    /// What to install when they are missing; nil where the user chose them.
    var package: String?

    /// - Parameters:
    ///   - targets: of the whole run.
    ///   - options: those of `--cross-compile`.
    ///   - own: what this machine runs itself.
    /// - Throws: `UsageError` when it is not clear for which target something is meant.
    init(
        for target: any TargetArchitecture, of targets: [any TargetArchitecture], options: [TargetValue<String>],
        own: (any TargetArchitecture)?, environment: [String: String]
    ) throws(UsageError) {
        let names = targets.map(\.name), foreign = names.filter { $0 != own?.name }
        let meant = names.count == 1 ? names[0] : foreign.count == 1 ? foreign[0] : nil
        try checkNames(options, option: "--cross-compile", targets: names, unnamedFor: meant)

        let isOwn = target.name == own?.name
        if let said = options.value(for: target.name, unnamedFor: meant) {
            prefix = said
        } else if let said = environment["CROSS_COMPILE"], !said.isEmpty, !isOwn || meant == target.name {
            guard meant == target.name else {
                throw UsageError(
                    "CROSS_COMPILE=\(said): does not say for which target it is (\(foreign.joined(separator: ", ")))",
                    help: "unset it, or give it as --cross-compile \(target.name)=PREFIX")
            }
            prefix = said
        } else {
            prefix = isOwn ? "" : target.toolchainPrefix
            package = isOwn ? nil : target.toolchainPackage
        }
        if let said = environment["CC"], !said.isEmpty {
            guard names.count == 1 || own.map({ names.contains($0.name) }) ?? false else {
                throw UsageError(
                    "CC=\(said): one compiler can't compile for several targets (\(names.joined(separator: ", ")))",
                    help: "unset it, and choose the tools with --cross-compile ARCH=PREFIX; or build for one target at a time")
            }
            if names.count == 1 || isOwn { compiler = said }
        }
    }
}

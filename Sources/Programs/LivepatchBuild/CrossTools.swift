import TargetArchitecture

/// The tools that compile for one target.
///
/// The prefix of their names is the first of these: `--cross-compile ARCH=PREFIX`; `--cross-compile PREFIX`; the environment variable
/// `CROSS_COMPILE`; no prefix for the machine's own architecture; the architecture's usual prefix. `CROSS_COMPILE` counts for the machine's
/// own architecture as well, as in Xen's own make, if that is the only target. A value without a target counts for the only target of the
/// run, or for the only target that is not the machine's own.
///
/// The environment variable `CC` is taken as it is, whatever the prefix, as in Xen's own make; the other tools keep the prefix. With
/// several targets `CC` counts for the machine's own architecture alone.
struct CrossTools: Sendable, Equatable {
    /// `aarch64-linux-gnu-`, or empty.
    var prefix: String
    /// The whole compiler command; nil means the prefix and `gcc`.
    var compiler: String?
    /// The package to install when the tools are missing; nil when the user chose them.
    var package: String?

    /// - Parameters:
    ///   - targets: all targets of the run.
    ///   - options: the values of `--cross-compile`.
    ///   - own: the architecture of this machine.
    /// - Throws: `UsageError` when it is not clear which target a value is for.
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

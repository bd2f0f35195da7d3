import SystemPackage
import TargetArchitecture

/// The inputs of one target, as the options and the files themselves assign them.
struct TargetPlan: Sendable {
    var architecture: any TargetArchitecture
    /// nil when the run has to build the hypervisor.
    var xenSyms: FilePath?
    /// The `.config` file that the user chose; nil if there is none.
    var configuration: FilePath?
    /// The payloads that are applied to it, bottom first.
    var applied: [FilePath] = []
    var tools: CrossTools
}

/// Finds the targets of a run, and assigns each its files and tools.
///
/// The targets are those of `--arch`; without it, those that the files of `--xen-syms` are for; without either, the machine's own
/// architecture, or the first known one.
/// - Parameters:
///   - machines: the `e_machine` of each file of `--xen-syms` and `--on`.
///   - own: the architecture of this machine; nil when it is not a known one.
///   - environment: only `CC` and `CROSS_COMPILE` count; see `CrossTools`.
/// - Throws: `UsageError` for files that contradict the options or each other, and for options that can't apply to all targets.
func planTargets(
    _ options: BuildOptions, machines: [FilePath: UInt16], own: (any TargetArchitecture)?, environment: [String: String]
) throws(UsageError) -> [TargetPlan] {
    let images = try hypervisors(options, machines: machines)
    let targets = try targets(options, images: images, own: own)
    let names = targets.map(\.name)
    if targets.count > 1 { try checkSharedOptions(options, names) }
    if targets.count > 1, !images.isEmpty, let without = names.first(where: { images[$0] == nil }) {
        throw UsageError(
            "--xen-syms: none is given for \(without)",
            help: "give one for each target, --xen-syms \(without)=FILE, or none at all: then the hypervisors are built")
    }
    let only = targets.count == 1 ? names[0] : nil
    try checkNames(options.targets.config.map { TargetValue($0.value.string, for: $0.architecture) }, option: "-c", targets: names, unnamedFor: only)
    let applied = try appliedPayloads(options, machines: machines, targets: names)

    var plans: [TargetPlan] = []
    for target in targets {
        let configuration = options.targets.config.first { $0.architecture == target.name } ?? options.targets.config.first { $0.architecture == nil }
        plans.append(
            TargetPlan(
                architecture: target, xenSyms: images[target.name], configuration: configuration?.value, applied: applied[target.name] ?? [],
                tools: try CrossTools(for: target, of: targets, options: options.targets.crossCompile, own: own, environment: environment)))
    }
    return plans
}

/// Refuses a value that is given twice, that names no target of the run, or that could be meant for several targets.
func checkNames(
    _ values: [TargetValue<String>], option: String, targets: [String], unnamedFor only: String?
) throws(UsageError) {
    var seen: Set<String> = []
    for value in values {
        if let name = value.architecture, !targets.contains(name) {
            throw UsageError("\(option) \(name)=\(value.value): \(name) is not a target of this run (\(targets.joined(separator: ", ")))")
        }
        guard let name = value.architecture ?? only else {
            throw UsageError(
                "\(option) \(value.value): does not say for which target it is (\(targets.joined(separator: ", ")))",
                help: "give it as \(option) ARCH=\(value.value)")
        }
        guard seen.insert(name).inserted else { throw UsageError("\(option) is given twice for \(name)") }
    }
}

/// The files of `--xen-syms` by the name of the architecture that each is for.
private func hypervisors(_ options: BuildOptions, machines: [FilePath: UInt16]) throws(UsageError) -> [String: FilePath] {
    var images: [String: FilePath] = [:]
    for image in options.targets.xenSyms {
        let name = try architecture(of: image.value, machines).name
        if let said = image.architecture, said != name {
            throw UsageError("--xen-syms \(said)=\(image.value): that file is for \(name)")
        }
        if let other = images.updateValue(image.value, forKey: name) {
            throw UsageError("--xen-syms: \(other) and \(image.value) are both for \(name)")
        }
    }
    return images
}

private func targets(
    _ options: BuildOptions, images: [String: FilePath], own: (any TargetArchitecture)?
) throws(UsageError) -> [any TargetArchitecture] {
    guard options.targets.architectures.isEmpty else {
        for (name, path) in images.sorted(by: { $0.key < $1.key }) where !options.targets.architectures.contains(name) {
            throw UsageError(
                "\(path): is for \(name), and --arch says \(options.targets.architectures.joined(separator: ", "))",
                help: "give the xen-syms of the hypervisor that the payload is for; without --arch, xen-syms decides the architecture")
        }
        return options.targets.architectures.compactMap { Architectures.named($0) }
    }
    guard images.isEmpty else { return Architectures.known.filter { images[$0.name] != nil } }
    return [own ?? Architectures.known.first].compactMap(\.self)
}

private func appliedPayloads(
    _ options: BuildOptions, machines: [FilePath: UInt16], targets: [String]
) throws(UsageError) -> [String: [FilePath]] {
    var applied: [String: [FilePath]] = [:]
    for path in options.stack.payloads {
        let name = try architecture(of: path, machines).name
        guard targets.contains(name) else {
            throw UsageError("--on \(path): is for \(name), which is not a target of this run (\(targets.joined(separator: ", ")))")
        }
        applied[name, default: []].append(path)
    }
    // A hypervisor without applied payloads doesn't run what those patches changed.
    if !options.stack.patches.isEmpty, !options.stack.isReplaced, let without = targets.first(where: { applied[$0] == nil }) {
        throw UsageError(
            "--applied-patch: no payload of --on is for \(without)",
            help: "the patches of --applied-patch do not run where no payload is applied: build for \(without) in a run of its own")
    }
    return applied
}

private func architecture(of path: FilePath, _ machines: [FilePath: UInt16]) throws(UsageError) -> any TargetArchitecture {
    let machine = machines[path] ?? 0
    guard let architecture = Architectures.of(machine: machine) else {
        throw UsageError(
            "\(path): is for a processor that this version makes no payloads for (ELF machine \(machine))",
            help: "it makes payloads for \(Architectures.names)")
    }
    return architecture
}

/// Refuses options that describe one hypervisor when there are several targets.
private func checkSharedOptions(_ options: BuildOptions, _ targets: [String]) throws(UsageError) {
    let list = targets.joined(separator: ", ")
    for (option, isGiven) in [("--depends", options.payload.depends != nil), ("--xen-depends", options.payload.xenDepends != nil)] where isGiven {
        throw UsageError(
            "\(option) with several targets (\(list)): a build-id belongs to one hypervisor or payload",
            help: "leave it out, because xen-syms has it; or build for one target at a time")
    }
    if let nops = options.fix.nops.first {
        throw UsageError(
            "--nop \(nops.function)=\(nops.count) with several targets (\(list)): each processor has instructions of its own",
            help: "build for one target at a time")
    }
}

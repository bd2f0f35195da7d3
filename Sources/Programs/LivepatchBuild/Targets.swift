import Diagnostics
import ELFModel
import LoaderModel
import SystemPackage
import WorkFiles
import XenSource
import XenVersions

/// One hypervisor that the run makes a payload for.
struct Target: Sendable {
    var plan: TargetPlan
    /// The running hypervisor, with the payloads that the user says are applied to it; nil when it has to be built first.
    var running: RunningHypervisor?

    var name: String { plan.architecture.name }
}

/// Reads the files that the options name: the hypervisors, and the payloads on them.
///
/// - Parameter machine: the machine's processor as uname(2) names it.
/// - Throws: `UsageError` as `planTargets` does; `WrongVersion` for a hypervisor of another version than the tree;
///   `InputError` for a file that is not a hypervisor, and for a payload that can't be on that hypervisor or can't be read; `XenSourceError` for a file that is not a configuration, and for a configuration of another architecture or
///   without live patching.
func findTargets(
    _ options: BuildOptions, for tree: XenTree, machine: String, environment: [String: String]
) throws -> [Target] {
    var images: [FilePath: XenImage] = [:], payloads: [FilePath: [UInt8]] = [:], machines: [FilePath: UInt16] = [:]
    for path in options.targets.xenSyms.map(\.value) {
        let image = try XenImage.read(path)
        images[path] = image
        machines[path] = image.machine
    }
    for path in options.stack.payloads {
        let bytes = try readPayload(path)
        payloads[path] = bytes
        machines[path] = try ELFFile(bytes: bytes, name: path.string, debugSections: false).header.machine
    }
    let plans = try planTargets(options, machines: machines, own: Architectures.own(machine: machine), environment: environment)
    for plan in plans { try checkConfiguration(of: plan) }
    return try plans.map { plan in
        guard let image = plan.xenSyms.flatMap({ images[$0] }) else { return Target(plan: plan) }
        try checkVersion(of: image, plan, against: tree)
        let applied = plan.applied.map { (path: $0, bytes: payloads[$0] ?? []) }
        return Target(
            plan: plan,
            running: try loadStack(applied, onto: image, architecture: plan.architecture, abi: tree.abi, version: tree.version))
    }
}

/// A hypervisor whose version can't be read passes: its functions show later whether it comes from the tree.
private func checkVersion(of image: XenImage, _ plan: TargetPlan, against tree: XenTree) throws(WrongVersion) {
    guard let there = try? HypervisorLoader(of: image, architecture: plan.architecture).version, there < tree.version || tree.version < there else { return }
    throw WrongVersion(hypervisor: image.path, there: there, here: tree.version)
}

/// The source is of another version of Xen than the hypervisor. Point releases do not count.
struct WrongVersion: ExplainedError {
    let hypervisor: FilePath
    let there: XenVersion
    let here: XenVersion

    var message: String { "\(hypervisor) is Xen \(there), and the source is Xen \(here)" }
    var help: String? { "give the source that the hypervisor was built from, with all its patches" }
    var exitCode: ExitStatus { .originalDiffers }
}

/// Checks the configuration now, so that the user doesn't learn of a wrong file only after the first of several targets is built.
private func checkConfiguration(of plan: TargetPlan) throws(XenSourceError) {
    guard let path = plan.configuration else { return }
    do throws(XenSourceError) {
        try KernelConfiguration(contentsOf: path).check(
            file: path.string, architecture: plan.architecture.name, options: Architectures.options)
    } catch  where error.diagnosticID == nil {
        throw error
    } catch {
        // The compile stage refuses that target with a diagnostic, so that its report is written.
    }
}

private func readPayload(_ path: FilePath) throws(InputError) -> [UInt8] {
    do throws(WorkFileError) {
        return try WorkFiles.read(path)
    } catch {
        throw InputError(file: path, reason: "can't be read: \(error.errno)")
    }
}

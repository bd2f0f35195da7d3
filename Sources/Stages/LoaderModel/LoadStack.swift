import Diagnostics
import SystemPackage
import TargetArchitecture
import XenSource
import XenVersions

/// Applies payloads to a hypervisor, one on top of the other, as far as that can be worked out without running it.
///
/// - Parameters:
///   - payloads: the files and their bytes, in the order in which they were applied.
///   - image: the hypervisor that they are applied to.
/// - Throws: `InputError` for a payload that the hypervisor would not have loaded, or that depends on something other than what is below
///   it.
package func loadStack(
    _ payloads: [(path: FilePath, bytes: [UInt8])], onto image: XenImage, architecture: any TargetArchitecture, abi: PayloadABI,
    version: XenVersion
) throws(InputError) -> RunningHypervisor {
    var running = RunningHypervisor(image)
    for (path, bytes) in payloads {
        let result = loadPayload(bytes, into: running, architecture: architecture, abi: abi, version: version)
        switch result.verdict {
        case .accepted: break
        case .refused(let refusal):
            throw InputError(
                file: path, reason: "this hypervisor would not have loaded it: \(refusal.reason)",
                help: running.payloads.isEmpty && refusal.step == .symbolResolution ? inOrder : nil)
        case .crashes(let reason): throw InputError(file: path, reason: "it would have crashed this hypervisor: \(reason)")
        case .notModelled(let reason):
            throw InputError(file: path, reason: "this program can't follow what the hypervisor does with it: \(reason)")
        }
        guard result.depends == running.topBuildID else {
            let below = running.payloads.last.map { "that of \($0.path)" } ?? "that of the hypervisor"
            throw InputError(
                file: path,
                reason: "it depends on build-id \(BuildIDNote.text(result.depends)), and \(below) is \(BuildIDNote.text(running.topBuildID))",
                help: inOrder)
        }
        running.apply(AppliedPayload(result, path: path))
    }
    return running
}

private let inOrder = "give the payloads in the order in which they were applied"

extension AppliedPayload {
    /// A payload that was uploaded, with its layout in memory.
    package init(_ result: LoadResult, path: FilePath) {
        let name = path.stem ?? path.string
        self.init(
            path: path, buildID: result.buildID,
            symbols: result.newSymbols.map { symbol in
                XenImage.Symbol(
                    name: symbol.name.text, address: symbol.address, size: symbol.size, isFunction: symbol.isFunction,
                    section: result.sections.first { symbol.address >= $0.address && symbol.address < $0.address + UInt64(max($0.bytes.count, 1)) }?.name,
                    payload: name)
            },
            replacements: result.functions.filter { $0.newAddress != 0 }.map {
                Replacement(name: $0.name, oldAddress: $0.oldAddress, newAddress: $0.newAddress, newSize: UInt64($0.newSize))
            },
            patches: result.patches, hooks: result.hooks,
            memory: result.sections.map { ($0.address, $0.bytes) },
            addresses: Dictionary(result.newSymbols.map { ($0.name, $0.address) }, uniquingKeysWith: { first, _ in first }),
            metadata: result.sections.first { $0.name == PayloadABI.metadata }.map { PayloadABI.texts(in: $0.bytes) } ?? [],
            text: result.regions.first { $0.region == .text }.map { $0.address..<$0.address + ($0.size + 0xFFF) & ~0xFFF } ?? 0..<0,
            end: result.sections.map { $0.address &+ UInt64($0.bytes.count) }.max() ?? 0)
    }
}

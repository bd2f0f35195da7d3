import ELFModel
import TargetArchitecture
import XenSource

/// What the loader asks the running hypervisor for.
package protocol HypervisorSymbols: Sendable {
    /// The address of an exact name in the hypervisor's own symbol table: plain for globals, `FILE#name` for locals.
    func address(ofSymbol name: SymbolName) -> UInt64?
    /// The size in bytes of a global symbol; nil when it is not known.
    func size(ofGlobal name: String) -> UInt64?
    /// The bytes that the hypervisor has at an address when it starts; nil when they are not known.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>?
    /// Whether the pages of the hypervisor's image, or of a payload, cover an address.
    func hasMemory(at address: UInt64) -> Bool
    /// Whether an address is on a page of code.
    func hasCode(at address: UInt64) -> Bool
    /// Whether an address is in the hypervisor's own image, rather than in a payload.
    func isInImage(_ address: UInt64) -> Bool
    /// Whether an address is in memory that the hypervisor frees at the end of booting.
    func isFreedAfterBoot(_ address: UInt64) -> Bool
    /// The variable at an address, with the distance from its start, for messages: `vpmu_ops+40`. Nil if none is known there.
    func variable(at address: UInt64) -> String?
    var buildID: [UInt8] { get }
    /// The build-ids of the payloads that are loaded.
    var payloadBuildIDs: [[UInt8]] { get }
    /// What the applied payloads overwrote, in the order in which they were applied.
    var patches: [CodePatch] { get }
    /// A page-aligned address at which a payload could be loaded.
    func payloadArea(_ rules: LoaderRules) -> UInt64
}

extension XenImage: HypervisorSymbols {
    package func size(ofGlobal name: String) -> UInt64? { global(name)?.size }
    package func isInImage(_ address: UInt64) -> Bool { hasMemory(at: address) }
    package func variable(at address: UInt64) -> String? {
        variables.last { $0.address <= address && address - $0.address < $0.size }
            .map { $0.address == address ? $0.name : "\($0.name)+\(address - $0.address)" }
    }
    package var payloadBuildIDs: [[UInt8]] { [] }
    package var patches: [CodePatch] { [] }

    /// Where the first payload goes (`arch_livepatch_init`). The address is exact if the area starts at a fixed distance from the image's
    /// start; otherwise it is in the right MiB.
    package func payloadArea(_ rules: LoaderRules) -> UInt64 {
        switch rules.area {
        case .behindImage(let multiple):
            let end = global("_end")?.address ?? 0
            return (end &+ multiple &- 1) / multiple &* multiple
        case .afterImageStart(let distance): return (global("_start")?.address ?? 0) &+ distance
        }
    }
}

extension RunningHypervisor: HypervisorSymbols {
    package var buildID: [UInt8] { image.buildID }
    package var payloadBuildIDs: [[UInt8]] { payloads.map(\.buildID) }
    package var patches: [CodePatch] { payloads.flatMap(\.patches) }
    package func size(ofGlobal name: String) -> UInt64? { image.size(ofGlobal: name) }
    package func variable(at address: UInt64) -> String? { image.variable(at: address) }
    package func isInImage(_ address: UInt64) -> Bool { image.hasMemory(at: address) }
    package func hasCode(at address: UInt64) -> Bool { image.hasCode(at: address) || payloads.contains { $0.text.contains(address) } }
    package func isFreedAfterBoot(_ address: UInt64) -> Bool { image.isFreedAfterBoot(address) }

    /// In the hypervisor's order: its own symbols, then those of the payloads.
    package func address(ofSymbol name: SymbolName) -> UInt64? {
        image.address(ofSymbol: name) ?? payloads.lazy.compactMap { $0.addresses[name] }.first
    }

    package func payloadArea(_ rules: LoaderRules) -> UInt64 {
        payloads.last.map { ($0.end &+ 0xFFF) & ~0xFFF } ?? image.payloadArea(rules)
    }
}

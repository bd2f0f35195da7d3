import ELFModel
import TargetArchitecture
import XenVersions

/// Where a hypervisor may have changed its own code when it booted: `xen-syms` has the code as it was before.
///
/// Sources: `_apply_alternatives`, `apply_alt_calls` and `seal_endbr64` of `xen/arch/x86/alternative.c`, `xen/arch/arm/alternative.c`.
struct BootChanges {
    struct Change {
        var address: UInt64
        /// In bytes.
        var size: UInt64
        /// Whether it happens on each processor. Most alternatives are for some.
        var isCertain: Bool
    }

    private(set) var changes: [Change] = []

    init(_ hypervisor: any HypervisorSymbols, _ architecture: any TargetArchitecture, _ version: XenVersion) {
        for alternative in alternatives(of: hypervisor, architecture, version) {
            let isCall = alternative.newLength == 5 && hypervisor.bytes(at: alternative.replacement, count: 5).map(Alternative.callsItself) ?? false
            changes.append(Change(address: alternative.original, size: UInt64(alternative.wholeLength), isCertain: isCall))
        }
        let calls = architecture.specialTables(of: version).lazy.compactMap(\.call)
        if let size = calls.first?.size, let (start, bytes) = hypervisor.table("__alt_call_sites_start", "__alt_call_sites_end") {
            for offset in stride(from: 0, to: UInt64(bytes.count), by: 4) {
                guard let distance: UInt32 = bytes.number(at: offset) else { break }
                changes.append(Change(address: start &+ offset &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance))), size: UInt64(size), isCertain: true))
            }
        }
        // Marks for indirect calls that are needed no more, on processors that look for such marks.
        if let (_, bytes) = hypervisor.table("__initdata_cf_clobber_start", "__initdata_cf_clobber_end") {
            for offset in stride(from: 0, to: UInt64(bytes.count), by: architecture.elfClass.addressSize) {
                guard let function = bytes.word(at: offset, architecture.elfClass),
                    let start = hypervisor.bytes(at: function, count: architecture.landingPadSize), architecture.beginsWithLandingPad(start)
                else { continue }
                changes.append(Change(address: function, size: UInt64(start.count), isCertain: false))
            }
        }
    }

    /// The changes to a stretch of bytes.
    func changes(at address: UInt64, count: Int) -> [Change] {
        changes.filter { $0.size > 0 && ($0.address &- address < UInt64(count) || address &- $0.address < $0.size) }
    }
}

/// The hypervisor's own table of alternatives.
package func alternatives(of hypervisor: any HypervisorSymbols, _ architecture: any TargetArchitecture, _ version: XenVersion) -> [Alternative] {
    guard let layout = architecture.specialTables(of: version).first(where: { $0.replacement?.lengthOffset != nil }),
        let (start, bytes) = hypervisor.table("__alt_instructions", "__alt_instructions_end")
    else { return [] }
    var list: [Alternative] = []
    for offset in stride(from: 0, to: UInt64(bytes.count), by: layout.entrySize) {
        guard let alternative = Alternative(bytes, offset, layout, at: start) else { break }
        list.append(alternative)
    }
    return list
}

extension HypervisorSymbols {
    /// The bytes between two symbols, and the address of the first; nil if the hypervisor has none there, or more than 16 MiB.
    fileprivate func table(_ start: SymbolName, _ end: SymbolName) -> (address: UInt64, bytes: ArraySlice<UInt8>)? {
        guard let first = address(ofSymbol: start), let last = address(ofSymbol: end), last > first, last - first < 16 << 20,
            let bytes = bytes(at: first, count: Int(last - first))
        else { return nil }
        return (first, bytes)
    }
}

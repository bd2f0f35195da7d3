import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// The first bytes of a function that is to be replaced, for the hypervisor to look for before it applies the payload.
///
/// Left out is what may legitimately be other bytes by then: from the first alternative on, which the hypervisor settles at
/// boot; all of a function that is marked as a target of indirect calls, since the mark may be gone; and all of one that a payload
/// replaces already, which begins with that payload's trampoline.
struct Expectation: Equatable {
    /// Empty where nothing can be expected.
    var bytes: [UInt8] = []
    /// The reason, when nothing can.
    var whyNone = ""

    init() {}

    /// - Parameter original: the function as compiled here, for the places that are patched at boot; nil where it is not known.
    init(_ symbol: XenImage.Symbol, original: OriginalItem?, running: RunningHypervisor, architecture: any TargetArchitecture) {
        guard symbol.payload == nil else {
            whyNone = "a payload brought it, and its bytes are settled when that is loaded"
            return
        }
        guard running.replacement(of: symbol) == nil else {
            whyNone = "a payload below replaces it, and its trampoline stands there"
            return
        }
        guard let original else {
            whyNone = "which of its bytes are patched at boot is not known"
            return
        }
        let patched = original.entries.filter(\.table.patchesCode)
            .compactMap { $0.references.min { $0.offset < $1.offset }?.distance }.min().map { Int(clamping: $0) }
        let count = min(FunctionEntry.Expectation.maximumCount, Int(clamping: symbol.size), max(0, patched ?? .max))
        guard let start = running.bytes(at: symbol.address, count: count), count > 0 else {
            whyNone = count > 0 ? "its bytes are not in xen-syms" : "it begins with code that is patched at boot"
            return
        }
        guard !architecture.beginsWithLandingPad(start) else {
            whyNone = "it begins with a mark for indirect calls, which the hypervisor may remove at boot"
            return
        }
        bytes = Array(start)
    }

    /// As the functions section holds it; nil where nothing can be expected.
    var field: FunctionEntry.Expectation? { bytes.isEmpty ? nil : FunctionEntry.Expectation(bytes) }
}

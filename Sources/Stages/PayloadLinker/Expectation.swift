import ObjectDiff
import TargetArchitecture
import XenSource
import XenVersions

/// The first bytes of a function to be replaced. The hypervisor looks for them before it applies the payload.
///
/// Bytes that may legitimately differ by then are left out: everything from the first alternative on, because the hypervisor settles
/// alternatives at boot; the whole of a function marked as a target of indirect calls, because the mark may be gone; and the whole of a
/// function that a payload already replaces, because it begins with that payload's trampoline.
struct Expectation: Equatable {
    /// Empty when nothing can be expected.
    var bytes: [UInt8] = []
    /// The reason when nothing can be expected.
    var whyNone = ""

    init() {}

    /// - Parameter original: the function as compiled here, which says what places are patched at boot; nil when it is not known.
    init(_ symbol: XenImage.Symbol, original: OriginalItem?, running: RunningHypervisor, architecture: any TargetArchitecture) {
        guard symbol.payload == nil else {
            whyNone = "it belongs to a payload, and its bytes are known only when that is loaded"
            return
        }
        guard running.replacement(of: symbol) == nil else {
            whyNone = "a payload below replaces it, and the jump of that payload stands there"
            return
        }
        guard let original else {
            whyNone = "it is not known which of its bytes are patched at boot"
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

    /// The field of the functions section; nil when nothing can be expected.
    var field: FunctionEntry.Expectation? { bytes.isEmpty ? nil : FunctionEntry.Expectation(bytes) }
}

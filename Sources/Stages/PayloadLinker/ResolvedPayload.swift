import Diagnostics
import ObjectDiff
import TargetArchitecture

/// Everything that goes into the payload, each item at its place, and each reference with its filling. All refusals have been made: the
/// later passes only write.
struct ResolvedPayload: Sendable {
    /// Some bytes of the payload.
    struct Block: Sendable {
        var place: Place
        var bytes: [UInt8]
        /// In bytes. Larger than `bytes.count` when the rest is zero.
        var size: Int
        var alignment: UInt64
    }

    /// What a relocation refers to.
    enum Subject: Hashable, Sendable {
        /// The start of another section of the payload.
        case section(PayloadSection)
        /// A place in another section of the payload.
        case place(Place)
        /// A symbol that the hypervisor's loader looks up.
        case named(String)
        /// A name for a known address.
        case address(String, UInt64)
    }

    /// What fills the field of a reference.
    enum Filling: Sendable {
        case relocation(type: UInt32, Subject, addend: Int64)
        /// Known now: the bits of a value.
        case value(UInt64, RelocationField)
    }

    struct Fill: Sendable {
        var place: Place
        var filling: Filling
    }

    /// Included items and veneers, in the order of their places in their sections.
    var blocks: [Block]
    /// The entries of special tables, in order.
    var entries: [Block]
    /// In the order of the items that hold the references.
    var fills: [Fill]
    var functions: [ReplacedFunction]
    var companions: [Companion]
    /// The hypervisor symbols that the payload refers to: address by name.
    var references: [String: UInt64]
    /// The number of entries of each special table.
    var tableEntries: [String: Int]
    var hasHooks: Bool
    var diagnostics: [Diagnostic]
}

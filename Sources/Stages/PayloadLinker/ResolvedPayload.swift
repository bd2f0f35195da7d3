import Diagnostics
import ObjectDiff
import TargetArchitecture

/// Everything that goes into the payload, each item at its place, and each reference with its filling. The later
/// passes refuse nothing: they only write.
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
    let blocks: [Block]
    /// The entries of special tables, in order.
    let entries: [Block]
    /// In the order of the items that hold the references.
    let fills: [Fill]
    let functions: [ReplacedFunction]
    let companions: [Companion]
    /// The hypervisor symbols that the payload refers to: address by name.
    let references: [String: UInt64]
    /// The number of entries of each special table.
    let tableEntries: [String: Int]
    let hasHooks: Bool
    let diagnostics: [Diagnostic]
    /// The references that lead nowhere: item and offset. A diagnostic refuses the change that has one; if none does, it is a fault of this
    /// program.
    let unfilled: [String]
}

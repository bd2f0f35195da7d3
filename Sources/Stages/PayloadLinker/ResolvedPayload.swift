import Diagnostics
import ObjectDiff
import TargetArchitecture

/// All that goes into the payload, each thing at its place, and each reference with what fills it. Whatever can be refused has been:
/// the passes behind this one only write.
struct ResolvedPayload: Sendable {
    /// Some bytes of the payload.
    struct Block: Sendable {
        var place: Place
        var bytes: [UInt8]
        /// More than `bytes` has for what is zero to its end.
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
        /// A name for an address that is known.
        case address(String, UInt64)
    }

    /// What fills a place that refers to something.
    enum Filling: Sendable {
        case relocation(type: UInt32, Subject, addend: Int64)
        /// Settled now: the bits of a value.
        case value(UInt64, RelocationField)
    }

    struct Fill: Sendable {
        var place: Place
        var filling: Filling
    }

    /// Included items and veneers, in the order in which they stand in their sections.
    var blocks: [Block]
    /// The entries of special tables, in their order.
    var entries: [Block]
    /// In the order of the things that refer.
    var fills: [Fill]
    var functions: [ReplacedFunction]
    var companions: [Companion]
    /// What the payload refers to in the hypervisor: address by name.
    var references: [String: UInt64]
    /// How many entries it has of each special table.
    var tableEntries: [String: Int]
    var hasHooks: Bool
    var diagnostics: [Diagnostic]
}

import Diagnostics
import ObjectDiff
import XenSource
import XenVersions

/// A finished payload: its bytes, and what is in it.
package struct Payload: Sendable, Equatable {
    /// A function of the hypervisor that the payload replaces.
    package struct Function: Sendable, Equatable {
        package var name: String
        package var location: SourceLocation?
        /// nil for a function that an applied payload brought: the loader looks its name up.
        package var oldAddress: UInt64?
        /// In bytes, as in `xen-syms`.
        package var oldSize: UInt64
        /// In bytes, without a cold part.
        package var newSize: UInt64
        /// The name of the applied payload that brought the old function; nil for the hypervisor's own.
        package var payload: String?
        /// Whether its first `newSize` bytes become NOPs, instead of a jump to other code.
        package var isNOPs = false
        /// Why it is in the payload; empty for NOPs.
        package var why: [Inclusion] = []
        /// What differs first between the original and the patched version; nil for NOPs.
        package var difference: Difference?
    }

    /// One step from an item in the payload to the change that it is included for. The first step is the item itself.
    package struct Inclusion: Sendable, Equatable {
        package var name: String
        package var location: SourceLocation?
        package var reason: InclusionReason
    }

    /// Another named item that is included.
    package struct Companion: Sendable, Equatable {
        package enum Reason: String, Sendable, Equatable, Codable {
            /// The patch added it.
            case new
            /// It exists in the source, but the running hypervisor has no separate copy of it.
            case copied
            /// The cold part of a replaced function.
            case coldPart = "cold part"
        }
        package var name: String
        package var location: SourceLocation?
        package var size: UInt64
        package var reason: Reason
        package var isFunction: Bool
        package var isWritable: Bool
        package var why: [Inclusion] = []
        /// For a changed constant or cold part, what differs first.
        package var difference: Difference?
    }

    /// A symbol of the running hypervisor that the payload refers to.
    package struct HypervisorReference: Sendable, Equatable, Codable {
        /// The name in the hypervisor's own symbol table: `printk`, `common/kernel.c#foo`.
        package var name: String
        /// 0 for a symbol that an applied payload brought: the loader finds the address.
        package var address: UInt64
    }

    package var name: String
    package var abi: PayloadABI
    /// The ELF file.
    package var bytes: [UInt8]
    package var functions: [Function]
    package var companions: [Companion]
    package var references: [HypervisorReference]
    package var buildID: [UInt8]
    package var depends: [UInt8]
    package var xenDepends: [UInt8]?
    /// The number of entries of each special table, by section.
    package var tableEntries: [String: Int]
    /// How many of the replaced functions were compared with the running hypervisor and found equal.
    package var verifiedFunctions: Int
    /// How many of those are equal in their instructions, but not in all their bytes.
    package var verifiedInInstructions: Int

    /// `xsa-500.livepatch`.
    package var fileName: String { "\(name).\(abi.fileSuffix)" }
}

/// The result of linking: a payload, or the reasons why there is none.
package struct LinkOutcome: Sendable, Equatable {
    /// nil when nothing runs differently, or when a diagnostic is an error.
    package var payload: Payload?
    package var diagnostics: [Diagnostic]
    /// The functions to be replaced that differ from the running ones.
    package var unequal: [UnequalOriginal] = []
}

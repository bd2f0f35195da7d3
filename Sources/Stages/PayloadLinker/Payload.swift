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
        /// nil for a function that an applied payload brought: the loader looks it up by its name.
        package var oldAddress: UInt64?
        /// In bytes, as `xen-syms` has it.
        package var oldSize: UInt64
        /// In bytes, without a cold part.
        package var newSize: UInt64
        /// The name of the applied payload that brought it; nil for the hypervisor's own.
        package var payload: String?
        /// Whether its first `newSize` bytes become NOPs, instead of a jump to other code.
        package var isNOPs = false
        /// Why it is in the payload; empty for NOPs.
        package var why: [Inclusion] = []
        /// What differs first between the original and the patched version; nil for NOPs.
        package var difference: Difference?
    }

    /// One step of the way from something in the payload to the change that it is there for. The first is the thing itself.
    package struct Inclusion: Sendable, Equatable {
        package var name: String
        package var location: SourceLocation?
        package var reason: InclusionReason
    }

    /// Something else that is included and has a name.
    package struct Companion: Sendable, Equatable {
        package enum Reason: String, Sendable, Equatable, Codable {
            /// The patch added it.
            case new
            /// It exists, but not on its own in the running hypervisor.
            case copied
            /// The unlikely part of a replaced function.
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

    /// Something of the running hypervisor that the payload refers to.
    package struct HypervisorReference: Sendable, Equatable, Codable {
        /// As the hypervisor's own symbol table has it: `printk`, `common/kernel.c#foo`.
        package var name: String
        /// 0 for what an applied payload brought: the loader finds it.
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
    /// Entries of special tables by section.
    package var tableEntries: [String: Int]
    /// How many of the replaced functions were held against the running hypervisor and found equal.
    package var verifiedFunctions: Int
    /// Those of them that are equal in their instructions, not in all their bytes.
    package var verifiedInInstructions: Int

    /// `xsa-500.livepatch`.
    package var fileName: String { "\(name).\(abi.fileSuffix)" }
}

/// What came of linking: a payload, or the reasons why there is none.
package struct LinkOutcome: Sendable, Equatable {
    /// nil when nothing runs differently, or when a diagnostic is an error.
    package var payload: Payload?
    package var diagnostics: [Diagnostic]
    /// The functions that are to be replaced and are not what runs.
    package var unequal: [UnequalOriginal] = []
}

import Diagnostics
import ELFModel
import XenSource
import XenVersions

/// A finished payload: its bytes, and what is in it.
package struct Payload: Sendable, Equatable {
    /// A function of the hypervisor that the payload replaces.
    package struct Function: Sendable, Equatable, Codable {
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
    }

    /// Something else that travels in the payload and has a name.
    package struct Companion: Sendable, Equatable, Codable {
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

/// What the linker is told beside the changes.
package struct LinkOptions: Sendable, Equatable {
    /// Without suffix; see `PayloadName`.
    package var name: String
    package var abi: PayloadABI
    /// The hypervisor's version.
    package var xen: XenVersion
    /// The build-id that must be on top of the applied stack; nil takes that of what is on top.
    package var depends: [UInt8]?
    /// The build-id of the hypervisor; nil takes that of `xen-syms`.
    package var xenDepends: [UInt8]?
    /// Write addresses instead of names for what the payload refers to in the hypervisor.
    package var prelink: Bool
    /// Leave out the names of the payload's own functions and variables.
    package var strip: Bool
    /// Go on when the original does not reproduce the hypervisor.
    package var trustSource: Bool
    /// Let the hypervisor check, when it applies, that old functions begin as they should.
    package var expect: Bool
    /// What the payload says about its making: keys and values, for the host tool to show.
    package var metadata: [Metadata]

    /// Functions whose first bytes become NOPs.
    package var nops: [NOPs]

    /// A function's name, as in the hypervisor's symbol table, and how many of its bytes become NOPs.
    package struct NOPs: Sendable, Equatable {
        package var function: String
        package var count: Int

        package init(function: String, count: Int) {
            self.function = function
            self.count = count
        }
    }

    /// One entry of `.modinfo`.
    package struct Metadata: Sendable, Equatable, Codable {
        package var key: String
        package var value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    package init(
        name: String, abi: PayloadABI, xen: XenVersion, depends: [UInt8]? = nil, xenDepends: [UInt8]? = nil, prelink: Bool = false,
        strip: Bool = false, trustSource: Bool = false, expect: Bool = false, metadata: [Metadata] = [],
        nops: [NOPs] = []
    ) {
        self.name = name
        self.abi = abi
        self.xen = xen
        self.depends = depends
        self.xenDepends = xenDepends
        self.prelink = prelink
        self.strip = strip
        self.trustSource = trustSource
        self.expect = expect
        self.metadata = metadata
        self.nops = nops
    }
}

/// What came of linking: a payload, or the reasons why there is none.
package struct LinkOutcome: Sendable, Equatable {
    /// nil when nothing runs differently, or when a diagnostic is an error.
    package var payload: Payload?
    package var diagnostics: [Diagnostic]
    /// The functions that are to be replaced and are not what runs.
    package var unequal: [UnequalOriginal] = []
}

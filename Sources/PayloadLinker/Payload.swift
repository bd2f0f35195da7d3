import Diagnostics
import ELFModel
import XenSource

/// A finished payload: its bytes, and what is in it.
public struct Payload: Sendable, Equatable {
    /// A function of the hypervisor that the payload replaces.
    public struct Function: Sendable, Equatable, Codable {
        public var name: String
        public var location: SourceLocation?
        /// nil for a function that an applied payload brought: the loader looks it up by its name.
        public var oldAddress: UInt64?
        /// In bytes, as `xen-syms` has it.
        public var oldSize: UInt64
        /// In bytes, without a cold part.
        public var newSize: UInt64
        /// The name of the applied payload that brought it; nil for the hypervisor's own.
        public var payload: String?
        /// Whether its first `newSize` bytes become NOPs, instead of a jump to other code.
        public var isNOPs = false
    }

    /// Something else that travels in the payload and has a name.
    public struct Companion: Sendable, Equatable, Codable {
        public enum Reason: String, Sendable, Equatable, Codable {
            /// The patch added it.
            case new
            /// It exists, but not on its own in the running hypervisor.
            case copied
            /// The unlikely part of a replaced function.
            case coldPart = "cold part"
        }
        public var name: String
        public var location: SourceLocation?
        public var size: UInt64
        public var reason: Reason
        public var isFunction: Bool
        public var isWritable: Bool
    }

    /// Something of the running hypervisor that the payload refers to.
    public struct HypervisorReference: Sendable, Equatable, Codable {
        /// As the hypervisor's own symbol table has it: `printk`, `common/kernel.c#foo`.
        public var name: String
        /// 0 for what an applied payload brought: the loader finds it.
        public var address: UInt64
    }

    public var name: String
    public var abi: PayloadABI
    /// The ELF file.
    public var bytes: [UInt8]
    public var functions: [Function]
    public var companions: [Companion]
    public var references: [HypervisorReference]
    public var buildID: [UInt8]
    public var depends: [UInt8]
    public var xenDepends: [UInt8]?
    /// Entries of special tables by section.
    public var tableEntries: [String: Int]
    /// How many of the replaced functions were held against the running hypervisor and found equal.
    public var verifiedFunctions: Int
    /// Those of them that are equal in their instructions, not in all their bytes.
    public var verifiedInInstructions: Int

    /// `xsa-500.livepatch`.
    public var fileName: String { "\(name).\(abi.fileSuffix)" }
}

/// What the linker is told beside the changes.
public struct LinkOptions: Sendable, Equatable {
    /// Without suffix; see `PayloadName`.
    public var name: String
    public var abi: PayloadABI
    /// The build-id that must be on top of the applied stack; nil takes that of what is on top.
    public var depends: [UInt8]?
    /// The build-id of the hypervisor; nil takes that of `xen-syms`.
    public var xenDepends: [UInt8]?
    /// Write addresses instead of names for what the payload refers to in the hypervisor.
    public var prelink: Bool
    /// Leave out the names of the payload's own functions and variables.
    public var strip: Bool
    /// Go on when the original does not reproduce the hypervisor.
    public var trustSource: Bool
    /// Let the hypervisor check, when it applies, that old functions begin as they should.
    public var expect: Bool
    /// What the payload says about its making: keys and values, for the host tool to show.
    public var metadata: [Metadata]

    /// Functions whose first bytes become NOPs.
    public var nops: [NOPs]

    /// A function's name, as in the hypervisor's symbol table, and how many of its bytes become NOPs.
    public struct NOPs: Sendable, Equatable {
        public var function: String
        public var count: Int

        public init(function: String, count: Int) {
            self.function = function
            self.count = count
        }
    }

    /// One entry of `.modinfo`.
    public struct Metadata: Sendable, Equatable, Codable {
        public var key: String
        public var value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    public init(
        name: String, abi: PayloadABI, depends: [UInt8]? = nil, xenDepends: [UInt8]? = nil, prelink: Bool = false,
        strip: Bool = false, trustSource: Bool = false, expect: Bool = false, metadata: [Metadata] = [],
        nops: [NOPs] = []
    ) {
        self.name = name
        self.abi = abi
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
public struct LinkOutcome: Sendable, Equatable {
    /// nil when nothing runs differently, or when a diagnostic is an error.
    public var payload: Payload?
    public var diagnostics: [Diagnostic]
    /// The functions that are to be replaced and are not what runs.
    public var unequal: [UnequalOriginal] = []
}

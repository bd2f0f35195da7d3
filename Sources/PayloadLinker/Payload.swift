import Diagnostics
import ELFModel
import XenSource

/// A finished payload: its bytes, and what is in it.
public struct Payload: Sendable, Equatable {
    /// A function of the hypervisor that the payload replaces.
    public struct Function: Sendable, Equatable, Codable {
        public var name: String
        public var location: SourceLocation?
        public var oldAddress: UInt64
        /// In bytes, as `xen-syms` has it.
        public var oldSize: UInt64
        /// In bytes, without a cold part.
        public var newSize: UInt64
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

    /// `xsa-500.livepatch`.
    public var fileName: String { "\(name).\(abi.fileSuffix)" }
}

/// What the linker is told beside the changes.
public struct LinkOptions: Sendable, Equatable {
    /// Without suffix; see `PayloadName`.
    public var name: String
    public var abi: PayloadABI
    /// The build-id that must be on top of the applied stack; nil takes the hypervisor's.
    public var depends: [UInt8]?
    /// The build-id of the hypervisor; nil takes that of `xen-syms`.
    public var xenDepends: [UInt8]?
    /// Write addresses instead of names for what the payload refers to in the hypervisor.
    public var prelink: Bool
    /// Leave out the names of the payload's own functions and variables.
    public var strip: Bool
    /// Go on when the original does not reproduce the hypervisor.
    public var trustSource: Bool

    public init(
        name: String, abi: PayloadABI, depends: [UInt8]? = nil, xenDepends: [UInt8]? = nil, prelink: Bool = false,
        strip: Bool = false, trustSource: Bool = false
    ) {
        self.name = name
        self.abi = abi
        self.depends = depends
        self.xenDepends = xenDepends
        self.prelink = prelink
        self.strip = strip
        self.trustSource = trustSource
    }
}

/// What came of linking: a payload, or the reasons why there is none.
public struct LinkOutcome: Sendable, Equatable {
    /// nil when nothing runs differently, or when a diagnostic is an error.
    public var payload: Payload?
    public var diagnostics: [Diagnostic]
}

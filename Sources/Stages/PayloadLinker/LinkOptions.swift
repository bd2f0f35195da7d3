import XenVersions

/// What the linker has to know beside the changes.
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

extension LinkOptions.Metadata {
    /// `key=value` and a zero byte. What a host tool prints line by line has no lines of its own.
    var bytes: [UInt8] { Array("\(key)=\(value)".utf8.map { $0 < 32 ? UInt8(ascii: " ") : $0 }) + [0] }
}

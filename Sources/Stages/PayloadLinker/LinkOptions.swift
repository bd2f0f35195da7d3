import XenVersions

/// What the linker needs to know besides the changes.
package struct LinkOptions: Sendable, Equatable {
    /// Without suffix; see `PayloadName`.
    package var name: String
    package var abi: PayloadABI
    /// The hypervisor's version.
    package var xen: XenVersion
    /// The build-id that must be on top of the applied stack; nil takes the build-id that is on top now.
    package var depends: [UInt8]?
    /// The build-id of the hypervisor; nil takes the one in `xen-syms`.
    package var xenDepends: [UInt8]?
    /// Write addresses instead of names for the payload's references to the hypervisor.
    package var prelink: Bool
    /// Leave out the names of the payload's own functions and variables.
    package var strip: Bool
    /// Go on when the original does not reproduce the hypervisor.
    package var trustSource: Bool
    /// Let the hypervisor check the first bytes of old functions before it applies the payload.
    package var expect: Bool
    /// What the payload says about how it was made: keys and values for the host tool to show.
    package var metadata: [Metadata]

    /// Functions whose first bytes become NOPs.
    package var nops: [NOPs]

    /// A function's name, as in the hypervisor's symbol table, and the number of its bytes that become NOPs.
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
    /// `key=value` and a zero byte. Control characters become blanks, because host tools print an entry as one line.
    var bytes: [UInt8] { Array("\(key)=\(value)".utf8.map { $0 < 32 ? UInt8(ascii: " ") : $0 }) + [0] }
}

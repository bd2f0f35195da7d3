import TargetArchitecture
import XenSource
import XenVersions

/// Which loader a hypervisor has: its version, and the payload format that it understands.
package struct HypervisorLoader: Sendable, Equatable {
    package var version: XenVersion
    package var abi: PayloadABI

    package init(version: XenVersion, abi: PayloadABI) {
        self.version = version
        self.abi = abi
    }

    /// Reads it from a hypervisor: its functions `xen_major_version` and `xen_minor_version` are nothing but numbers, and its system call is
    /// named after the format.
    ///
    /// The point release is not known then. Format 2 is that of 4.14 and later: a tree into which it was brought earlier has to be asked
    /// itself.
    /// - Throws: `XenImageError` for a hypervisor without live patching, and for one that does not tell its version.
    package init(of image: XenImage, architecture: any TargetArchitecture) throws(XenImageError) {
        func number(_ name: String) -> Int? {
            image.global(name).flatMap { image.bytes(at: $0.address, count: Int(clamping: min($0.size, 32))) }
                .flatMap { architecture.returnedConstant($0) }.flatMap { Int(exactly: $0) }
        }
        let isOld = image.global("xsplice_op") != nil
        guard isOld || image.global("livepatch_op") != nil else {
            throw XenImageError(path: image.path, reason: "this hypervisor was built without live patching (CONFIG_LIVEPATCH)")
        }
        guard let major = number("xen_major_version"), let minor = number("xen_minor_version") else {
            throw XenImageError(path: image.path, reason: "does not tell its version", help: "give its source tree with -s")
        }
        let version = XenVersion(major: major, minor: minor)
        self.init(version: version, abi: isOld ? .xspliceV1 : version.livepatchFormat)
    }
}

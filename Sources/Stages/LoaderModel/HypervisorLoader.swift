import Diagnostics
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

    /// Reads the version and the format from a hypervisor's image: its functions `xen_major_version` and `xen_minor_version` only return
    /// a number, and its system call is named after the format.
    ///
    /// The point release stays unknown. Format 2 is assumed from 4.14 on. If an earlier tree got format 2 as a backport, only that tree
    /// can say so.
    /// - Throws: `InputError` for a hypervisor without live patching, and for one whose version can't be read.
    package init(of image: XenImage, architecture: any TargetArchitecture) throws(InputError) {
        func number(_ name: String) -> Int? {
            image.global(name).flatMap { image.bytes(at: $0.address, count: Int(clamping: min($0.size, 32))) }
                .flatMap { architecture.returnedConstant($0) }.flatMap { Int(exactly: $0) }
        }
        let isOld = image.global("xsplice_op") != nil
        guard isOld || image.global("livepatch_op") != nil else {
            throw InputError(file: image.path, reason: "this hypervisor was built without live patching (CONFIG_LIVEPATCH)")
        }
        guard let major = number("xen_major_version"), let minor = number("xen_minor_version") else {
            throw InputError(file: image.path, reason: "does not say its version", help: "give its source tree with -s")
        }
        let version = XenVersion(major: major, minor: minor)
        self.init(version: version, abi: isOld ? .xspliceV1 : version.livepatchFormat)
    }
}

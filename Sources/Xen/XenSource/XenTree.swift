import Diagnostics
import SystemPackage
import XenVersions

/// A recognised Xen source tree. This program only reads it.
package struct XenTree: Sendable, Equatable {
    /// The folder that holds `xen/`.
    package var top: FilePath
    package var version: XenVersion
    package var abi: PayloadABI

    /// The hypervisor's own folder.
    package var hypervisor: FilePath { top.appending("xen") }

    package init(top: FilePath, version: XenVersion, abi: PayloadABI) {
        self.top = top
        self.version = version
        self.abi = abi
    }
}

import Diagnostics
import SystemPackage

/// The version in `xen/Makefile`.
package struct XenVersion: Sendable, Equatable, Comparable, Codable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    /// XEN_EXTRAVERSION with make's variables left out: `.5`, `-unstable`, or empty.
    package var extra: String

    package init(major: Int, minor: Int, extra: String = "") {
        self.major = major
        self.minor = minor
        self.extra = extra
    }

    /// The number of the point release: 5 of `.5`, 3 of `.3-pre`; nil where it is not known.
    package var point: Int? { extra.hasPrefix(".") ? Int(extra.dropFirst().prefix { $0.isASCII && $0.isNumber }) : nil }

    package var description: String { "\(major).\(minor)\(extra)" }

    package static func < (a: XenVersion, b: XenVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}

/// A recognised Xen source tree. It is only ever read.
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

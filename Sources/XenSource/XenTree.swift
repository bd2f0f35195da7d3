import Diagnostics
import SystemPackage

/// The version in `xen/Makefile`.
public struct XenVersion: Sendable, Equatable, Comparable, Codable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    /// XEN_EXTRAVERSION with make's variables left out: `.5`, `-unstable`, or empty.
    public var extra: String

    public init(major: Int, minor: Int, extra: String = "") {
        self.major = major
        self.minor = minor
        self.extra = extra
    }

    /// The number of the point release: 5 of `.5`, 3 of `.3-pre`; nil where it is not known.
    public var point: Int? { extra.hasPrefix(".") ? Int(extra.dropFirst().prefix { $0.isASCII && $0.isNumber }) : nil }

    public var description: String { "\(major).\(minor)\(extra)" }

    public static func < (a: XenVersion, b: XenVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}

/// A recognised Xen source tree. It is only ever read.
public struct XenTree: Sendable, Equatable {
    /// The folder that holds `xen/`.
    public var top: FilePath
    public var version: XenVersion
    public var abi: PayloadABI

    /// The hypervisor's own folder.
    public var hypervisor: FilePath { top.appending("xen") }

    public init(top: FilePath, version: XenVersion, abi: PayloadABI) {
        self.top = top
        self.version = version
        self.abi = abi
    }
}

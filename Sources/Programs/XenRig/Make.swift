import Subprocess
import TestDrive

extension Tool {
    /// The variables through which an outer `make` would change an inner one: its job server, options and command-line overrides.
    package static let withoutOuterMake: [Environment.Key: String?] = [
        "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil,
    ]
}

extension TargetMachine {
    /// The variables that every call of make in a tree of Xen needs to build for this machine; empty when make does that by default.
    package var makeVariables: [String] {
        crossPrefix.isEmpty ? [] : ["XEN_TARGET_ARCH=\(name)", "CROSS_COMPILE=\(crossPrefix)"]
    }
}

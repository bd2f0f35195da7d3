import Subprocess
import TestDrive

extension Tool {
    /// Variables by which an outer `make` would change an inner one: its job server, options and command-line overrides.
    package static let withoutOuterMake: [Environment.Key: String?] = [
        "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil,
    ]
}

extension TargetMachine {
    /// What each call of make in a tree of Xen needs to build for this machine; nothing where that is what make does anyway.
    package var makeVariables: [String] {
        crossPrefix.isEmpty ? [] : ["XEN_TARGET_ARCH=\(name)", "CROSS_COMPILE=\(crossPrefix)"]
    }
}

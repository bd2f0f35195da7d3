import SystemPackage
import TestDrive

/// The small tree of the fixtures. It has Xen's layout and build, but no line of Xen. It is linked, never booted.
package enum MiniXen {
    /// The name of its folder in `Fixtures`.
    package static let name = "mini-xen"
    /// The version of Xen that it says it is.
    package static let version = "4.17"

    /// Builds the tree's hypervisor, in a second or two.
    ///
    /// - Parameters:
    ///   - fixtures: the project's folder `Fixtures`.
    ///   - copy: the folder to build in; it must not exist. The output of make goes to `COPY.log`.
    /// - Throws: `StepError` when make fails.
    package static func build(for machine: TargetMachine, fixtures: FilePath = ChangeCase.fixtures, in copy: FilePath) async throws -> HypervisorBuild {
        try await build(tree: fixtures.appending(name), for: machine, in: copy)
    }

    /// The same for a changed copy of the small tree.
    package static func build(tree: FilePath, for machine: TargetMachine, in copy: FilePath) async throws -> HypervisorBuild {
        try await Tool(name: "cp").output(["-r", "--", tree.string, copy.string])
        // Don't let settings for make in the user's environment change the build.
        let make = Tool(name: "make", environment: Tool.withoutOuterMake.merging(["CC": nil, "CFLAGS": nil]) { _, own in own })
        let arguments = ["-s", "-C", copy.appending("xen").string, BuildRecipe.date] + machine.makeVariables
        for goal in ["defconfig", "-j2"] { try await make.run(arguments + [goal], log: FilePath("\(copy).log")) }
        return HypervisorBuild(version: version, tree: copy, machine: machine)
    }
}

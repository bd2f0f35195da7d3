import SystemPackage
import TestDrive

/// The small tree of the fixtures: Xen's layout and build, and no line of Xen. It is linked, never booted.
package enum MiniXen {
    /// Of its folder in `Fixtures`.
    package static let name = "mini-xen"
    /// Of Xen.
    package static let version = "4.17"

    /// Builds its hypervisor, in a second or two.
    ///
    /// - Parameters:
    ///   - fixtures: the project's folder.
    ///   - copy: where to build it; must not exist. What make says goes to `COPY.log`.
    /// - Throws: `TestDriveError` when make fails.
    package static func build(for machine: TargetMachine, fixtures: FilePath = ChangeCase.fixtures, in copy: FilePath) async throws -> HypervisorBuild {
        try await Tool(name: "cp").output(["-r", "--", fixtures.appending(name).string, copy.string])
        // Other people's settings for make do not matter here.
        let make = Tool(name: "make", environment: Tool.withoutOuterMake.merging(["CC": nil, "CFLAGS": nil]) { _, own in own })
        let arguments = ["-s", "-C", copy.appending("xen").string, BuildRecipe.date] + machine.makeVariables
        for goal in ["defconfig", "-j2"] { try await make.run(arguments + [goal], log: FilePath("\(copy).log")) }
        return HypervisorBuild(version: version, tree: copy, machine: machine)
    }
}

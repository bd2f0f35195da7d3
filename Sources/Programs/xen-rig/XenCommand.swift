import ArgumentParser
import TestDrive
import XenRig

struct XenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "xen", abstract: "Gets and builds Xen; prints where it is.")

    @OptionGroup var rig: RigOptions

    @Flag(help: "Build the debug variant (CONFIG_DEBUG).")
    var debug = false

    func run() async throws {
        let xen = try DebianXen.of(suite: rig.suite)
        let machine = try rig.machine
        let build = try await xen.build(debug: debug, machine: machine, cache: rig.rigCache)
        let release = try await XenRelease.ofDebian(rig.archive)
        print(
            """
            version     \(release.version)
            source      \(release.source)
            build       \(build.tree)
            hypervisor  \(build.image)
            xen-syms    \(build.symbols)
            compiler    \(build.compilerName)
            """)
    }
}

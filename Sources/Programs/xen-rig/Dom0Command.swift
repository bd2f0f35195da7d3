import ArgumentParser

struct Dom0Command: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dom0", abstract: "Makes the dom0; prints where it is.")

    @OptionGroup var rig: RigOptions

    func run() async throws {
        let dom0 = try await rig.dom0()
        print(
            """
            package    \(dom0.kernelPackage)
            kernel     \(dom0.kernel)
            initramfs  \(dom0.initramfs)
            """)
    }
}

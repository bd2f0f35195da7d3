import ArgumentParser
import Diagnostics
import ELFModel
import LivepatchBuild
import LoaderModel
import Report
import SystemPackage
import XenSource
import XenVersions

/// `check`: shows how a hypervisor would respond to a payload, whichever program made it.
struct CheckCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say what a hypervisor would answer to a payload, without running it.",
        discussion: """
            Follows the hypervisor's loader from upload to unload, and looks at more than the loader does. Exit code 0 when all of it works, \
            \(ExitStatus.cannotBeLivePatched.rawValue) when the hypervisor would refuse the payload or be ruined by it, or when the check can't follow what happens.
            """)

    @Argument(help: ArgumentHelp("A payload file.", valueName: "payload"))
    var payload: String

    @Option(help: ArgumentHelp("The xen-syms of the hypervisor.", valueName: "file"))
    var xenSyms: String

    @Option(
        name: .customLong("on"),
        help: ArgumentHelp("A payload that is applied to the hypervisor. Give it again for each, bottom first.", valueName: "payload"))
    var applied: [String] = []

    @Option(
        name: [.customShort("s"), .customLong("srcdir")],
        help: ArgumentHelp(
            "The source tree of the hypervisor, for one whose version or payload format is not what its own code says.", valueName: "src"))
    var source: String?

    @Flag(help: "Write JSON.")
    var json = false

    func run(on console: Console) throws -> ExitStatus {
        let known = try HypervisorFile(xenSyms: xenSyms, source: source).read()
        let bytes = try InputFile.read(FilePath(payload))
        let stack = try loadStack(
            try applied.map { (path: FilePath($0), bytes: try InputFile.read(FilePath($0))) }, onto: known.image,
            architecture: known.architecture, abi: known.loader.abi, version: known.loader.version)
        let result = loadPayload(bytes, into: stack, architecture: known.architecture, abi: known.loader.abi, version: known.loader.version)
        let actions = PayloadActions(after: result, into: stack, architecture: known.architecture, loader: known.loader)
        let check = PayloadCheck(
            payload: payload, hypervisor: stack, loader: known.loader, architecture: known.architecture.name, result: result, actions: actions,
            more: wrongHypervisor(bytes, known.image))
        console.output.write(
            json ? try JSONText.encode(check, subject: payload) : CheckText.render(check, style: console.outputStyle) + "\n")
        return check.verdict == .good ? .written : .cannotBeLivePatched
    }

    /// Reports that the payload was made for another hypervisor. Before 4.20 the loader compares the build-ids last, and first reports another
    /// error: that a symbol is unknown.
    private func wrongHypervisor(_ bytes: [UInt8], _ image: XenImage) -> [PayloadCheck.Finding] {
        guard let file = try? ELFFile(bytes: bytes, name: payload, debugSections: false),
            let inspection = try? PayloadInspection(file, file: payload), let meant = inspection.xenDepends
        else { return [] }
        let actual = BuildIDNote.text(image.buildID)
        guard meant != actual else { return [] }
        return [
            .init(severity: .error, kind: "wrong-hypervisor", text: "it was made for the hypervisor with build-id \(meant), and this one has \(actual)")
        ]
    }
}

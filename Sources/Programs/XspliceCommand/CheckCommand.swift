import ArgumentParser
import Diagnostics
import ELFModel
import LivepatchBuild
import LoaderModel
import PayloadProof
import Report
import SignOff
import SystemPackage
import WorkFiles
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

    @Option(
        help: ArgumentHelp(
            "Also prove that the payload means what its objects say: a folder with original/ and patched/, as --keep-work leaves it in work/objects.",
            valueName: "objects"))
    var proof: String?

    @Flag(help: "Write JSON.")
    var json = false

    @Option(help: ArgumentHelp("Also write a page with the answers.", valueName: "file"))
    var html: String?

    func validate() throws {
        if html?.isEmpty == true { throw ValidationError("--html is given an empty name") }
    }

    func run(on console: Console) throws -> ProcessExit {
        let page = try html.map(OutputFile.page)
        let known = try HypervisorFile(xenSyms: xenSyms, source: source).read()
        let bytes = try InputFile.read(FilePath(payload))
        let stack = try known.stack(of: applied)
        let result = loadPayload(bytes, into: stack, architecture: known.architecture, abi: known.loader.abi, version: known.loader.version)
        let actions = PayloadActions(after: result, into: stack, loader: known.loader)
        let check = PayloadCheck(
            payload: payload, hypervisor: stack, loader: known.loader, architecture: known.architecture.name, result: result, actions: actions,
            proof: try proof.flatMap { try prove(result, with: FilePath($0), on: stack, known) }, more: wrongHypervisor(bytes, known.image))
        try page?.write(CheckPage(check, program: programVersion).document)
        console.output.write(
            json ? try JSONText.encode(check, subject: payload) : CheckText.render(check, style: console.outputStyle) + "\n")
        return check.verdict == .good ? .written : .cannotBeLivePatched
    }

    /// Holds a payload that the loader accepts against the objects that it was made from. No report says what the build decided, so names do.
    private func prove(_ result: LoadResult, with folder: FilePath, on stack: RunningHypervisor, _ known: HypervisorFile.Known) throws -> Proof? {
        let sides = [folder.appending("original"), folder.appending("patched")]
        let found = try sides.map { WorkFiles.isFolder($0) ? try DiffCommand.objects(in: $0) : [] }
        guard found.contains(where: { !$0.isEmpty }) else {
            throw UsageError("\(folder) has no objects in original/ and patched/", help: "a build with --keep-work leaves them in OUT/work/objects")
        }
        guard result.isAccepted else { return nil }
        let objects = try found[0].union(found[1]).sorted().compactMap { name in
            let paths = zip(sides, found).map { side, names in names.contains(name) ? side.pushing(FilePath(name)) : nil }
            return try ProofObject(name: name, original: paths[0], patched: paths[1])
        }
        return provePayload(
            ProofInput(
                loaded: result, running: stack, objects: objects, claim: ProofClaim(depends: result.depends), architecture: known.architecture,
                abi: known.loader.abi, version: known.loader.version))
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

extension HypervisorFile.Known {
    /// The hypervisor with the payloads of `--on`, bottom first.
    ///
    /// - Throws: `InputError` for a payload that can't be read, or that the hypervisor would not have loaded.
    func stack(of applied: [String]) throws -> RunningHypervisor {
        try loadStack(
            try applied.map { (path: FilePath($0), bytes: try InputFile.read(FilePath($0))) }, onto: image, architecture: architecture, abi: loader.abi,
            version: loader.version)
    }
}

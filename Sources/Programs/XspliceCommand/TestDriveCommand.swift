import ArgumentParser
import Diagnostics
import LivepatchBuild
import LoaderModel
import Report
import SystemPackage
import TestDrive
import WorkFiles
import XenSource
import XenVersions

/// `test-drive`: tries payloads in a booted hypervisor.
struct TestDriveCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "test-drive", abstract: "Boot a hypervisor under QEMU, and apply and revert payloads there.",
        discussion: """
            The payloads are uploaded and applied in the given order; one that depends on the hypervisor alone takes the place of those \
            before it. Then all is reverted, applied again where the hypervisor allows that, reverted and unloaded. The verdict is good \
            when every step works, every expectation is met, and neither the hypervisor nor the dom0's kernel complains; then the exit code is 0, \
            else \(ExitStatus.cannotBeLivePatched.rawValue).

            QEMU emulates the processor, so no KVM is needed. The dom0 is Debian's kernel with Xen's tools: --fetch-dom0 gets it once (80 MB).
            """)

    @Argument(help: ArgumentHelp("The payload files, in the order in which they are applied.", valueName: "payload"))
    var payloads: [String]

    @Option(help: ArgumentHelp("The hypervisor to boot: xen.gz, or xen/xen of the build.", valueName: "file"))
    var xen: String

    @Option(help: ArgumentHelp("The xen-syms of that hypervisor.", valueName: "file"))
    var xenSyms: String

    @Option(
        name: [.customShort("s"), .customLong("srcdir")],
        help: ArgumentHelp(
            "The source tree of the hypervisor, for one whose version or payload format is not what its own code says.", valueName: "src"))
    var source: String?

    @Option(
        help: ArgumentHelp(
            "A command for the dom0's shell and, after the last equals sign, words that its output must have before anything is applied and after everything is reverted.",
            valueName: "cmd=text"), transform: ExpectationArgument.parse)
    var expectBefore: [ExpectationArgument] = []

    @Option(help: ArgumentHelp("The same while the payloads are applied.", valueName: "cmd=text"), transform: ExpectationArgument.parse)
    var expectAfter: [ExpectationArgument] = []

    @Flag(name: .customLong("fetch-dom0"), help: "Get the dom0 from Debian where it is not there yet.")
    var fetchDom0 = false

    @OptionGroup var cache: CacheFolderOption

    @Option(name: .customLong("dom0-dir"), help: ArgumentHelp("Where dom0s are kept. Default: dom0 in the cache folder.", valueName: "dir"))
    var dom0Folder: String?

    @Option(help: ArgumentHelp("Where the console's output goes. Default: test-drive.log beside the first payload.", valueName: "file"))
    var log: String?

    @Option(help: ArgumentHelp("The output folder of the build that made the payload: its page gets what the test drive showed.", valueName: "out"))
    var report: String?

    @Option(help: ArgumentHelp("How long the machine may run.", valueName: "seconds"))
    var timeLimit = 300

    func validate() throws {
        guard !payloads.isEmpty else { throw ValidationError("give a payload to drive") }
        guard (1...86_400).contains(timeLimit) else { throw ValidationError("--time-limit takes a number of seconds from 1 to 86400") }
    }

    var interruption: String { "interrupted: the machine was stopped, and there is no verdict" }

    var isResultText: Bool { false }

    func run(on console: Console) async throws -> ProcessExit {
        let known = try HypervisorFile(xenSyms: xenSyms, source: source).read()
        let logPath = log.map { FilePath($0) } ?? FilePath(payloads[0]).removingLastComponent().appending("test-drive.log")
        _ = try OutputFile.log(logPath)
        let page = try report.map { try DrivenPage(in: FilePath($0), payloads: payloads) }
        let terminal = Terminal(console)
        let drive = TestDrive(
            payloads: try planned(on: known), before: expectBefore.map(\.expectation), after: expectAfter.map(\.expectation))
        _ = try drive.scenario()
        let image = try bootImage(of: known.image)
        let dom0 = try await findDom0(for: known, console)
        terminal.say("Xen \(known.loader.version) \(known.architecture.name) under QEMU (no KVM), dom0 \(dom0.kernelPackage)")
        // Boot a copy of the bytes that were checked: the file itself may change in the meantime.
        let copy = try TemporaryFile(image)
        defer { copy.remove() }
        var boot = Boot(hypervisor: copy.path, dom0: dom0)
        boot.timeLimit = .seconds(timeLimit)
        let result = try await drive.run(on: boot)
        let exit = Self.conclude(result, log: logPath, on: console)
        try page?.add(result)
        return exit
    }

    /// Writes the log, and prints the result. A log that can't be written doesn't change the verdict.
    ///
    /// - Returns: the exit code.
    static func conclude(_ result: TestDriveResult, log: FilePath, on console: Console) -> ProcessExit {
        var failure: WorkFileError?
        do throws(WorkFileError) {
            try WorkFiles.writeAtomically(Array(result.log.utf8), to: log)
        } catch {
            failure = error
        }
        console.output.write(TestDriveText.render(result, log: failure == nil ? log.string : nil, style: console.outputStyle) + "\n")
        if let failure { console.error.write(DiagnosticText.render(failure, style: console.errorStyle) + "\n") }
        guard result.verdict == .good else { return .cannotBeLivePatched }
        return failure == nil ? .written : .internalFault
    }

    /// The planned actions for each payload, as far as the model of the loader can predict them.
    private func planned(on known: HypervisorFile.Known) throws -> [TestDrive.Payload] {
        guard known.loader.abi.format == .livepatch else {
            throw UsageError("payloads of format \(known.loader.abi.displayName) can't be driven: Debian has no \(known.loader.abi.hostTool)")
        }
        var stack = RunningHypervisor(known.image)
        return try payloads.map { text in
            let path = FilePath(text), bytes = try InputFile.read(path)
            let result = loadPayload(bytes, into: stack, architecture: known.architecture, abi: known.loader.abi, version: known.loader.version)
            let answers = PayloadActions(after: result, into: stack, loader: known.loader).answers
            let replaces = answers.contains { $0.action == .replace }
            if replaces { stack = RunningHypervisor(known.image) }
            if result.isAccepted { stack.apply(AppliedPayload(result, path: path)) }
            return TestDrive.Payload(
                name: path.stem ?? text, bytes: bytes, replaces: replaces,
                mayBeAppliedAgain: answers.contains { $0.action == .applyAgain && $0.outcome == .done })
        }
    }

    private func findDom0(for known: HypervisorFile.Known, _ console: Console) async throws -> Dom0 {
        let root = try dom0Folder.map { FilePath($0) } ?? cache.locate(console).appending("dom0")
        // Whoever can change the dom0 decides what it answers, and so the verdict.
        if let resolved = WorkFiles.resolved(root), let access = try WorkFiles.foreignAccess(to: resolved) {
            throw UsageError("dom0 folder \(root): it \(access)", help: "name a folder of your own with --dom0-dir")
        }
        let store = FolderCache(root: root) { console.error.write("\($0)\n") }
        let machine = try TargetMachine.named(known.architecture.name)
        let suite = Dom0Suite.speaking(to: known.loader.version)
        if let dom0 = try suite.existingDom0(for: machine, cache: store) { return dom0 }
        guard fetchDom0 else {
            throw UsageError(
                "there is no dom0 of Debian \(suite.suiteName(for: machine)) for \(machine) in \(root), as Xen \(known.loader.version) needs",
                help: "--fetch-dom0 gets Debian's kernel and Xen's tools, about 80 MB")
        }
        return try await suite.dom0(for: machine, cache: store)
    }

    /// The file that QEMU boots, unpacked if necessary. Checks that it belongs to `image`.
    private func bootImage(of image: XenImage) throws -> [UInt8] {
        var bytes = try InputFile.read(FilePath(xen))
        if bytes.starts(with: [0x1f, 0x8b]) {
            guard let unpacked = gunzip(bytes, limit: 64 << 20) else { throw UsageError("\(xen): is damaged, or unpacks to more than 64 MiB") }
            bytes = unpacked
        }
        guard bytes.firstRange(of: image.buildID) != nil else {
            throw UsageError(
                "\(xen): is not the hypervisor of \(image.path): its build-id \(BuildIDNote.text(image.buildID)) is not in it",
                help: "give the xen.gz that the same build left")
        }
        return bytes
    }
}

/// `CMD=TEXT`: the text comes after the last equals sign. An empty text is refused, because every output would match it.
struct ExpectationArgument: FormedArgument {
    static let form = "COMMAND=TEXT; the text must not be empty"
    var expectation: TestDrive.Expectation

    init?(argument: String) {
        guard let sign = argument.lastIndex(of: "="), sign > argument.startIndex else { return nil }
        let text = argument[argument.index(after: sign)...]
        guard !text.isEmpty else { return nil }
        expectation = TestDrive.Expectation(command: String(argument[..<sign]), text: String(text))
    }
}

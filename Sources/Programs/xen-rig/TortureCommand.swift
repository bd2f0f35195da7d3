import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles
import XenRig

/// Tries the program with random patches whose right answer is known.
struct TortureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture", abstract: "Tries the program with random patches whose right answer is known.",
        discussion: """
            The rig makes sources and changes them by a model that gives every variable a number. It compiles them itself with the numbers as \
            names, and compares each reference of the payload with what the compiler meant. Docs/Torture.md says more.
            """)

    @OptionGroup var project: ProjectOptions

    @Option(help: ArgumentHelp("The seed of the random numbers. Default: another each time.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How many patches.", valueName: "number"))
    var count = 300

    @Option(help: "The architecture to build for: x86_64, arm64 or arm32.")
    var architecture = TargetMachine.x86_64.name

    @Option(help: ArgumentHelp("The tree: mini, or a version of Debian's Xen such as 4.17.", valueName: "tree"))
    var xen = "mini"

    @Flag(help: "The hypervisor has Xen's own checks; the small one is less optimised.")
    var debug = false

    @Option(name: .customLong("case"), help: ArgumentHelp("Only this case of the seed, which is written down in any case.", valueName: "number"))
    var only: Int?

    @Option(help: ArgumentHelp("How many failures to reduce to a small patch.", valueName: "number"))
    var reduce = 3

    @Option(help: ArgumentHelp("The folder for patches that go wrong.", valueName: "folder"))
    var failures = "torture-failures"

    @Option(help: ArgumentHelp("A folder for the tree and all that is made of it, which is then kept. What is in it is removed first.", valueName: "folder"))
    var work: String?

    @Option(help: "The folder for what is slow to get. Default: $XSPLICE_RIG_CACHE, else .cache")
    var cache: String?

    func validate() throws {
        guard count > 0 else { throw ValidationError("--count takes a number above 0") }
    }

    func run() async throws {
        let seed = seed ?? UInt64.random(in: 1...999_999)
        say("seed \(seed), \(count) patches, \(xen) \(architecture)\(debug ? " debug" : "")\n")
        let machine = try TargetMachine.named(architecture)
        let rigCache = cache.map { FolderCache(root: FilePath($0), tell: RigCommand.tell) } ?? .standard(tell: RigCommand.tell)
        var run = TortureRun(
            seed: seed, count: count, base: try base(), debug: debug, machine: machine, program: project.program, fixtures: project.fixturesFolder,
            cache: rigCache, failures: WorkFiles.absolute(FilePath(failures)), tell: RigCommand.tell)
        run.only = only
        run.reductions = reduce
        run.kept = work.map { WorkFiles.absolute(FilePath($0)) }
        let table = try await run.run()
        say(table.text)
        guard table.noticed == table.broken else { throw StepError("the judge did not notice \(table.broken - table.noticed) broken payloads") }
        guard table.faults == 0 else { throw StepError("\(table.faults) patches went wrong", help: "they are in \(failures)") }
    }

    /// Standard output at once: the errors that follow go another way.
    private func say(_ text: String) { _ = try? FileDescriptor.standardOutput.writeAll(text.utf8) }

    private func base() throws -> TortureTree.Base {
        if xen == "mini" { return .mini }
        guard let found = DebianXen.all.first(where: { $0.version == xen }) else {
            throw StepError("no Xen \(xen) is known", help: "known are mini, \(DebianXen.all.map(\.version).joined(separator: ", "))", exitCode: .usage)
        }
        return .debian(found)
    }
}

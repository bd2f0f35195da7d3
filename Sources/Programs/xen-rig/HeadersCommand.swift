import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles
import XenRig

/// Changes headers at random, and sees whether an object that differs was left out.
struct HeadersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headers", abstract: "Changes headers at random, and sees whether an object that differs was left out.",
        discussion: """
            For each change the program runs with --spare-by-declarations, and then with --compile-all. What the first run did not compile must be the same on both \
            sides in the second. Each change takes as long as compiling all objects that read the header.
            """)

    @OptionGroup var rig: RigOptions
    @OptionGroup var started: ProgramOptions

    @Option(help: ArgumentHelp("The seed of the random numbers.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How many changes.", valueName: "number"))
    var count = 20

    @Option(name: .customLong("case"), help: ArgumentHelp("Only this change of the seed.", valueName: "number"))
    var only: Int?

    @Option(name: .customLong("hypervisor"), help: ArgumentHelp("4.17, 4.20-arm64...", valueName: "name"))
    var hypervisor = XenTarget.standard.name

    func validate() throws {
        guard count > 0 else { throw ValidationError("--count takes a number above 0") }
    }

    func run() async throws {
        let known = XenTarget.debian + XenTarget.flavoured
        guard let target = known.first(where: { $0.name == hypervisor }) else {
            throw StepError("no hypervisor is called '\(hypervisor)'", help: "they are \(known.map(\.name).joined(separator: ", "))", exitCode: .usage)
        }
        var run = HeaderRun(
            seed: seed, count: count, target: target, program: WorkFiles.absolute(FilePath(started.xspliceBuild)), cache: rig.rigCache, tell: RigCommand.tell)
        run.only = only
        let table = try await run.run()
        print(table.text, terminator: "")
        guard table.faults.isEmpty else { throw StepError("\(table.faults.count) faults: an object that differs was left out, or the runs differ") }
    }
}

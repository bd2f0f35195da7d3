import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles
import XenRig

/// Compares the program's result for every fixture with the files under `Fixtures/golden`.
struct GoldenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "golden", abstract: "Holds payloads, exit codes and diagnostics of all fixtures against those that were written down.",
        discussion: """
            One file a hypervisor: FIXTURES/golden/NAME.txt, with one line a fixture: exit code, SHA-256 of the payload, identifiers of the \
            diagnostics. NAME-debug.txt has the fixtures for a debug build. With another compiler, assembler or build of the hypervisor the \
            payloads have other bytes: then the digests are not compared, and the summary says so. A debug build of a real Xen has another \
            build-id in each cache folder.
            """)

    @OptionGroup var rig: RigOptions
    @OptionGroup var project: ProjectOptions

    @Option(
        name: .customLong("hypervisor"),
        help: ArgumentHelp("Only this one: mini-xen, mini-xen-arm64, 4.17, 4.20-arm64... May be given again. Default: all.", valueName: "name"))
    var hypervisors: [String] = []

    @Flag(help: "Only the small trees, which are built in seconds and need no package of a hypervisor.")
    var small = false

    @Flag(help: "Write the files anew.")
    var update = false

    func run() async throws {
        let all = XenTarget.all.filter { $0.isSmall || !small }
        let known = all + XenTarget.flavoured
        if let unknown = hypervisors.first(where: { name in !known.contains { $0.name == name } }) {
            throw StepError(
                "no hypervisor is called '\(unknown)'", help: "they are \(known.map(\.name).joined(separator: ", "))", exitCode: .usage)
        }
        let wanted = hypervisors.isEmpty ? all : known.filter { hypervisors.contains($0.name) }
        var differences = 0
        let runs = try wanted.flatMap { target in
            [false, true].map { GoldenRun(target, debug: $0, program: project.program, fixtures: project.fixturesFolder, cache: rig.rigCache) }
        }.filter { try !$0.isEmpty() }
        for run in runs {
            let file = project.fixturesFolder.appending("golden/\(run.name).txt")
            let made = try await run.run()
            if update {
                try WorkFiles.makeFolder(file.removingLastComponent())
                try WorkFiles.writeAtomically(Array(made.text.utf8), to: file)
                print("\(run.name): \(made.lines.count) fixtures written down")
                continue
            }
            guard let before = try? WorkFiles.readText(file) else { throw StepError("\(file) can't be read", help: "make golden-update writes it") }
            let found = GoldenFile(text: before).differences(to: made)
            for line in found.lines { print("\(run.name): \(line)") }
            differences += found.lines.count
            print("\(run.name): \(made.lines.count) fixtures, \(found.lines.count) differ\(found.remark)")
        }
        guard differences == 0 else { throw StepError("\(differences) fixtures came out another way than they did") }
    }
}

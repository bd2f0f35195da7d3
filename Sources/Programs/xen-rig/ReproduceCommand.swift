import ArgumentParser
import Diagnostics
import TestDrive
import XenRig

/// Builds payloads twice, under conditions that differ but must not change the payloads.
struct ReproduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Builds the same payloads under two sets of conditions, and compares their bytes.")

    @OptionGroup var rig: RigOptions

    @OptionGroup var project: ProjectOptions

    func run() async throws {
        let reproduction = Reproduction(
            program: project.program, release: try await XenRelease.ofDebian(rig.archive),
            build: try await DebianXen.of(suite: rig.suite).build(machine: rig.machine, cache: rig.rigCache), fixtures: project.fixturesFolder,
            folder: rig.rigCache.root.appending("reproduce"), tell: RigCommand.tell)
        let results = try await reproduction.run()
        for result in results {
            print("\(result.change): \(result.sizes.0) and \(result.sizes.1) bytes, \(result.isSame ? "the same" : "different")")
        }
        let differing = results.filter { !$0.isSame }.map(\.change)
        guard differing.isEmpty else { throw StepError("not reproduced: \(differing.joined(separator: ", ")); see \(reproduction.folder)") }
        print("Reproduced.")
    }
}

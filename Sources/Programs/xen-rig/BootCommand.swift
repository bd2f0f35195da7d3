import ArgumentParser
import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

struct BootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Boots a hypervisor with a dom0 under QEMU and runs commands in the dom0.",
        discussion: """
            Commands run in /payloads with busybox, xen-livepatch, xl and a few more of Xen's tools. The exit code is that of the \
            first command that fails.
            """)

    @OptionGroup var rig: RigOptions

    @Option(help: ArgumentHelp("The hypervisor to boot (xen/xen of a build).", valueName: "file"))
    var hypervisor: String

    @Option(name: .customLong("payload"), help: ArgumentHelp("A file to have in /payloads. May be repeated.", valueName: "file"))
    var payloads: [String] = []

    @Option(name: .customLong("step"), parsing: .unconditionalSingleValue, help: ArgumentHelp("A shell command to run. May be repeated.", valueName: "command"))
    var steps: [String] = []

    @Option(help: ArgumentHelp("Seconds before the machine is switched off.", valueName: "seconds"))
    var timeLimit = 300

    @Option(help: ArgumentHelp("Write all that came over the serial line to this file.", valueName: "file"))
    var log: String?

    @Option(name: .customLong("xen-option"), parsing: .unconditionalSingleValue, help: ArgumentHelp("A word for Xen's command line.", valueName: "word"))
    var xenOptions: [String] = []

    @Option(help: ArgumentHelp("How many processors the machine has. Default: 2.", valueName: "number"))
    var processors: Int?

    func validate() throws {
        if let processors, processors < 1 { throw ValidationError("--processors takes a number above 0") }
        guard timeLimit > 0 else { throw ValidationError("--time-limit takes a number of seconds above 0") }
    }

    func run() async throws {
        var scenario = Scenario()
        for payload in payloads { try scenario.take(FilePath(payload)) }
        for (index, command) in steps.enumerated() { scenario.step("\(index + 1)", command) }
        var boot = Boot(hypervisor: FilePath(hypervisor), dom0: try await rig.dom0())
        boot.timeLimit = .seconds(timeLimit)
        boot.xenOptions = xenOptions
        if let processors { boot.processors = processors }
        let machine = try await boot.run(scenario)
        if let log { try WorkFiles.writeAtomically(Array(machine.log.utf8), to: FilePath(log)) }
        for (step, command) in zip(machine.steps, steps) {
            print("$ \(command)")
            for line in step.xenLog { print("(XEN) \(line)") }
            if !step.output.isEmpty { print(step.output) }
            if let code = step.exitCode, code != 0 { print("exit code \(code)") }
        }
        RigCommand.tell("the machine ran for \(machine.duration.inSeconds)")
        try machine.requireFinished()
        if let code = machine.steps.lazy.compactMap(\.exitCode).first(where: { $0 != 0 }) {
            throw ExitCode(Int32(code))
        }
    }
}

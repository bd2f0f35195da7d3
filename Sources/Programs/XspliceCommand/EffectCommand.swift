import ArgumentParser
import CallGraph
import Diagnostics
import LivepatchBuild
import LoaderModel
import Report
import SystemPackage
import XenSource

/// `effect`: shows when functions of a hypervisor run.
struct EffectCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "effect", abstract: "Say when functions of a hypervisor run: whether a fix to them has an effect on a machine that is up.",
        discussion: """
            For each function: when it runs, and the shortest way to it, from where an interrupt, a hypercall and so on begins. Without functions: how \
            many there are of each kind.
            """)

    @Option(help: ArgumentHelp("The xen-syms of the hypervisor.", valueName: "file"))
    var xenSyms: String

    @Option(
        name: .customLong("on"),
        help: ArgumentHelp("A payload that is applied to the hypervisor. Give it again for each, bottom first.", valueName: "payload"))
    var applied: [String] = []

    @Flag(help: "Write JSON, with all functions if none is named.")
    var json = false

    @Argument(help: ArgumentHelp("Functions, static ones as NAME or FILE#NAME.", valueName: "function"))
    var functions: [String] = []

    func run(on console: Console) throws -> ProcessExit {
        let known = try HypervisorFile(xenSyms: xenSyms, source: nil).read()
        let stack = try known.stack(of: applied)
        let reading = try HypervisorReading(of: known.image, architecture: known.architecture, version: known.loader.version)
        let reachability = Reachability(try reading.graph(with: stack.payloads))
        guard reachability.isKnown else {
            throw InputError(file: known.image.path, reason: "does not have the functions that hypercalls, interrupts and the idle loop begin with")
        }
        let listing = EffectListing(known.image, reachability, names: functions)
        if let missing = listing.missing.first {
            throw UsageError("this hypervisor has no function '\(missing)'", help: "a compiler may have inlined it, or given it another name")
        }
        console.output.write(
            json ? try JSONText.encode(listing, subject: xenSyms) : EffectText.render(listing, isWhole: functions.isEmpty, style: console.outputStyle) + "\n")
        return .written
    }
}

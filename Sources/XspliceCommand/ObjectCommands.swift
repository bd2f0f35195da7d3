import ArgumentParser
import DebugInfo
import Diagnostics
import ELFModel
import ObjectDiff
import Report
import SystemPackage
import XenSource

/// `diff`: what differs between two objects, without a payload.
struct DiffCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say which functions and data differ between two objects.")

    @Argument(help: ArgumentHelp("The object compiled from the original source.", valueName: "original.o"))
    var original: String

    @Argument(help: ArgumentHelp("The object compiled from the patched source.", valueName: "patched.o"))
    var patched: String

    @Flag(help: "Write JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "The version of Xen that the objects belong to: it decides the layout of special sections.", valueName: "version"))
    var xenVersion = "4.17"

    func run(on console: Console) throws -> ExitStatus {
        let numbers = xenVersion.split(separator: ".").map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else {
            throw UsageError("--xen-version takes two numbers, as in 4.17, not '\(xenVersion)'")
        }
        let (from, to) = (FilePath(original), FilePath(patched))
        let machine = try ELFFile.read(from, debugSections: false).header.machine
        guard let architecture = Architectures.known.first(where: { $0.machine == machine }) else {
            throw UsageError("\(original): is for a machine that this version does not know (ELF machine \(machine))")
        }
        let patchedMachine = try ELFFile.read(to, debugSections: false).header.machine
        guard patchedMachine == machine else {
            throw UsageError("\(patched): is for another machine than \(original)")
        }
        var changes = [
            compareObjects(
                objectName: original, source: original,
                original: try ObjectToCompare(at: from, architecture: architecture),
                patched: try ObjectToCompare(at: to, architecture: architecture), architecture: architecture,
                xenVersion: (major, minor), hooksPrefix: PayloadABI.livepatchV2.hooksPrefix)
        ]
        let layouts = try compareLayouts(&changes) { _, side, withUses in
            try TypeInfo.read(side == .original ? from : to, withUses: withUses)
        }
        let comparison = ObjectComparison(changes[0], layouts: layouts, original: original, patched: patched)
        guard !json else {
            console.output.write(try JSONText.encode(comparison, subject: original))
            return .written
        }
        console.output.write(ListingText.render(comparison, style: console.outputStyle) + "\n")
        if !comparison.diagnostics.isEmpty {
            console.error.write("\n" + DiagnosticText.render(comparison.diagnostics, layouts: layouts, style: console.errorStyle) + "\n")
        }
        return .written
    }
}

/// `inspect`: what a payload says about itself.
struct InspectCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Say what a payload holds, whoever made it.")

    @Argument(help: ArgumentHelp("A payload file.", valueName: "payload"))
    var payload: String

    @Flag(help: "Write JSON.")
    var json = false

    func run(on console: Console) throws -> ExitStatus {
        let file = try ELFFile.read(FilePath(payload))
        let architecture = Architectures.known.first { $0.machine == file.header.machine }
        let inspection = try PayloadInspection(file, file: payload) { architecture?.relocationKind($0)?.name }
        console.output.write(
            json
                ? try JSONText.encode(inspection, subject: payload)
                : ListingText.render(inspection, style: console.outputStyle) + "\n")
        return .written
    }
}

/// `explain`: the catalogue of diagnostics.
struct ExplainCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain a diagnostic, or list them all.")

    @Argument(help: ArgumentHelp("What stands in the brackets of error[...].", valueName: "identifier"))
    var identifier: String?

    @Flag(help: .hidden)
    var markdown = false

    func run(on console: Console) throws(UsageError) -> ExitStatus {
        let style = console.outputStyle
        if markdown {
            console.output.write(DiagnosticCatalogue.markdown())
        } else if let identifier {
            guard let id = DiagnosticID(rawValue: identifier) else {
                throw UsageError(
                    "no diagnostic is called '\(identifier)'", help: "xsplice-build explain lists all that there are")
            }
            console.output.write(DiagnosticCatalogue.text(DiagnosticCatalogue.entry(id), style: style) + "\n")
        } else {
            let width = DiagnosticID.allCases.map(\.rawValue.count).max() ?? 0
            for entry in DiagnosticCatalogue.entries {
                console.output.write("\(entry.id.rawValue.padding(to: width))  \(style.shown(entry.title))\n")
            }
        }
        return .written
    }
}

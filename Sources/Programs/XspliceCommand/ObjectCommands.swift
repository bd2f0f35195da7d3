import ArgumentParser
import Diagnostics
import ELFModel
import LivepatchBuild
import Report
import SystemPackage

/// `inspect`: shows the contents of a payload.
struct InspectCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Say what a payload holds, whoever made it.")

    @Argument(help: ArgumentHelp("A payload file.", valueName: "payload"))
    var payload: String

    @Flag(help: "Write JSON.")
    var json = false

    func run(on console: Console) throws -> ExitStatus {
        let file = try ELFFile.read(FilePath(payload))
        let architecture = Architectures.of(machine: file.header.machine)
        let inspection = try PayloadInspection(file, file: payload, architecture: architecture?.name) { architecture?.relocationKind($0)?.name }
        console.output.write(
            json
                ? try JSONText.encode(inspection, subject: payload)
                : ListingText.render(inspection, style: console.outputStyle) + "\n")
        return .written
    }
}

/// `explain`: prints the catalogue of diagnostics, or one entry of it.
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

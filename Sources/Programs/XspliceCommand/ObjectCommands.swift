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

    func run(on console: Console) throws -> ProcessExit {
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

    @Argument(help: ArgumentHelp("The word in the brackets of error[...], warning[...] or note[...].", valueName: "identifier"))
    var identifier: String?

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: .hidden)
    var markdown = false

    /// All entries, as JSON.
    private struct Catalogue: Encodable {
        var diagnostics = DiagnosticCatalogue.entries
    }

    func run(on console: Console) throws -> ProcessExit {
        let style = console.outputStyle
        if markdown {
            console.output.write(DiagnosticCatalogue.markdown())
        } else if let identifier {
            // As it is printed, too: `error[layout-changed]:`.
            let word = identifier.split(separator: "[").last?.prefix { $0 != "]" }.lowercased() ?? ""
            guard let id = DiagnosticID(rawValue: word) else {
                throw UsageError("no diagnostic is called '\(identifier)'", help: "xsplice-build explain lists all of them")
            }
            let entry = DiagnosticCatalogue.entry(id)
            console.output.write(
                json ? try JSONText.encode(entry, subject: word) : DiagnosticCatalogue.text(entry, style: style) + "\n")
        } else {
            console.output.write(
                json ? try JSONText.encode(Catalogue(), subject: "catalogue") : DiagnosticCatalogue.list(style: style) + "\n")
        }
        return .written
    }
}

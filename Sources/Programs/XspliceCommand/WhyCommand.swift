import ArgumentParser
import Diagnostics
import ELFModel
import LivepatchBuild
import Report
import SystemPackage
import WorkFiles

/// `why`: shows which change is the reason that something is in a payload.
struct WhyCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say why each thing is in a payload, from the report of the run that made it.",
        discussion: """
            For each function and variable: what differs first between the original and the patched version, and the way from it to the \
            change that it is included for.
            """)

    @Argument(help: ArgumentHelp("The output folder of a run, or its report.json.", valueName: "out"))
    var report: String

    @Argument(help: ArgumentHelp("Only this function or variable.", valueName: "symbol"))
    var symbol: String?

    func run(on console: Console) throws -> ProcessExit {
        let style = console.outputStyle
        let reports = try BuildReport.readAll(of: FilePath(report))
        let texts = reports.compactMap { report in
            WhyText.render(report, symbol: symbol, style: style).map { reports.count > 1 ? "\(report.tree.architecture):\n\n\($0)" : $0 }
        }
        guard !texts.isEmpty else {
            if let symbol {
                throw UsageError(
                    "nothing called '\(symbol)' is in the payload of \(self.report)", help: "xsplice-build why \(self.report) lists everything in it")
            }
            let reasons = reports.flatMap { report in
                report.diagnostics.filter { $0.severity == .error }.map { DiagnosticText.line($0, style: style) } + [report.failure].compactMap(\.self)
            }
            throw UsageError(
                "\(self.report): that run made no payload (\(reports.map(\.outcome.rawValue).joined(separator: ", ")))",
                help: reasons.isEmpty ? nil : reasons.joined(separator: "\n"))
        }
        console.output.write(texts.joined(separator: "\n\n") + "\n")
        return .written
    }
}

import Diagnostics

/// What a batch of builds did: the value that `batch.json` has, and that the table at the batch's end shows.
package struct BatchReport: Sendable, Equatable, Codable {
    package static let currentSchema = 1

    /// One fix for one hypervisor.
    package struct Run: Sendable, Equatable, Codable {
        package var fix: String
        package var hypervisor: String
        /// The exit code of `build` for this fix and this hypervisor alone.
        package var exitCode: ExitStatus
        /// The folder with `report.json`, if the run wrote one, with the run's output in `output.txt`, and with the logs.
        package var folder: String
        /// The payload's file; nil if there is none.
        package var payload: String?
        package var milliseconds: Int

        package init(fix: String, hypervisor: String, exitCode: ExitStatus, folder: String, payload: String?, milliseconds: Int) {
            self.fix = fix
            self.hypervisor = hypervisor
            self.exitCode = exitCode
            self.folder = folder
            self.payload = payload
            self.milliseconds = milliseconds
        }
    }

    package var generator: String
    package var schemaVersion: Int
    /// The exit code of the worst run.
    package var exitCode: ExitStatus
    /// In the order of the manifest.
    package var runs: [Run]
    package var milliseconds: Int

    package init(_ runs: [Run], milliseconds: Int) {
        generator = BuildReport.generatorName
        schemaVersion = Self.currentSchema
        exitCode = ExitStatus.worst(runs.map(\.exitCode))
        self.runs = runs
        self.milliseconds = milliseconds
    }

    /// The content of the file until the batch ends, and after an interruption.
    package static var begun: BatchReport {
        var report = BatchReport([], milliseconds: 0)
        report.exitCode = .interrupted
        return report
    }
}

extension ExitStatus {
    /// From good to bad, as for outcomes. A run that could not begin is worse than all that did.
    private static let order: [Self] = [
        .written, .nothingToPatch, .cannotBeLivePatched, .originalDiffers, .buildFailed, .patchDoesNotApply, .usage, .internalFault, .interrupted,
    ]

    /// - Returns: `.written` for no runs at all.
    static func worst(_ all: [Self]) -> Self { order.last { all.contains($0) } ?? .written }

    /// The word in a cell of the table.
    var word: String {
        switch self {
        case .written: "written"
        case .nothingToPatch: "nothing to patch"
        case .cannotBeLivePatched: "refused"
        case .originalDiffers: "original differs"
        case .buildFailed: "build failed"
        case .patchDoesNotApply: "does not apply"
        case .usage: "wrong input"
        case .internalFault: "fault"
        case .interrupted: "interrupted"
        }
    }
}

/// The text of batches.
package enum BatchText {
    /// `20 builds: 18 written, 2 refused`.
    package static func line(_ report: BatchReport) -> String {
        let counts = ExitStatus.allCases.compactMap { status in
            let count = report.runs.count { $0.exitCode == status }
            return count == 0 ? nil : "\(grouped(count)) \(status.word)"
        }
        return "\(counted(report.runs.count, "build")): \(counts.joined(separator: ", "))"
    }

    /// A row for each fix, a column for each hypervisor.
    package static func table(_ report: BatchReport, style: TextStyle) -> String {
        var fixes: [String] = [], hypervisors: [String] = []
        for run in report.runs {
            if !fixes.contains(run.fix) { fixes.append(run.fix) }
            if !hypervisors.contains(run.hypervisor) { hypervisors.append(run.hypervisor) }
        }
        let first = max("fix".count, fixes.map(\.count).max() ?? 0)
        func word(_ fix: String, _ hypervisor: String) -> (text: String, isGood: Bool?) {
            guard let run = report.runs.first(where: { $0.fix == fix && $0.hypervisor == hypervisor }) else { return (style.none, nil) }
            return (run.exitCode.word, run.exitCode == .written)
        }
        let widths = hypervisors.map { name in max(name.count, fixes.map { word($0, name).text.count }.max() ?? 0) }
        let head = "  " + "fix".padded(to: first) + zip(hypervisors, widths).map { "   " + $0.padded(to: $1) }.joined()
        let rows = fixes.map { fix in
            "  " + fix.padded(to: first)
                + zip(hypervisors, widths).map { name, width in
                    let (text, isGood) = word(fix, name)
                    let padded = text.padded(to: width)
                    return "   " + (isGood.map { style.paint(padded, $0 ? .green : .yellow) } ?? padded)
                }.joined()
        }
        return ([style.paint(head, .faint)] + rows).joined(separator: "\n")
    }
}

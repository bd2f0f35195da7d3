import Diagnostics
import Report

/// A page that leads to others: fixes and hypervisors as a grid, each cell with its ending.
package struct OverviewPage: Sendable {
    /// One build.
    package struct Cell: Sendable, Equatable {
        package var row: String
        package var column: String
        package var exitCode: ExitStatus
        /// In words: `written`.
        package var outcome: String
        /// The path of its page below this one's folder, part by part; nil if it has none.
        package var page: [String]?

        package init(row: String, column: String, exitCode: ExitStatus, outcome: String, page: [String]?) {
            (self.row, self.column, self.exitCode, self.outcome, self.page) = (row, column, exitCode, outcome, page)
        }
    }

    private let title: String
    private let cells: [Cell]
    /// What the rows are, and what the columns are.
    private let rowTitle: String
    private let program: String

    /// - Parameters:
    ///   - rowTitle: what the rows are: `fix`.
    ///   - program: the program's version.
    package init(title: String, rowTitle: String, cells: [Cell], program: String) {
        (self.title, self.rowTitle, self.cells, self.program) = (title, rowTitle, cells, program)
    }

    /// The outcomes of a batch.
    package init(_ report: BatchReport, pages: (BatchReport.Run) -> Bool, program: String) {
        let fixes = Set(report.runs.map(\.fix)).count
        self.init(
            title: "\(fixes == 1 ? "1 fix" : "\(grouped(fixes)) fixes") for \(counted(Set(report.runs.map(\.hypervisor)).count, "hypervisor"))",
            rowTitle: "fix",
            cells: report.runs.map { run in
                Cell(
                    row: run.fix, column: run.hypervisor, exitCode: run.exitCode, outcome: run.exitCode == .written ? "written" : run.exitCode.meaning,
                    page: pages(run) ? [run.hypervisor, run.fix, SignOffPage.fileName] : nil)
            }, program: program)
    }

    package var document: String {
        let rows = unique(cells.map(\.row)), columns = unique(cells.map(\.column))
        let byPlace = Dictionary(cells.map { ([$0.row, $0.column], $0) }) { first, _ in first }
        return Page(
            title: title, heading: heading,
            sections: [
                Page.Section("builds", "Builds") {
                    table(
                        "Each build and how it ended", [Column(rowTitle)] + columns.map { Column($0) }, hasRowTitles: true,
                        rows: rows.map { row in [HTML(text: row)] + columns.map { column in byPlace[[row, column]].map(cell) ?? HTML(text: "–") } })
                }
            ], footer: "Made by xsplice-build \(program)."
        ).document
    }

    private var heading: HTML {
        let written = cells.count { $0.exitCode == .written }
        return element(.p) { "\(grouped(written)) of \(counted(cells.count, "build")) wrote a payload." }
    }

    private func cell(_ cell: Cell) -> HTML {
        let colour: CSSClass =
            switch cell.exitCode {
            case .written: .good
            case .nothingToPatch: .note
            default: .bad
            }
        guard let page = cell.page else { return element(.span, .classes(colour)) { cell.outcome } }
        return element(.a, .href(file: page)) { element(.span, .classes(colour)) { cell.outcome } }
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

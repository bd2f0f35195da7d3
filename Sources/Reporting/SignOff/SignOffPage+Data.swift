import Diagnostics
import ObjectDiff
import Report

// What the payload brings besides code, and what it takes for the hypervisor's own.

extension SignOffPage {
    var data: Page.Section? {
        let variables = report.proof?.trusted ?? []
        guard !report.data.isEmpty || !variables.isEmpty || !report.references.isEmpty else { return nil }
        return Page.Section("data", "Data") {
            if !report.data.isEmpty {
                table(
                    "Data of the payload's own", [Column("name"), Column("source"), Column("bytes", isNumber: true), Column("kind")],
                    rows: report.data.map {
                        [
                            literal($0.name), HTML(text: $0.file), HTML(text: grouped($0.size)),
                            HTML(text: $0.status.rawValue + ($0.writable ? ", writable" : "")),
                        ]
                    })
            }
            if !variables.isEmpty {
                table(
                    "What the proof takes on trust: the hypervisor's own, and the evidence", [Column("kind"), Column("name"), Column("evidence")],
                    rows: variables.map { [HTML(text: $0.kind), literal($0.name), HTML(text: $0.evidence)] })
            }
            if !report.references.isEmpty {
                element(.details) {
                    element(.summary) { "\(counted(report.references.count, "symbol")) of the hypervisor that it refers to" }
                    element(.p) { literal(report.references.joined(separator: ", ")) }
                }
            }
        }
    }

    var layouts: Page.Section? {
        guard !report.layouts.isEmpty else { return nil }
        return Page.Section("layouts", "Layouts of types") {
            for layout in report.layouts { self.layout(layout) }
        }
    }

    private func layout(_ layout: LayoutChange) -> HTML {
        HTML([
            element(.h3) {
                literal(layout.type)
                " \(layout.location?.description ?? ""): \(layout.outcome.rawValue)"
            },
            layout.members.isEmpty
                ? HTML()
                : table(
                    "Members of \(layout.type) that differ", [Column("member"), Column("change"), Column("before"), Column("after")],
                    rows: layout.members.map { [literal($0.name), HTML(text: $0.change.rawValue), HTML(text: bits($0.old)), HTML(text: bits($0.new))] }),
            layout.enumerators.isEmpty
                ? HTML()
                : table(
                    "Values of \(layout.type) that differ", [Column("name"), Column("before", isNumber: true), Column("after", isNumber: true)],
                    rows: layout.enumerators.map { [literal($0.name), HTML(text: $0.old.map { "\($0)" } ?? "–"), HTML(text: $0.new.map { "\($0)" } ?? "–")] }),
            element(.p) {
                "\(counted(layout.unchanged, layout.enumerators.isEmpty ? "member" : "value")) unchanged"
                if let users = layout.users { "; used by \(counted(users.outsideCount, "function")) that this payload does not replace" }
                if !layout.alsoChanged.isEmpty { "; also changed, because they contain it: \(layout.alsoChanged.joined(separator: ", "))" }
            },
        ])
    }

    private func bits(_ place: LayoutChange.Place?) -> String {
        guard let place else { return "–" }
        let size = place.bitSize.map { $0.isMultiple(of: 8) ? counted(Int(clamping: $0 / 8), "byte") : counted(Int(clamping: $0), "bit") } ?? "no bound"
        let start = place.bitOffset.isMultiple(of: 8) ? "at \(place.bitOffset / 8)" : "at bit \(place.bitOffset)"
        return "\(start), \(size), \(place.type)"
    }

    var specialEntries: Page.Section? {
        guard !report.specialEntries.isEmpty else { return nil }
        return Page.Section("tables", "Entries in special tables") {
            table(
                "Entries that belong to the payload's functions", [Column("kind"), Column("section"), Column("count", isNumber: true)],
                rows: report.specialEntries.map { [HTML(text: $0.kind), literal($0.section), HTML(text: grouped($0.count))] })
        }
    }
}

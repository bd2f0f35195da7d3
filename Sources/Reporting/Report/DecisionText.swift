import ObjectDiff
import PayloadLinker

/// What `-v` and `--debug` say of the decisions of a run: a line each, with the stage at its beginning.
package enum DecisionText {
    /// How much is said.
    package enum Detail: Int, Sendable, Comparable {
        /// What was done, and why.
        case actions
        /// Every decision, also where nothing had to be done.
        case everything

        package static func < (a: Detail, b: Detail) -> Bool { a.rawValue < b.rawValue }
    }

    // MARK: Compiling

    package static func lines(_ compile: BuildReport.Compile, _ detail: Detail, style: TextStyle) -> [String] {
        let depth = compile.preparedWhole ? "the whole tree" : "the headers only"
        var lines = ["prepare: \(depth)" + (compile.preparedBecause.map { ": \($0)" } ?? "")]
        let shown = compile.decisions.filter { !$0.spared || detail == .everything }
        let width = min(40, shown.map(\.object.count).max() ?? 0)
        for decision in shown {
            lines.append("\(decision.spared ? "spare:  " : "compile:") \(decision.object.padded(to: width))  \(decision.why)")
        }
        return lines.map(style.shown)
    }

    // MARK: Comparing

    /// - Returns: what changed and is new in each object; with every decision also which variable was taken for which, and by what evidence.
    package static func lines(_ changes: [ChangeSet], _ detail: Detail, style: TextStyle) -> [String] {
        var rows: [(name: String, text: String)] = []
        for set in changes {
            for record in set.records where record.item.isNamed {
                if detail == .everything, let text = twinText(record, in: set) { rows.append((record.item.name, text)) }
                // What the compiler named counts through the functions that refer to it.
                if record.item.isJustContent, record.item.name.contains(".") { continue }
                switch record.status {
                case .same: break
                case .changed: rows.append((record.item.name, changeText(record, in: set)))
                case .new: rows.append((record.item.name, "is new in \(set.object)"))
                }
            }
            for id in set.removed { rows.append((set.original[id].name, "is gone from \(set.object)")) }
        }
        let width = min(32, rows.map(\.name.count).max() ?? 0)
        return rows.map { style.shown("compare: \($0.name.padded(to: width))  \($0.text)") }
    }

    private static func changeText(_ record: ChangeSet.Record, in set: ChangeSet) -> String {
        guard let difference = record.difference else { return "changed in \(set.object)" }
        let place = difference.offset.map { " at +0x\(String($0, radix: 16))" } ?? ""
        let line = difference.location.map { " (\($0))" } ?? ""
        switch difference.kind {
        case .bytes, .reference: return "differs\(place)\(line): \(difference.words)"
        case .tableEntries, .placement, .otherPart, .role: return "\(difference.words)\(line)"
        }
    }

    /// Nil for what needs no evidence: the same name, which the source can give only once.
    private static func twinText(_ record: ChangeSet.Record, in set: ChangeSet) -> String? {
        guard let twin = record.twin, let words = twin.evidence.words else { return nil }
        return "is the original's \(set.original[twin.original].name): \(words)"
    }

    // MARK: Linking

    /// - Returns: what is included, and for what.
    package static func lines(_ report: BuildReport, _ detail: Detail, style: TextStyle) -> [String] {
        let included = report.functions.map { ($0.name, $0.why) } + report.data.map { ($0.name, $0.why) }
        let width = min(32, included.map(\.0.count).max() ?? 0)
        var lines = included.map { name, why in "link: \(name.padded(to: width))  \(chain(why))" }
        if detail == .everything { lines += report.references.map { "link: \($0.padded(to: width))  is the hypervisor's" } }
        return lines.map(style.shown)
    }

    /// `changed`; `new, for do_domctl (changed)`.
    static func chain(_ why: [BuildReport.WhyStep]) -> String {
        guard let own = why.first else { return "asked for with --nop" }
        let users = why.dropFirst().map { "\($0.name) (\($0.reason))" }
        return own.reason + (users.isEmpty ? "" : ", for " + users.joined(separator: ", for "))
    }
}

extension TwinEvidence {
    /// In a few words; nil where the name says it all.
    fileprivate var words: String? {
        switch self {
        case .name: nil
        case .otherName(let name): "both have the name \(name)"
        case .declaration(let place): "its declaration stands at \(place) in both"
        case .block: "both are declared in the same block"
        case .onlyOneLeft: "each is the only one of its name in its function whose line changed"
        case .nameWithoutNumber: "their names are the same but for the compiler's number; debug information is silent"
        case .sameCode: "both variants have the same code"
        case .orderOfVariants: "both stand at the same place among the compiler's variants"
        case .nameOfVariant: "both variants have the same name"
        }
    }
}

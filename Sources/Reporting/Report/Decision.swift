import ObjectDiff

/// One thing that a stage decided, and why.
package struct Decision: Sendable, Equatable {
    package enum Stage: String, Sendable {
        case prepare, compile, spare, compare, hunks, link, effect
    }

    /// The level of detail that the user must ask for to see a decision.
    package enum Detail: Int, Sendable, Comparable {
        /// What was done, and why: `-v`.
        case actions
        /// Every decision, even if nothing had to be done: `--debug`.
        case everything

        package static func < (a: Detail, b: Detail) -> Bool { a.rawValue < b.rawValue }
    }

    package var stage: Stage
    /// The object, function or variable; empty for a decision about the whole run.
    package var subject: String
    package var text: String
    package var detail: Detail

    package init(_ stage: Stage, _ subject: String = "", _ text: String, _ detail: Detail = .actions) {
        self.stage = stage
        self.subject = subject
        self.text = text
        self.detail = detail
    }
}

extension Decision {
    /// Why each object was compiled or left out.
    package static func all(_ compile: BuildReport.Compile) -> [Decision] {
        let depth = (compile.preparedWhole ? "the whole tree" : "the headers only") + (compile.preparedBecause.map { ": \($0)" } ?? "")
        let tools = compile.configuration.map { "the configuration is \($0), the compiler \(compile.compiler)" }
        let facts = compile.buildFacts.map { "date, person and machine of the build are those of \($0)" }
        return [depth, tools, facts].compactMap(\.self).map { Decision(.prepare, "", $0) }
            + compile.decisions.map { $0.spared ? Decision(.spare, $0.object, $0.why, .everything) : Decision(.compile, $0.object, $0.why) }
    }

    /// What changed, is new or is gone in each object; and which twin each item has, and by what evidence.
    package static func all(_ changes: [ChangeSet]) -> [Decision] {
        var decisions: [Decision] = []
        for set in changes {
            for record in set.records where record.item.isNamed {
                let name = record.item.name
                if let twin = record.twin, twin.evidence != .name {
                    decisions.append(Decision(.compare, name, "is the original's \(set.original[twin.original].name): \(twin.evidence.words)", .everything))
                }
                // The functions that refer to content that the compiler named are listed instead.
                if record.item.isJustContent, name.contains(".") { continue }
                switch record.status {
                case .same: break
                case .changed: decisions.append(Decision(.compare, name, change(record, in: set)))
                case .new: decisions.append(Decision(.compare, name, "is new in \(set.object)"))
                }
            }
            decisions += set.removed.map { Decision(.compare, set.original[$0].name, "is gone from \(set.object)") }
        }
        return decisions
    }

    private static func change(_ record: ChangeSet.Record, in set: ChangeSet) -> String {
        guard let difference = record.difference else { return "changed in \(set.object)" }
        let place = difference.offset.map { " at +0x\(String($0, radix: 16))" } ?? ""
        let line = difference.location.map { " (\($0))" } ?? ""
        return switch difference.kind {
        case .bytes, .reference: "differs\(place)\(line): \(difference.words)"
        case .tableEntries, .placement, .otherPart, .innerTarget, .role: "\(difference.words)\(line)"
        }
    }

    /// How each hunk ended, and why.
    package static func all(_ hunks: [BuildReport.Patch.Hunk]) -> [Decision] {
        hunks.map { hunk in
            let place = hunk.new.map { ":\($0.start)" } ?? ""
            let objects = hunk.objects.isEmpty ? nil : hunk.objects.listed(atMost: 3)
            let text = [hunk.ending?.rawValue, objects, hunk.proof].compactMap(\.self).joined(separator: ": ")
            return Decision(.hunks, hunk.file + place, text, hunk.ending == .compared ? .everything : .actions)
        }
    }

    /// Each item that is in the payload, and why; and each symbol of the hypervisor that the payload refers to.
    package static func all(_ report: BuildReport) -> [Decision] {
        let included = report.functions.map { ($0.name, $0.why) } + report.data.map { ($0.name, $0.why) }
        return included.map { Decision(.link, $0, chain($1)) } + report.references.map { Decision(.link, $0, "is the hypervisor's", .everything) }
    }

    /// When the new code of each replaced function runs, with the way to it.
    package static func effects(_ report: BuildReport) -> [Decision] {
        report.functions.compactMap { function in
            guard let effect = function.effect else { return nil }
            let way = effect.way.isEmpty ? "" : ": " + effect.wayText(arrow: "→")
            return Decision(.effect, function.name, effect.words + way)
        }
    }

    /// `changed`; `new, for do_domctl (changed)`.
    private static func chain(_ why: [BuildReport.WhyStep]) -> String {
        guard let own = why.first else { return "asked for with --nop" }
        return ([own.reason] + why.dropFirst().map { "for \($0.name) (\($0.reason))" }).joined(separator: ", ")
    }
}

/// Decisions as lines of text.
package enum DecisionText {
    /// - Returns: a line for each decision to show. It begins with the stage, so that `grep` finds it.
    package static func lines(_ decisions: [Decision], upTo detail: Decision.Detail, style: TextStyle) -> [String] {
        let shown = decisions.filter { $0.detail <= detail }
        let width = min(40, shown.map(\.subject.count).max() ?? 0)
        return shown.map { decision in
            let subject = decision.subject.isEmpty ? "" : decision.subject.padded(to: width) + "  "
            return style.shown("\((decision.stage.rawValue + ":").padded(to: 8)) \(subject)\(decision.text)")
        }
    }
}

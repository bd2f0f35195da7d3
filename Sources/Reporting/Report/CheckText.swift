import Diagnostics
import LoaderModel

/// The text of `check` for a terminal.
package enum CheckText {
    package static func render(_ check: PayloadCheck, style: TextStyle) -> String {
        var lines = [
            "\(style.shown(check.payload)) on Xen \(check.version) \(check.architecture), \(check.format), build-id \(check.hypervisorBuildID.prefix(12))\(style.ellipsis)"
                + (check.below.isEmpty ? "" : ", on top of \(style.shown(check.below.joined(separator: ", ")))")
        ]
        let width = check.answers.map(\.action.rawValue.count).max() ?? 0
        for answer in check.answers {
            let mark = answer.verdict == .good ? style.paint(style.tick, .green) : style.paint(style.cross, .red)
            let head = " \(mark) \(answer.action.rawValue.padded(to: width))  "
            let said = text(answer, of: check)
            lines.append(style.wrap(style.shown(said), first: head, rest: String(repeating: " ", count: width + 5)).trimmed)
        }
        if let proof = check.proof {
            let mark = proof.failures.isEmpty ? style.paint(style.tick, .green) : style.paint(style.cross, .red)
            let head = " \(mark) \("proof".padded(to: width))  "
            lines.append(style.wrap(ReportText.line(proof), first: head, rest: String(repeating: " ", count: width + 5)))
            lines += proof.failures.flatMap { ["", style.wrap(style.shown($0.message), first: style.paint("error:", .red) + " ", rest: "  ")] }
            lines += proof.trusted.flatMap {
                ["", style.wrap(style.shown("taken on trust: \($0.name) (\($0.evidence))"), first: style.paint("note:", .blue) + " ", rest: "  ")]
            }
        }
        for finding in check.findings {
            let colour: TextStyle.Paint =
                switch finding.severity {
                case .error: .red
                case .warning: .yellow
                case .note: .blue
                }
            let head = style.paint("\(finding.severity.rawValue):", colour) + " "
            lines += ["", style.wrap(style.shown(finding.text), first: head, rest: "  ")]
        }
        return (lines + ["", style.paint("verdict: \(verdict(check.verdict))", .bold)]).joined(separator: "\n")
    }

    private static func verdict(_ verdict: PayloadCheck.Verdict) -> String {
        switch verdict {
        case .good: "good"
        case .refused: "do not load it into this hypervisor"
        case .crashes: "it would crash this hypervisor"
        case .unknown: "it can't be checked"
        case .wrong: "the loader takes it, but it does not mean what its objects say"
        }
    }

    private static func text(_ answer: PayloadCheck.Answer, of check: PayloadCheck) -> String {
        switch answer.verdict {
        case .good:
            if let hooks = answer.hooks { return "unless \(hooks.count == 1 ? "the hook" : "the hooks") \(hooks.joined(separator: ", ")) prevents it" }
            switch answer.action {
            case .upload:
                let sizes = check.regions.filter { $0.size > 0 }.map { "\(grouped(Int(clamping: $0.size))) bytes of \(name($0.region))" }
                return ([counted(check.functions, "function"), counted(check.newSymbols, "new symbol")] + sizes).joined(separator: ", ")
            case .apply, .replace:
                let jumps = check.writes.count { $0.after != nil }, nops = check.writes.count - jumps
                return counted(jumps, "trampoline") + (nops > 0 ? ", \(counted(nops, "function")) with NOPs" : "")
            case .revert: return "the hypervisor's code is as it was"
            case .applyAgain, .call, .unload, .unloadReplaced: return ""
            }
        case .refused:
            let console = answer.isLogged == false ? " (the hypervisor's console will not say so)" : ""
            return "\(answer.error ?? ""): \(answer.reason ?? "")\(console)"
        case .crashes: return "the hypervisor crashes: \(answer.reason ?? "")"
        case .unknown, .wrong: return "not known: \(answer.reason ?? "")"
        }
    }

    private static func name(_ region: LoadResult.Region) -> String {
        switch region {
        case .text: "code"
        case .writable: "writable data"
        case .readOnly: "constants"
        }
    }
}

extension String {
    /// The text without blanks at its end.
    fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }
}

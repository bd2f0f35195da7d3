import Report
import TestDrive

/// The text that `test-drive` prints at its end.
enum TestDriveText {
    /// - Parameter log: the file with the console's whole output; nil when it could not be written.
    static func render(_ result: TestDriveResult, log: String?, style: TextStyle) -> String {
        var actions = result.bootTime.map { [(title: "boot \($0.inSeconds)", isGood: true)] } ?? []
        for step in result.steps where step.question == nil {
            if let isGood = step.isGood { actions.append((step.title, isGood)) }
        }
        if result.verdict == .good, let last = actions.popLast() { actions.append((last.title + ", no WARN, no BUG", true)) }
        var lines: [String] = [], line = ""
        for action in actions {
            // The colour codes of the mark take no columns.
            if !line.isEmpty, width(line) + action.title.count + 5 > style.width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? " " : "   ") + "\(mark(action.isGood, style)) \(style.shown(action.title))"
        }
        if !line.isEmpty { lines.append(line) }
        lines += questions(result, style)
        if let step = failed(result) {
            lines +=
                ["", "'\(style.shown(step.title))' said:"]
                + (step.output.split(separator: "\n") + step.xenLog.map { "(XEN) \($0)"[...] }).map { "  " + style.shown(String($0)) }
        }
        if !result.telling.isEmpty { lines += [""] + result.telling.map { "  " + style.shown($0) } }
        let place = log.map { "log in \(style.shown($0))" } ?? "no log"
        let end = "verdict: \(style.shown(words(result.verdict))) (\(result.duration.inSeconds), \(place))"
        return (lines + [style.paint(end, .bold)]).joined(separator: "\n")
    }

    private static func mark(_ isGood: Bool, _ style: TextStyle) -> String {
        isGood ? style.paint(style.tick, .green) : style.paint(style.cross, .red)
    }

    /// Each command, with the first line of its output at each time when it ran.
    private static func questions(_ result: TestDriveResult, _ style: TextStyle) -> [String] {
        var lines: [String] = [], commands: [String] = []
        for step in result.steps {
            if let command = step.question?.command, !commands.contains(command) { commands.append(command) }
        }
        for command in commands {
            let asked = result.steps.filter { $0.question?.command == command && $0.isGood != nil }
            guard !asked.isEmpty else { continue }
            lines.append(" \(mark(asked.allSatisfy { $0.isGood == true }, style)) \(style.shown(command))")
            for step in asked {
                let moment = step.question?.moment ?? ""
                let output = style.shown(String(step.output.prefix { !$0.isNewline }))
                let shown = output.count > 60 ? output.prefix(59) + style.ellipsis : output
                lines.append("     \(moment)" + String(repeating: " ", count: max(2, 18 - moment.count)) + shown)
            }
        }
        return lines
    }

    private static func failed(_ result: TestDriveResult) -> TestDriveResult.Step? {
        guard case .failed(let title) = result.verdict else { return nil }
        return result.steps.first { $0.title == title && $0.isGood != true }
    }

    static func words(_ verdict: TestDriveResult.Verdict) -> String {
        switch verdict {
        case .good: "good"
        case .panicked(let reason): "panicked: \(reason)"
        case .failed(let step): "failed at '\(step)'"
        case .complained(let line): "complaints on the console: \(line)"
        case .stopped(let why): "stopped: \(why)"
        }
    }

    /// The width in columns, without the sequences that set colours.
    private static func width(_ text: String) -> Int {
        var count = 0, isEscape = false
        for character in text {
            if character == "\u{1b}" { isEscape = true }
            if !isEscape { count += 1 }
            if isEscape, character == "m" { isEscape = false }
        }
        return count
    }
}

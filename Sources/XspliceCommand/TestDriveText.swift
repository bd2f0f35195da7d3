import Report
import TestRig

/// What `test-drive` says at its end.
enum TestDriveText {
    static func render(_ result: TestDriveResult, log: String, style: TextStyle) -> String {
        var lines: [String] = [], line = ""
        for step in result.steps {
            guard let isGood = step.isGood else { continue }
            let mark = isGood ? style.paint(style.tick, .green) : style.paint(style.cross, .red)
            // The mark's colour takes no room.
            if !line.isEmpty, width(line) + step.title.count + 5 > style.width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? " " : "   ") + "\(mark) \(style.shown(step.title))"
        }
        if !line.isEmpty { lines.append(line) }
        if let step = failed(result) {
            lines += ["", "'\(style.shown(step.title))' said:"] + (step.output.split(separator: "\n") + step.xenLog.map { "(XEN) \($0)"[...] }).map { "  " + style.shown(String($0)) }
        }
        if !result.telling.isEmpty { lines += [""] + result.telling.map { "  " + style.shown($0) } }
        let tenths = Int(result.duration / .milliseconds(100))
        let end = "verdict: \(style.shown(words(result.verdict))) (\(tenths / 10).\(tenths % 10) s, log in \(style.shown(log)))"
        return (lines + [style.paint(end, .bold)]).joined(separator: "\n")
    }

    private static func failed(_ result: TestDriveResult) -> TestDriveResult.Step? {
        guard case .failed(let title) = result.verdict else { return nil }
        return result.steps.first { $0.title == title && $0.isGood != true }
    }

    private static func words(_ verdict: TestDriveResult.Verdict) -> String {
        switch verdict {
        case .good: "good"
        case .panicked(let reason): "panicked: \(reason)"
        case .failed(let step): "failed at '\(step)'"
        case .complained(let line): "complaints on the console: \(line)"
        case .stopped(let why): "stopped: \(why)"
        }
    }

    /// In columns, without what sets colours.
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

import Diagnostics

/// The text that `why` prints: the chain from each item in a payload to the change that is the reason for it.
package enum WhyText {
    /// - Parameter symbol: show only the function or variable of this name; nil means all.
    /// - Returns: nil when the payload has nothing of that name.
    package static func render(_ report: BuildReport, symbol: String? = nil, style: TextStyle) -> String? {
        let functions = report.functions.filter { fits($0.name, symbol) }.map { function in
            block(
                function.name, function.status.rawValue, size: function.newSize, place: place(function.file, function.line), why: function.why,
                difference: function.firstDifference, effect: function.effect, style: style)
        }
        let data = report.data.filter { fits($0.name, symbol) }.map { item in
            block(
                item.name, item.status.rawValue, size: item.size, place: item.file, why: item.why, difference: item.firstDifference, style: style)
        }
        let blocks = functions + data
        return blocks.isEmpty ? nil : blocks.joined(separator: "\n\n")
    }

    /// Whether an item has that name. A static function also has its short name: `foo` matches `common/foo.c#foo`.
    private static func fits(_ name: String, _ symbol: String?) -> Bool {
        guard let symbol else { return true }
        let own = name.split(separator: "#").last ?? ""
        return name == symbol || own == symbol || own.split(separator: ".").first == Substring(symbol)
    }

    private static func block(
        _ name: String, _ status: String, size: Int, place: String, why: [BuildReport.WhyStep], difference: BuildReport.FirstDifference?,
        effect: BuildReport.Effect? = nil, style: TextStyle
    ) -> String {
        let heading = [status, "\(grouped(size)) bytes", style.shown(place)].filter { !$0.isEmpty }.joined(separator: ", ")
        var lines = ["\(style.paint(style.shown(name), .bold))   \(heading)"]
        if let difference { lines.append("  \(style.shown(text(difference)))") }
        for step in why.dropFirst() {
            let place = Self.place(step.file ?? "", step.line)
            lines.append("  \(style.leftArrow) \(style.shown(step.name))   \(style.shown([step.reason, place].filter { !$0.isEmpty }.joined(separator: ", ")))")
        }
        if let effect {
            let way = effect.way.count > 1 ? ": " + effect.wayText(arrow: style.arrow) : ""
            lines.append("  \(style.shown(effect.words + way))")
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ difference: BuildReport.FirstDifference) -> String {
        let line = difference.file.map { " (\(place($0, difference.line)))" } ?? ""
        let start = difference.offset.map { "at +0x\(String($0, radix: 16)) " } ?? ""
        return start + difference.summary + line
    }

    private static func place(_ file: String, _ line: Int?) -> String { line.map { "\(file):\($0)" } ?? file }
}

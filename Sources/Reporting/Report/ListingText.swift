import Diagnostics
import ObjectDiff

/// The text of the commands that only read files.
package enum ListingText {
    package static func render(_ comparison: ObjectComparison, style: TextStyle) -> String {
        func lines(_ title: String, _ items: [ObjectComparison.Item]) -> [String] {
            let name = items.map { style.shown($0.name).count }.max() ?? 0
            return items.map { item in
                let sizes = "\(item.oldSize.map(grouped) ?? style.none) \(style.arrow) \(item.newSize.map(grouped) ?? style.none)"
                return "  \(item.status.rawValue.padded(to: 7))  \(title.padded(to: 8))  "
                    + style.shown(item.name).padded(to: name) + "  \(sizes) bytes"
            }
        }
        let found = lines("function", comparison.functions) + lines("data", comparison.data)
        let (old, new) = (style.shown(comparison.original), style.shown(comparison.patched))
        let head = (old == new ? old : "\(old) \(style.arrow) \(new)") + ": \(counted(comparison.sameFunctions, "function")) the same"
        return ([head] + (found.isEmpty ? ["  no difference that runs"] : found)).joined(separator: "\n")
    }

    package static func render(_ comparison: FolderComparison, style: TextStyle) -> String {
        let head =
            "\(style.shown(comparison.original)) \(style.arrow) \(style.shown(comparison.patched)): "
            + "\(counted(comparison.sameObjects, "object")) and \(counted(comparison.sameFunctions, "function")) the same"
        guard !comparison.differing.isEmpty else { return head + "\n  no difference that runs" }
        let objects = comparison.differing.map { render($0, style: style) }
        return ([head + ", \(counted(comparison.differing.count, "object")) not"] + objects).joined(separator: "\n")
    }

    package static func render(_ payload: PayloadInspection, style: TextStyle) -> String {
        var lines = [
            "\(style.shown(payload.file)): \(payload.format) payload" + (payload.architecture.map { " for \($0)" } ?? ""),
            "  build-id     \(payload.buildID ?? "none")",
            "  depends      \(payload.depends ?? "none")",
        ]
        if let xen = payload.xenDepends { lines.append("  xen-depends  \(xen)") }
        lines += payload.metadata.map { "  " + style.shown($0) }
        func block(_ title: String, _ rows: [String]) {
            lines.append("")
            lines.append("\(title): \(rows.isEmpty ? "none" : grouped(rows.count))")
            lines += rows.map { "  " + $0 }
        }
        block(
            "functions",
            payload.functions.map { function in
                let address = function.oldAddress.map { " at \($0)" } ?? ""
                let by = function.replacement.map { "by \(style.shown($0))" } ?? "overwritten with NOPs"
                return "\(style.shown(function.name))\(address)  \(grouped(function.oldSize)) \(style.arrow) "
                    + "\(grouped(function.newSize)) bytes, \(by)"
            })
        block("hooks", payload.hooks.map { "\($0.name): \($0.functions.map(style.shown).joined(separator: ", "))" })
        let section = payload.sections.map(\.name.count).max() ?? 0
        block(
            "loaded sections",
            payload.sections.map {
                "\(style.shown($0.name).padded(to: section))  \($0.flags.padded(to: 3))  "
                    + "\(grouped(Int(clamping: $0.size)).alignedRight(to: 9)) bytes, aligned to \($0.alignment)"
            })
        block(
            "relocations",
            payload.relocations.map { "\(style.shown($0.section))  \(style.shown($0.type))  \(grouped($0.count))" })
        block("undefined symbols", payload.undefinedSymbols.map(style.shown))
        return lines.joined(separator: "\n")
    }
}

import CallGraph

/// The text of a run: the result on each stage's line, and the summary at the end.
package enum ReportText {
    /// The line above the stages: the recognised tree.
    package static func heading(_ report: BuildReport, style: TextStyle) -> String {
        let tree = report.tree
        var text = "Xen \(style.shown(tree.version)) \(tree.architecture), \(tree.format)"
        if let hypervisor = report.hypervisor {
            text += ", build-id \(hypervisor.buildID.prefix(12))\(style.ellipsis)"
            text += "  (xen-syms: \(hypervisor.builtHere ? "built here" : style.shown(hypervisor.xenSyms)))"
        }
        return text
    }

    /// The line above all stages of a run for several targets.
    ///
    /// - Parameter trees: the tree of each target.
    package static func heading(_ trees: [BuildReport.Tree], style: TextStyle) -> String {
        guard let tree = trees.first else { return "" }
        return "Xen \(style.shown(tree.version)), \(tree.format), for \(trees.map(\.architecture).joined(separator: ", "))"
    }

    package static func line(_ patch: BuildReport.Patch, style: TextStyle) -> String {
        guard let first = patch.sources.first.map({ style.shown(fileName($0)) }) else { return "none" }
        let source = patch.sources.count > 1 ? "\(first) and \(grouped(patch.sources.count - 1)) more" : first
        let added = patch.files.reduce(0) { $0 + $1.linesAdded }
        let removed = patch.files.reduce(0) { $0 + $1.linesRemoved }
        var text = "\(source): \(counted(patch.files.count, "file")), +\(grouped(added)) \(style.minus)\(grouped(removed))"
        if patch.movedHunks > 0 { text += ", \(counted(patch.movedHunks, "hunk")) applied at an offset" }
        if !patch.leftOut.isEmpty { text += ", \(counted(patch.leftOut.count, "file")) outside xen/ left out" }
        return text
    }

    package static func line(_ compile: BuildReport.Compile) -> String {
        let text =
            "\(grouped(compile.concerned)) of \(counted(compile.objects, "object")) concerned, "
            + "\(grouped(compile.compiled)) compiled, \(grouped(compile.fromCache)) from cache"
        guard let unaffected = compile.unaffected, unaffected > 0 else { return text }
        return text + "; \(grouped(unaffected)) more only \(unaffected == 1 ? "reads" : "read") it"
    }

    package static func line(_ comparison: BuildReport.Comparison) -> String {
        "\(counted(comparison.same, "function")) the same, \(grouped(comparison.changed)) changed, "
            + "\(grouped(comparison.new)) new, \(grouped(comparison.refused)) refused"
    }

    package static func line(_ original: BuildReport.Original) -> String {
        let text =
            "\(grouped(original.equal)) of \(counted(original.replaced, "replaced function")) "
            + "\(original.replaced == 1 ? "equals" : "equal") the running hypervisor"
        return switch original.equalInInstructions {
        case 0: text + " byte for byte"
        case original.equal: text + " instruction for instruction"
        default: text + ", \(grouped(original.equalInInstructions)) of them instruction for instruction, the others byte for byte"
        }
    }

    package static func line(_ proof: BuildReport.Proof) -> String {
        let shown = [counted(proof.functions, "function"), counted(proof.references, "reference"), counted(proof.tableEntries, "table entry")]
        let variables = proof.hypervisorVariables
        let own = variables == 0 ? "" : "; \(counted(variables, "variable")) \(variables == 1 ? "is" : "are") the hypervisor's own"
        return shown.joined(separator: ", ") + own + (proof.failures.isEmpty ? "" : "; \(counted(proof.failures.count, "fault")) found")
    }

    /// The line of the effect stage: how many replaced functions have which verdict.
    package static func effectLine(_ report: BuildReport) -> String {
        let verdicts = report.functions.compactMap(\.effect?.verdict)
        guard !verdicts.isEmpty else { return "nothing shows when the code of this hypervisor runs" }
        let kinds: [(CodeEffect.Verdict, String)] = [
            (.runsOnItsOwn, "on its own"), (.onlyOnEvent, "only when something is set up"), (.onlyThroughPointer, "only through a pointer"),
            (.onlyAtBoot, "only at boot"), (.never, "never"),
        ]
        let found = kinds.compactMap { verdict, words in
            let count = verdicts.count { $0 == verdict }
            return count == 0 ? nil : (count: count, words: verdict == .runsOnItsOwn && count > 1 ? "on their own" : words)
        }
        let rest = found.dropFirst().map { ", \(grouped($0.count)) \($0.words)" }.joined()
        guard let first = found.first else { return "" }
        return "\(counted(first.count, "replaced function")) \(first.count == 1 ? "runs" : "run") \(first.words)" + rest
    }

    /// The line of the link stage: references, and the number of special entries of each kind.
    package static func linkLine(_ report: BuildReport) -> String {
        var kinds: [(kind: String, count: Int)] = []
        for entries in report.specialEntries where entries.count > 0 {
            if let index = kinds.firstIndex(where: { $0.kind == entries.kind }) {
                kinds[index].count += entries.count
            } else {
                kinds.append((entries.kind, entries.count))
            }
        }
        let references = "\(counted(report.references.count, "reference")) to the hypervisor resolved"
        return ([references] + kinds.map { counted($0.count, $0.kind) }).joined(separator: ", ")
    }

    /// The text below the stages when a payload was written.
    package static func summary(_ report: BuildReport, style: TextStyle) -> String {
        var blocks: [String] = []
        if !report.functions.isEmpty { blocks.append(functionTable(report.functions, style: style)) }
        if !report.data.isEmpty { blocks.append(dataTable(report.data, style: style)) }
        if let payload = report.payload {
            let onTop = report.stack.last { $0.buildID == payload.depends }
            let below =
                payload.depends == report.hypervisor?.buildID
                ? "the hypervisor" : onTop.map { style.shown(fileName($0.path)) } ?? "a payload below it, not checked: it was not given with --on"
            blocks.append(
                [
                    style.paint(style.shown(payload.path), .bold), "\(grouped(payload.size)) bytes",
                    "build-id \(short(payload.buildID, style: style))",
                    "depends on \(short(payload.depends, style: style)) (\(below))",
                ].joined(separator: "   "))
            blocks.append(whereItRuns(payload, report.hypervisor, style: style))
        }
        return blocks.joined(separator: "\n\n")
    }

    private static func whereItRuns(_ payload: BuildReport.Payload, _ hypervisor: BuildReport.Hypervisor?, style: TextStyle) -> String {
        if let hypervisor, hypervisor.builtHere {
            return "The hypervisor was built here from the source, and no host runs it (build-id \(hypervisor.buildID)). "
                + "For a host give its own hypervisor: --xen-syms FILE"
        }
        let file = style.shown(fileName(payload.path))
        let name = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        return payload.isCumulative
            ? "On the host:  \(payload.hostTool) upload \(name) \(file), then \(payload.hostTool) replace \(name)"
            : "On the host:  \(payload.hostTool) load \(file)"
    }

    /// The last text of a run for several targets: how each target ended, and where its payload is.
    package static func overview(_ run: RunReport, style: TextStyle) -> String {
        let rows =
            [("target", "outcome", "payload")]
            + run.targets.map { ($0.tree.architecture, $0.outcome.rawValue, $0.payload.map { style.shown($0.path) } ?? style.none) }
        let first = rows.map(\.0.count).max() ?? 0, second = rows.map(\.1.count).max() ?? 0
        return rows.enumerated().map { index, row in
            let line = "  \(row.0.padded(to: first))   \(row.1.padded(to: second))   \(row.2)"
            return index == 0 ? style.paint(line, .faint) : line
        }.joined(separator: "\n")
    }

    /// A table with each function's name, place, old → new bytes and status.
    package static func functionTable(_ functions: [BuildReport.Function], style: TextStyle) -> String {
        let rows = functions.map { function in
            Row(
                name: style.shown(function.name),
                file: style.shown(function.line.map { "\(function.file):\($0)" } ?? function.file),
                old: function.oldSize.map(grouped) ?? style.none, new: grouped(function.newSize),
                status: function.status)
        }
        return table(heading: "function", rows: rows, style: style)
    }

    static func dataTable(_ data: [BuildReport.DataObject], style: TextStyle) -> String {
        let rows = data.map {
            Row(
                name: style.shown($0.name), file: style.shown($0.file), old: style.none, new: grouped($0.size),
                status: $0.status, remark: $0.writable ? " (writable)" : "")
        }
        return table(heading: "data", rows: rows, style: style)
    }

    private struct Row {
        var name: String
        var file: String
        var old: String
        var new: String
        var status: BuildReport.Status
        var remark = ""
    }

    private static func table(heading: String, rows: [Row], style: TextStyle) -> String {
        let gap = "   "
        let name = max(heading.count, rows.map(\.name.count).max() ?? 0)
        let old = max("old".count, rows.map(\.old.count).max() ?? 0)
        let new = max("new".count, rows.map(\.new.count).max() ?? 0)
        let between = " \(style.arrow) "
        var file = max("file".count, rows.map(\.file.count).max() ?? 0)
        // The end of a path says more than its beginning, so on a narrow terminal the table leaves out the beginning.
        let others = 2 + name + old + between.count + new + 3 * gap.count + "changed".count
        if style.isTerminal, others + file > style.width { file = max(16, style.width - others) }

        func line(_ cells: (String, String, String, String, String), middle: String) -> String {
            "  " + cells.0.padded(to: name) + gap + cells.1.padded(to: file) + gap + cells.2.alignedRight(to: old) + middle
                + cells.3.alignedRight(to: new) + gap + cells.4
        }
        let blank = String(repeating: " ", count: between.count)
        let head = line((heading, "file", "old", "new", "change"), middle: blank)
        let body = rows.map { row in
            let shortFile =
                row.file.count > file ? style.ellipsis + row.file.suffix(file - style.ellipsis.count) : row.file
            let colour: TextStyle.Paint = row.status == .changed ? .yellow : .green
            let status = style.paint(row.status.rawValue, colour) + row.remark
            return line((row.name, shortFile, row.old, row.new, status), middle: between)
        }
        return ([style.paint(head, .faint)] + body).joined(separator: "\n")
    }

    /// `91c3…e07a`: enough of a build-id to recognise it. The report has all of it.
    static func short(_ buildID: String, style: TextStyle) -> String {
        buildID.count <= 12 ? style.shown(buildID) : "\(buildID.prefix(4))\(style.ellipsis)\(buildID.suffix(4))"
    }

    private static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}

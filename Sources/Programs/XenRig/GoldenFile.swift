/// The results of all fixtures of one hypervisor.
package struct GoldenFile: Sendable, Equatable {
    /// What a payload's bytes depend on, apart from the sources: the first lines of the versions of compiler and assembler, and the
    /// build-id of the hypervisor.
    package var tools: [String]
    /// The result of each fixture, by its name.
    package var lines: [String: Line]

    package struct Line: Sendable, Equatable {
        package var exit: String
        /// SHA-256 of the payload in hexadecimal; `-` for none.
        package var payload: String
        /// The identifiers of the diagnostics, sorted, with blanks between them.
        package var diagnostics: String

        package init(exit: String, payload: String, diagnostics: String) {
            (self.exit, self.payload, self.diagnostics) = (exit, payload, diagnostics)
        }
    }

    package init(tools: [String], lines: [String: Line]) {
        self.tools = tools
        self.lines = lines
    }

    /// Reads a file that `text` made. Skips lines with fewer than three fields.
    package init(text: String) {
        tools = []
        lines = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# ") {
                tools.append(String(line.dropFirst(2)))
                continue
            }
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true).map(String.init)
            guard fields.count >= 3 else { continue }
            lines[fields[0]] = Line(exit: fields[1], payload: fields[2], diagnostics: fields.count > 3 ? fields[3] : "")
        }
    }

    /// The text of the file: a line `# ` with each tool, then the fixtures in columns, sorted by name.
    package var text: String {
        let width = lines.keys.map(\.count).max() ?? 0
        let rows = lines.sorted { $0.key < $1.key }.map { name, line in
            let row = "\(name)\(String(repeating: " ", count: width - name.count)) \(line.exit) \(line.payload) \(line.diagnostics)"
            return row.hasSuffix(" ") ? String(row.dropLast()) : row
        }
        return (tools.map { "# \($0)" } + rows).joined(separator: "\n") + "\n"
    }

    /// Compares two files. If the tools differ, the digests of payloads are not compared.
    ///
    /// - Returns: a line for each difference of a fixture, and a remark for the end of the summary (empty if there is none).
    package func differences(to new: GoldenFile) -> (lines: [String], remark: String) {
        let sameTools = tools == new.tools
        var found: [String] = []
        for name in Set(lines.keys).union(new.lines.keys).sorted() {
            guard let before = lines[name] else {
                found.append("\(name): is new")
                continue
            }
            guard let after = new.lines[name] else {
                found.append("\(name): is gone")
                continue
            }
            if before.exit != after.exit { found.append("\(name): exit code \(before.exit), now \(after.exit)") }
            if before.diagnostics != after.diagnostics { found.append("\(name): [\(before.diagnostics)], now [\(after.diagnostics)]") }
            if sameTools ? before.payload != after.payload : (before.payload == "-") != (after.payload == "-") {
                found.append("\(name): payload \(before.payload.prefix(12)), now \(after.payload.prefix(12))")
            }
        }
        return (found, sameTools ? "" : "; another compiler, assembler or build of the hypervisor: digests of payloads were not compared")
    }
}

import SystemPackage

/// The output of `readelf` for ELF files, without what a writer may choose: offsets in the file, and the sizes of string tables.
package enum Readelf {
    /// The lines for one file: header, sections, relocations, symbols and notes.
    package static func report(on file: FilePath) async throws -> [Substring] {
        try await reports(on: [file]).first ?? []
    }

    /// The lines for each of several files, in their order, from one process.
    package static func reports(on files: [FilePath]) async throws -> [[Substring]] {
        // For several files readelf writes a heading above each; for one file it writes none.
        let twice = files.count == 1 ? files + files : files
        let text = try await run("readelf", ["-hSsrnuW"] + twice.map(\.string))
        let headings = Set(twice.map { "File: \($0)" })
        var reports: [[Substring]] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")).lazy.map({ Substring($0) }) {
            if line.hasPrefix("File: "), headings.contains(String(line)) {
                reports.append([])
            } else if !reports.isEmpty, let kept = withoutLayout(line) {
                reports[reports.count - 1].append(kept)
            }
        }
        guard reports.count == twice.count else {
            throw ToolFailure(description: "readelf listed \(reports.count) files instead of \(twice.count)")
        }
        return Array(reports.prefix(files.count))
    }

    /// The line without the writer's choices; nil if nothing remains.
    private static func withoutLayout(_ line: Substring) -> Substring? {
        if line.hasPrefix("  [") { return withoutPlace(line) }
        guard line.utf8.last == UInt8(ascii: ":") || line.hasPrefix("  Start of section") || line.hasPrefix("There are ") else {
            return line
        }
        if line.hasPrefix("  Start of section headers") { return nil }
        return line.replacing(#/at offset 0x[0-9a-f]+|starting at offset 0x[0-9a-f]+/#, with: "")
    }

    /// A row of the section table (number, name, type, address, offset, size, and so on) without the offset, and without a string table's size.
    private static func withoutPlace(_ row: Substring) -> Substring {
        guard let bracket = row.firstIndex(of: "]") else { return row }
        var fields = row[row.index(after: bracket)...].split(separator: " ")
        // The row of a section without a name has one field less.
        guard let address = fields.firstIndex(where: { [8, 16].contains($0.utf8.count) && $0.allSatisfy(\.isHexDigit) }),
            fields.indices.contains(address + 2)
        else { return row }
        fields.removeSubrange(address + 1...address + (fields.contains("STRTAB") ? 2 : 1))
        return Substring(row[...bracket] + fields.joined(separator: " "))
    }
}

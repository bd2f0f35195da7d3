import Diagnostics
import ELFModel
import Report
import SystemPackage
import WorkFiles

/// The result of a change.
package struct ChangeOutcome: Sendable {
    package var code: Int
    package var output: FilePath
    /// The program's output on standard error.
    package var error: String
    /// nil when the patch did not apply: then there is no output folder.
    package var report: BuildReport?
    /// The bytes of the payload's file.
    package var payload: [UInt8]?
    /// The payload's path; the file exists only as long as the output folder does.
    package var payloadPath: FilePath? { report?.payload.map { FilePath($0.path) } }

    /// Reads the files that a run wrote to its output folder.
    package init(code: Int, output: FilePath, error: String) throws {
        (self.code, self.output, self.error) = (code, output, error)
        let file = output.appending("report.json")
        guard WorkFiles.isReadableFile(file) else { return }
        let report = try JSONText.decode(BuildReport.self, from: try WorkFiles.read(file))
        self.report = report
        if let path = report.payload?.path, WorkFiles.isReadableFile(FilePath(path)) { payload = try WorkFiles.read(FilePath(path)) }
    }

    /// The names of the changed functions as in the symbol table: without the source file before `#`.
    package var changed: [String] { (report?.functions ?? []).filter { $0.status == .changed }.map { plain($0.name) }.sorted() }

    /// The names of new functions and data, without strings, and without the compiler's number at the end: `idle_dumps.1` is `idle_dumps`.
    package var new: [String] {
        let functions = (report?.functions ?? []).filter { $0.status == .new }.map { withoutNumber(plain($0.name)) }
        let data = (report?.data ?? []).filter { $0.status == .new }.map { withoutNumber(plain($0.name)) }
        return (functions + data).sorted()
    }

    package var diagnostics: [String] { Set(report?.diagnostics.map(\.id.rawValue) ?? []).sorted() }

    /// The source files of the changed functions of that name, as `xen-syms` names them.
    package func files(of function: String) -> [String] {
        (report?.functions ?? []).filter { $0.status == .changed && plain($0.name) == function }
            .map { $0.name.split(separator: "#").dropLast().first.map(String.init) ?? $0.file }.sorted()
    }

    /// Every difference from the expected result, one line each; empty if there is none.
    ///
    /// - Parameter ignoring: diagnostics that may be there.
    package func deviations(from expected: ChangeCase.Expected, ignoring: Set<String> = []) throws -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ got: [String], _ wanted: [String]) {
            if got != wanted.sorted() { found.append("\(what): got \(got), expected \(wanted.sorted())") }
        }
        if code != expected.exit { found.append("exit code \(code), expected \(expected.exit)") }
        if (payload != nil) != (expected.exit == 0) { found.append(payload == nil ? "no payload" : "a payload") }
        if expected.isOfAnotherBuild != true {
            compare("changed", changed, expected.changed)
            compare("new", new, expected.new)
            compare("diagnostics", diagnostics.filter { !ignoring.contains($0) }, expected.diagnostics)
            for (function, files) in expected.files ?? [:] { compare("files of \(function)", self.files(of: function), files) }
            for (section, count) in expected.entries ?? [:] {
                let got = report?.specialEntries.first { $0.section == section }?.count ?? 0
                if got != count { found.append("\(section): \(got) entries, expected \(count)") }
            }
        }
        if expected.isOfAnotherBuild != true {
            for (name, verdict) in (expected.effects ?? [:]).sorted(by: { $0.key < $1.key }) {
                let got = report?.functions.first { $0.name.split(separator: "#").last == name[...] }?.effect?.verdict.rawValue
                if got != verdict { found.append("effect of \(name): \(got ?? "none"), expected \(verdict)") }
            }
        }
        found += (report?.diagnostics ?? []).compactMap { DiagnosticCatalogue.complaint(about: $0) }
        if let payload {
            let file = try ELFFile(bytes: payload, name: "payload")
            if let referred = expected.referred {
                compare("referred", file.symbols.filter { $0.place == .undefined && !$0.name.isEmpty }.map(\.name).sorted(), referred)
            }
            for stem in expected.sectionsAbsent ?? [] {
                for section in file.sections where section.name.hasPrefix(stem) { found.append("section \(section.name)") }
            }
        }
        if !found.isEmpty { found.append(error) }
        return found
    }

    /// Three lines of a table: the change's name, the expected result and the actual one.
    package func row(of change: ChangeCase) -> String {
        "\(change.name)\n    expected  \(change.expected.summary)\n    got       \(summary)"
    }

    /// The actual result in one line.
    package var summary: String { line(code, changed, new, diagnostics) }
}

extension ChangeCase.Expected {
    /// The expected result in one line, in the same form as the actual one.
    package var summary: String { line(exit, changed, new, diagnostics) }
}

private func line(_ code: Int, _ changed: [String], _ new: [String], _ diagnostics: [String]) -> String {
    let parts =
        ["exit \(code)", changed.sorted().joined(separator: " "), new.isEmpty ? "" : "new: " + new.sorted().joined(separator: " ")]
        + [diagnostics.isEmpty ? "" : "[\(diagnostics.sorted().joined(separator: ", "))]"]
    return parts.filter { !$0.isEmpty }.joined(separator: "; ")
}

/// A symbol's name without the file before `#` in a qualified name, and without the payload's own mark after `~`.
package func plain(_ name: String) -> String {
    let symbol = name.split(separator: "#").last.map(String.init) ?? name
    return symbol.split(separator: "~").first.map(String.init) ?? symbol
}

private func withoutNumber(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = parts.last, !number.isEmpty, number.allSatisfy(\.isNumber) else { return name }
    return String(parts[0])
}

import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// The text of a patch, and what its lines say about static variables.
struct TorturePatch: Sendable {
    var text: String
    /// For each file, by number: the labels of the patched variables, with that of the original variable whose declaration's line stays.
    var twins: [Int: [String: String]]
    /// For each file, by number: the old number of each line of the source that stays, by the new number.
    var oldLines: [Int: [Int: Int]] = [:]

    /// - Parameter work: a folder for texts; it exists.
    /// - Throws: `StepError` when `diff` is missing.
    static func of(_ change: TortureCase, in work: FilePath) async throws -> TorturePatch {
        var result = TorturePatch(text: "", twins: [:])
        for (original, patched) in change.changes {
            for (path, before, after) in [
                (original.source, TortureText.source(original), TortureText.source(patched)),
                (original.headerPath, TortureText.header(original), TortureText.header(patched)),
            ] {
                let text = before.text == after.text ? "" : try await diff(before.text, after.text, "xen/\(path)", in: work)
                result.text += text
                let kept = keptLines(text, count: before.text.count { $0 == "\n" })
                if path == original.source { result.oldLines[original.number] = Dictionary(kept.map { ($0.value, $0.key) }) { first, _ in first } }
                let lines = Dictionary(after.declarations.map { ($0.value, $0.key) }) { first, _ in first }
                for (id, line) in before.declarations {
                    guard let now = kept[line].flatMap({ lines[$0] }) else { continue }
                    result.twins[original.number, default: [:]][TortureText.label(now)] = TortureText.label(id)
                }
            }
        }
        return result
    }

    /// The patch that makes one text of the other. They must differ.
    static func diff(_ before: String, _ after: String, _ path: String, in work: FilePath) async throws -> String {
        let (old, new) = (work.appending("before"), work.appending("after"))
        try WorkFiles.write(Array(before.utf8), to: old)
        try WorkFiles.write(Array(after.utf8), to: new)
        let result = try await Subprocess.run(
            .name("diff"), arguments: ["-u", "--label", "a/\(path)", "--label", "b/\(path)", old.string, new.string], input: .none,
            output: .string(limit: 1 << 22), error: .discarded)
        guard case .exited(1) = result.terminationStatus else { throw StepError("diff ended with \(result.terminationStatus)") }
        return result.standardOutput
    }

    /// The new number of each line that stays, by the old number. Both count from 1.
    static func keptLines(_ patch: String, count: Int) -> [Int: Int] {
        var result: [Int: Int] = [:], old = 1, new = 1
        func range(_ word: Substring) -> (start: Int, count: Int) {
            let numbers = word.dropFirst().split(separator: ",").compactMap { Int($0) }
            return (numbers.first ?? 1, numbers.count > 1 ? numbers[1] : 1)
        }
        for line in patch.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("@@ ") {
                let words = line.split(separator: " ")
                guard words.count > 2 else { continue }
                let from = range(words[1])
                // An empty range names the line before it.
                while old < from.start + (from.count == 0 ? 1 : 0) {
                    result[old] = new
                    (old, new) = (old + 1, new + 1)
                }
            } else if line.hasPrefix("--- ") || line.hasPrefix("+++ ") {
                continue
            } else if line.hasPrefix("-") {
                old += 1
            } else if line.hasPrefix("+") {
                new += 1
            } else if line.hasPrefix(" ") {
                result[old] = new
                (old, new) = (old + 1, new + 1)
            }
        }
        while old <= count {
            result[old] = new
            (old, new) = (old + 1, new + 1)
        }
        return result
    }
}

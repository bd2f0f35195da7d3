import FoundationEssentials
import Report
import SystemPackage
import Testing
import WorkFiles

/// A folder of `Fixtures/changes`: a change of the small tree, and what must come of it. See `Fixtures/README.md`.
struct ChangeCase: Sendable, CustomTestStringConvertible {
    struct Expected: Sendable, Decodable {
        var exit: Int
        var changed: [String]
        var new: [String]
        var files: [String: [String]]?
        var diagnostics: [String]
    }

    var name: String
    var expected: Expected
    var testDescription: String { name }

    var folder: FilePath { Self.root.appending(name) }
    private static let root = Bench.fixtures.appending("changes")

    static let all: [ChangeCase] = {
        do {
            return try WorkFiles.names(in: root).map { name in
                let bytes = try WorkFiles.read(root.appending(name).appending("expected.json"))
                return ChangeCase(name: name, expected: try JSONDecoder().decode(Expected.self, from: Data(bytes)))
            }
        } catch {
            Issue.record(error, "Fixtures/changes can't be read")
            return []
        }
    }()

    /// `change.patch`, or `change-1.patch`, `change-2.patch`…
    func patches() throws -> [FilePath] {
        try WorkFiles.names(in: folder).filter { $0.hasSuffix(".patch") }.map { folder.appending($0) }
    }
}

/// What came of a change.
struct ChangeResult: Sendable {
    var code: Int
    var output: FilePath
    var error: String
    /// nil when the patch did not apply: then there is no folder.
    var report: BuildReport?
    var payload: FilePath?

    /// Names as the symbol table has them: without the source file before `#`.
    var changed: [String] { (report?.functions ?? []).filter { $0.status == .changed }.map { plain($0.name) }.sorted() }

    /// Without strings, and without the compiler's number at the end: `idle_dumps.1` is `idle_dumps`.
    var new: [String] {
        let functions = (report?.functions ?? []).filter { $0.status == .new }.map { withoutNumber(plain($0.name)) }
        let data = (report?.data ?? []).filter { $0.status == .new }.map { withoutNumber(plain($0.name)) }
        return (functions + data).sorted()
    }

    var diagnostics: [String] { Set(report?.diagnostics.map(\.id.rawValue) ?? []).sorted() }

    /// The files that functions of that name were taken from, as `xen-syms` names them.
    func files(of function: String) -> [String] {
        (report?.functions ?? []).filter { $0.status == .changed && plain($0.name) == function }
            .map { $0.name.split(separator: "#").dropLast().first.map(String.init) ?? $0.file }.sorted()
    }

    /// Each change is run once, for all tests that look at it.
    static func of(_ change: ChangeCase) async throws -> ChangeResult { try await runs.result(of: change) }
    private static let runs = Runs()

    private actor Runs {
        private var tasks: [String: Task<ChangeResult, any Error>] = [:]

        func result(of change: ChangeCase) async throws -> ChangeResult {
            let task = tasks[change.name] ?? Task { try await run(change) }
            tasks[change.name] = task
            return try await task.value
        }
    }

    private static func run(_ change: ChangeCase) async throws -> ChangeResult {
        let bench = try await Bench.shared()
        let output = bench.folder.appending("changes").appending(change.name)
        let ending = try await Program.run(bench.arguments(patches: try change.patches(), output: output))
        var result = ChangeResult(code: ending.code, output: output, error: ending.error)
        let report = output.appending("report.json")
        if WorkFiles.isReadableFile(report) {
            result.report = try JSONText.decode(BuildReport.self, from: try WorkFiles.read(report))
        }
        let payload = output.appending("\(try #require(change.patches().first?.stem)).livepatch")
        if WorkFiles.isReadableFile(payload) { result.payload = payload }
        return result
    }
}

/// A symbol's name without the file that a qualified one has before `#`, and without the payload's own mark behind `~`.
func plain(_ name: String) -> String {
    let symbol = name.split(separator: "#").last.map(String.init) ?? name
    return symbol.split(separator: "~").first.map(String.init) ?? symbol
}

func withoutNumber(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = parts.last, !number.isEmpty, number.allSatisfy(\.isNumber) else { return name }
    return String(parts[0])
}

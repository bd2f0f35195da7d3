import Diagnostics
import Report
import SystemPackage
import Testing
import WorkFiles

@testable import XspliceCommand

@Suite struct CommandLineToolTests {
    func document(_ name: String) throws -> String {
        String(decoding: try WorkFiles.read(packageFolder.appending(name)), as: UTF8.self)
    }

    @Test func helpHasOptionsAndEveryExitCode() async {
        for arguments in [["--help"], ["-h"], ["help"], ["build", "--help"]] {
            let result = await run(arguments)
            #expect(result.status == .written && result.error.isEmpty)
            #expect(result.output.contains("--xen-syms"))
            for status in ExitStatus.allCases {
                #expect(result.output.contains(" \(status.rawValue)  \(status.meaning)\n"))
            }
        }
    }

    @Test func readmeHasExactlyTheExitCodes() throws {
        let rows = try document("README.md").split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard cells.count == 2, Int(cells[0]) != nil else { return nil }
            return "\(cells[0]) \(cells[1])"
        }
        #expect(rows == ExitStatus.allCases.map { "\($0.rawValue) \($0.meaning)" })
    }

    @Test func manualPageHasEveryExitCodeAndOption() throws {
        let page = try document("Docs/xsplice-build.1")
        for status in ExitStatus.allCases {
            let meaning = status.meaning.replacing("'", with: "\\(aq").replacing("live-patched", with: "live\\-patched")
            #expect(page.contains(".B \(status.rawValue)\n\(meaning)\n"), "\(status)")
        }
        let readme = try document("README.md")
        let options = CommandLineTool.help().matches(of: /--[a-z][a-z-]+/).map { String($0.output) }
        #expect(options.count > 20)
        for option in Set(options) {
            #expect(page.contains(option.replacing("-", with: "\\-")), "the manual page lacks \(option)")
            if option != "--help", option != "--version" { #expect(readme.contains(option), "README lacks \(option)") }
        }
    }

    @Test func version() async {
        let result = await run(["--version"])
        #expect(result.status == .written && result.output == "xsplice-build \(programVersion)\n")
    }

    @Test func explain() async {
        let all = await run(["explain"])
        #expect(all.output.split(separator: "\n").count == DiagnosticID.allCases.count)
        let one = await run(["explain", "per-cpu-added"])
        #expect(one.status == .written && one.output.hasPrefix("error[per-cpu-added]: "))
    }

    @Test func inspectRefusesWhatIsNoPayload() async throws {
        let folder = try TemporaryFolder()
        try folder.write("text", "not ELF")
        let text = folder.path.appending("text").string
        let missing = folder.path.appending("missing").string
        for path in [text, missing] {
            let result = await run(["inspect", path])
            #expect(result.status == .usage && result.output.isEmpty)
            #expect(result.error.hasPrefix("error: \(path): ") && result.error.count { $0 == "\n" } == 1)
        }
    }

    private struct Unexplained: Error {}

    @Test func errorsBecomeExitCodes() {
        let (output, error) = (MemorySink(), MemorySink())
        let console = Console(output: output, error: error)
        #expect(CommandLineTool.explain(CancellationError(), on: console) == .interrupted)
        #expect(error.text == "interrupted: no payload was written\n")
        #expect(CommandLineTool.explain(UsageError("u"), on: console) == .usage)
        #expect(CommandLineTool.explain(Unexplained(), on: console) == .internalFault)
        #expect(
            CommandLineTool.explain(WorkFileError("cannot write", "/full", .noSpace), on: console) == .internalFault)
        #expect(error.text.contains("error: cannot write /full: "))
        #expect(output.text.isEmpty)
    }
}

extension Substring {
    var trimmed: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

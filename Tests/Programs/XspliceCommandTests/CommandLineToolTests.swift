import Diagnostics
import LivepatchBuild
import Report
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XspliceCommand

@Suite struct CommandLineToolTests {
    func document(_ name: String) throws -> String {
        try WorkFiles.readText(packageFolder.appending(name))
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

    /// As a full disk behind a redirection.
    private struct FullSink: TextSink {
        func write(_ text: String) {}
        var loss: Errno? { .noSpace }
    }

    @Test(arguments: [["explain"], ["explain", "--json"], ["--help"], ["--version"]]) func aResultThatIsLostIsAFault(arguments: [String]) async {
        let error = MemorySink()
        #expect(await CommandLineTool.run(arguments, on: Console(output: FullSink(), error: error)) == .internalFault)
        #expect(error.text.contains("cannot write to standard output"))
    }

    @Test func pageHasExactlyTheExitCodes() throws {
        let rows = try document("Docs/ExitCodes.md").split(separator: "\n").compactMap { line -> String? in
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard cells.count == 3, Int(cells[0]) != nil else { return nil }
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
        let options = CommandLineTool.help().matches(of: /--[a-z][a-z-]+/).map { String($0.output) }
        #expect(options.count > 20)
        for option in Set(options) {
            #expect(page.contains(option.replacing("-", with: "\\-")), "the manual page lacks \(option)")
        }
    }

    @Test func version() async {
        let result = await run(["--version"])
        #expect(result.status == .written && result.output == "xsplice-build \(programVersion)\n")
    }

    @Test func explain() async {
        let all = await run(["explain"])
        #expect(all.output.split(separator: "\n").count == DiagnosticID.allCases.count)
        #expect(all.output.contains("\nconstant-table-changed      error, warning        "))
        let one = await run(["explain", "per-cpu-added"])
        #expect(one.status == .written && one.output.hasPrefix("per-cpu-added: ") && one.output.contains("\n  error  The patch adds "))
    }

    @Test(arguments: ["error[per-cpu-added]:", "warning[per-cpu-added]", "PER-CPU-added"]) func explainTakesWhatIsPrinted(word: String) async {
        #expect(await run(["explain", word]).output == run(["explain", "per-cpu-added"]).output)
    }

    @Test(arguments: [
        (["check"], "xsplice-build check --help lists the options"), (["--cache-dir", "x", "check", "p"], "the command comes first: xsplice-build check …"),
        (["-o", "check"], "xsplice-build --help lists the options"),
    ])
    func helpNamesTheCommand(arguments: [String], help: String) async {
        let ending = await run(arguments)
        #expect(ending.status == .usage && ending.error.contains(help), "\(ending.error)")
    }

    @Test(arguments: [
        (["--depends", "abc"], "8 to 128 hexadecimal digits"), (["--nop", "f"], "FUNCTION=BYTES"), (["--cache-size", "10X"], "500M"),
        (["test-drive", "p", "--expect-before", "a"], "COMMAND=TEXT"),
    ])
    func anErrorSaysWhatAnOptionTakes(arguments: [String], form: String) async {
        let ending = await run(arguments)
        #expect(ending.status == .usage && ending.error.contains("it takes") && ending.error.contains(form), "\(ending.error)")
    }

    @Test func whyTakesNoPayload() async throws {
        let folder = try TemporaryFolder()
        try WorkFiles.write([0x7F, 0x45, 0x4C, 0x46], to: folder.path.appending("fix.livepatch"))
        let ending = await run(["why", folder.path.appending("fix.livepatch").string])
        #expect(ending.status == .usage && ending.error.contains("is a payload, not a report"), "\(ending.error)")
    }

    @Test func diffSaysWhichFileIsMissing() async throws {
        let folder = try TemporaryFolder()
        let ending = await run(["diff", folder.path.string, folder.path.appending("nowhere").string])
        #expect(ending.status == .usage && ending.error.contains("nowhere: cannot read: No such file"), "\(ending.error)")
    }

    @Test func explainAsJSON() async throws {
        struct Entry: Decodable {
            struct Situation: Decodable {
                var severity: Severity
                var seen: String
            }
            var id: DiagnosticID
            var title, meaning, example, advice: String
            var situations: [Situation]
        }
        struct Catalogue: Decodable { var diagnostics: [Entry] }
        let all = await run(["explain", "--json"])
        let catalogue = try JSONText.decode(Catalogue.self, from: Array(all.output.utf8))
        #expect(all.status == .written && catalogue.diagnostics.map(\.id) == DiagnosticID.allCases)
        let one = await run(["explain", "object-renamed", "--json"])
        let entry = try JSONText.decode(Entry.self, from: Array(one.output.utf8))
        #expect(one.status == .written && entry.id == .objectRenamed && entry.situations.map(\.severity) == [.note])
        #expect(await run(["explain", "no-such-diagnostic", "--json"]).status == .usage)
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

    @Test("input that is missing, or has no end, is wrong usage") func inputFiles() async throws {
        let folder = try TemporaryFolder()
        try folder.write("text", "not ELF")
        let text = folder.path.appending("text").string, missing = folder.path.appending("missing").string
        for (path, reason) in [(missing, "No such file or directory"), (folder.path.string, "Is a directory"), ("/dev/zero", "is not a regular file")] {
            #expect(throws: UsageError.self) { try InputFile.read(FilePath(path)) }
            let batch = await run(["batch", path, "-o", folder.path.appending("out").string])
            #expect(batch.status == .usage && batch.error.hasPrefix("error: \(path): ") && batch.error.contains(reason), "\(batch.error)")
        }
        #expect(try InputFile.read(FilePath(text)) == Array("not ELF".utf8))
        #expect(folder.names() == ["text"])
    }

    @Test("each command says what an interruption of it means") func interruptions() throws {
        func said(_ arguments: [String]) throws -> String? { (try RootCommand.parseAsRoot(arguments) as? any ConsoleCommand)?.interruption }
        #expect(try said(["-s", "a", "-p", "b", "-o", "c"]) == "interrupted: no payload was written")
        #expect(try said(["test-drive", "a", "--xen", "b", "--xen-syms", "c"]) == "interrupted: the machine was stopped, and there is no verdict")
        #expect(try said(["batch", "a", "-o", "b"])?.contains("no payload was written") == false)
        #expect(try said(["inspect", "a"]) == "interrupted")
    }

    @Test("an expectation has a command and words, which begin behind the last equals sign") func expectations() throws {
        let expectation = try #require(ExpectationArgument(argument: "a=b cat v=Hello")).expectation
        #expect(expectation.command == "a=b cat v" && expectation.text == "Hello")
        for argument in ["cat v", "=Hello", "cat v=", ""] {
            let isTaken = ExpectationArgument(argument: argument) != nil
            #expect(!isTaken, "\(argument)")
        }
    }

    private struct Unexplained: Error {}

    @Test func errorsBecomeExitCodes() {
        let (output, error) = (MemorySink(), MemorySink())
        let console = Console(output: output, error: error)
        #expect(CommandLineTool.explain(CancellationError(), on: console) == .interrupted)
        #expect(CommandLineTool.explain(CancellationError(), interruption: "interrupted: no verdict", on: console) == .interrupted)
        #expect(error.text == "interrupted\ninterrupted: no verdict\n")
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

import Diagnostics
import Report
import SystemPackage
import TestTools
import Testing

@testable import TestDrive
@testable import XspliceCommand

@Suite struct TestDriveTextTests {
    private let drive = TestDrive(
        payloads: [.init(name: "fix", bytes: [], replaces: false, mayBeAppliedAgain: false)], before: [.init(command: "cat v", text: ".5")],
        after: [.init(command: "cat v", text: "Hello")])

    /// Of a run with these answers to the question: before, after, reverted.
    private func result(_ answers: [String]) throws -> TestDriveResult {
        let steps = try drive.scenario().steps
        var answers = answers[...]
        let log = steps.map { "@@step \($0.id) begin\n\($0.question == nil ? "" : answers.popFirst() ?? "")\n@@step \($0.id) end 0\n" }.joined()
        let machine = MachineRun(
            console: Console((log + "@@scenario end\n").utf8), log: log, verdict: .finished, bootTime: .milliseconds(6140), duration: .milliseconds(11_290))
        return TestDriveResult(machine, steps: steps)
    }

    /// What is said of such a run.
    private func text(_ answers: [String], style: TextStyle = TextStyle()) throws -> String {
        TestDriveText.render(try result(answers), log: "out/test-drive.log", style: style)
    }

    @Test func good() throws {
        #expect(
            try text([".5", "Hello World", ".5"]) == """
                 ✓ boot 6.1 s   ✓ upload   ✓ apply   ✓ revert   ✓ unload   ✓ still alive, no WARN, no BUG
                 ✓ cat v
                     before            .5
                     after             Hello World
                     reverted          .5
                verdict: good (11.2 s, log in out/test-drive.log)
                """)
    }

    @Test("a wrong answer is shown, and can't steer the terminal")
    func failed() throws {
        let said = try text([".5", "\u{1b}[2J", ".5"], style: TextStyle(unicode: false))
        #expect(said.contains(" x cat v\n     before            .5\n     after             \\x1b[2J\n"))
        #expect(said.hasSuffix("'cat v after' said:\n  \\x1b[2J\nverdict: failed at 'cat v after' (11.2 s, log in out/test-drive.log)"))
        #expect(!said.contains("no WARN"))
    }

    @Test(
        "a log that can't be written takes no verdict away",
        arguments: [
            ("log", "Hello", .written), ("log", "Bye", .cannotBeLivePatched), ("none/log", "Hello", .internalFault), ("none/log", "Bye", .cannotBeLivePatched),
        ] as [(String, String, ProcessExit)])
    func logs(place: String, answer: String, status: ProcessExit) throws {
        let folder = try TemporaryFolder(), path = folder.path.appending(place), isWritten = place == "log"
        let (output, error) = (MemorySink(), MemorySink())
        let ending = TestDriveCommand.conclude(
            try result([".5", answer, ".5"]), log: path, on: XspliceCommand.Console(output: output, error: error))
        #expect(ending == status)
        #expect(output.text.contains(answer == "Hello" ? "verdict: good" : "verdict: failed at"))
        #expect(output.text.contains(isWritten ? "log in \(path))" : ", no log)"))
        #expect(isWritten ? error.text.isEmpty : error.text.hasPrefix("error: cannot write \(path): "))
        #expect(folder.names() == (isWritten ? ["log"] : []))
    }

    @Test("a long answer is cut, and a narrow terminal gets more lines")
    func narrow() throws {
        let said = try text([".5", "Hello" + String(repeating: "o", count: 100), ".5"], style: TextStyle(width: 40, isTerminal: true))
        let lines = said.split(separator: "\n")
        #expect(lines[0] == " ✓ boot 6.1 s   ✓ upload   ✓ apply" && lines[1] == " ✓ revert   ✓ unload")
        #expect(lines.contains { $0.hasPrefix("     after") && $0.hasSuffix("o…") && $0.count == 83 })
    }
}

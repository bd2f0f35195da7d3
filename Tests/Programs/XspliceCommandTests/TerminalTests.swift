import Report
import Synchronization
import Testing

@testable import XspliceCommand

@Suite struct TerminalTests {
    let output = MemorySink()
    let error = MemorySink()

    func terminal(
        _ style: TextStyle = TextStyle(), _ verbosity: Verbosity = .normal,
        clock: @escaping @Sendable () -> Duration = { .zero }
    ) -> Terminal {
        Terminal(
            Console(output: output, error: error, outputStyle: style), verbosity: verbosity, clock: clock)
    }

    @Test func inAPipeEachStageIsOnePlainLine() {
        let terminal = terminal()
        terminal.begin("patch")
        terminal.update("1 of 2")
        terminal.update("2 of 2")
        terminal.end("1 file, +1 −1")
        terminal.begin("compile")
        terminal.remark("warning: w")
        terminal.fail()
        #expect(output.text == " ✓ patch      1 file, +1 −1\n ✗ compile    failed\n")
        #expect(error.text == "warning: w\n")
    }

    @Test func longStagesTellTheTime() {
        let now = Mutex(Duration.zero)
        let terminal = terminal(TextStyle(width: 40)) { now.withLock { $0 } }
        terminal.begin("compile")
        now.withLock { $0 = .milliseconds(1449) }
        terminal.end("done")
        #expect(output.text == " ✓ compile    done                1.4 s\n")
        #expect(output.text.count == 40)
    }

    @Test func onATerminalTheLineIsReplaced() {
        let terminal = terminal(TextStyle(width: 40, isTerminal: true))
        terminal.begin("compile")
        terminal.update("1 of 2")
        terminal.say("between")
        terminal.end("done")
        let clear = "\r\u{1b}[2K"
        #expect(output.text.contains("\(clear) ⠋ compile    1 of 2"))
        // Erased before anything else is written, and drawn again after it.
        #expect(output.text.contains("\(clear)between\n\(clear) ⠋ compile    1 of 2"))
        #expect(output.text.hasSuffix("\(clear) ✓ compile    done\n"))
    }

    @Test func liveLinesFitTheTerminal() {
        let terminal = terminal(TextStyle(width: 40, isTerminal: true))
        terminal.begin("compile")
        terminal.update(String(repeating: "x", count: 100))
        let last = output.text.split(separator: "\r").last.map { $0.dropFirst(4) }
        #expect(last?.count == 39)
        terminal.end("done")
    }

    @Test func quietSaysErrorsOnly() {
        let terminal = terminal(TextStyle(isTerminal: true), .quiet)
        terminal.begin("patch")
        terminal.update("x")
        terminal.say("y")
        terminal.remark("warning")
        terminal.end("z")
        terminal.complain("error")
        #expect(output.text.isEmpty)
        #expect(error.text == "error\n")
    }

    @Test(arguments: [
        (Verbosity.quiet, []), (.normal, []), (.verbose, ["compile: common/a.o  it reads b.h"]),
        (.debug, ["compile: common/a.o  it reads b.h", "spare:   common/c.o  it reads nothing that the patch changes"]),
    ])
    func decisionsFollowTheVerbosity(verbosity: Verbosity, lines: [String]) {
        TerminalObserver(terminal(TextStyle(), verbosity)).observe(
            .decided([
                Decision(.compile, "common/a.o", "it reads b.h"),
                Decision(.spare, "common/c.o", "it reads nothing that the patch changes", .everything),
            ]))
        #expect(error.text.split(separator: "\n").map(String.init) == lines)
        #expect(output.text.isEmpty)
    }

    @Test func whatIsShownEndsWithItsLineOrItsFailure() async throws {
        struct Failure: Error {}
        let terminal = terminal()
        let value = try await terminal.show("batch") { (42, "ok") }
        #expect(value == 42)
        await #expect(throws: Failure.self) { try await terminal.show("compile") { () -> (Int, String) in throw Failure() } }
        #expect(output.text == " ✓ batch      ok\n ✗ compile    failed\n")
    }

    @Test func aCancelledRunShowsNothingMore() async {
        let terminal = terminal()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await terminal.show("batch") { (1, "never") }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(output.text.isEmpty)
    }
}

@Suite struct ConsoleTests {
    let full = ["TERM": "xterm", "LANG": "en_GB.UTF-8"]

    @Test func terminalsHaveColours() {
        let style = Console.textStyle(isTerminal: true, columns: 90, environment: full)
        #expect(style == TextStyle(width: 90, colours: true, unicode: true, isTerminal: true))
    }

    @Test func noColor() {
        let style = { Console.textStyle(isTerminal: true, columns: 90, environment: self.full.merging($0) { $1 }) }
        #expect(!style(["NO_COLOR": "1"]).colours)
        #expect(style(["NO_COLOR": ""]).colours)
        #expect(!style(["TERM": "dumb"]).colours)
        #expect(!style(["TERM": "dumb"]).isTerminal)
    }

    @Test func pipesArePlainAndWide() {
        let style = Console.textStyle(isTerminal: false, columns: nil, environment: full)
        #expect(style == TextStyle(width: 100, colours: false, unicode: true, isTerminal: false))
    }

    @Test(arguments: [
        (["LANG": "C"], false), (["LANG": "C.UTF-8"], true), (["LANG": "de_DE.utf8"], true), ([:], false),
        (["LC_ALL": "C", "LANG": "C.UTF-8"], false), (["LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"], true),
    ])
    func unicodeFollowsTheLocale(environment: [String: String], unicode: Bool) {
        #expect(Console.textStyle(isTerminal: false, columns: nil, environment: environment).unicode == unicode)
    }
}

import Diagnostics
import Report
import Synchronization

/// How much a run prints.
package enum Verbosity: Int, Sendable, Comparable {
    case quiet, normal, verbose, debug

    package static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
}

/// Prints all output of a run, whichever task it comes from, in order; lines never mix.
///
/// On a terminal the current stage has a live line with a spinner, a counter and the time. It is replaced in place and ends as
/// `✓ stage  what came out`. Elsewhere each stage is one plain line, printed when the stage is done.
package final class Terminal: Sendable {
    private struct Live {
        var stage: String
        var detail: String
        var started: Duration
        var frame = 0
    }

    private struct State {
        var live: Live?
        /// True while the cursor is at the end of a live line.
        var isDrawn = false
        var ticker: Task<Void, Never>?
    }

    package let console: Console
    package let verbosity: Verbosity
    private let clock: @Sendable () -> Duration
    private let state = Mutex(State())

    /// - Parameter clock: returns the time since some fixed moment; tests pass their own.
    package init(
        _ console: Console, verbosity: Verbosity = .normal, clock: (@Sendable () -> Duration)? = nil
    ) {
        self.console = console
        self.verbosity = verbosity
        let start = ContinuousClock.now
        self.clock = clock ?? { ContinuousClock.now - start }
    }

    package var style: TextStyle { console.outputStyle }

    // MARK: Lines

    /// Prints a line of ordinary output; not with `-q`.
    package func say(_ text: String = "") {
        guard verbosity > .quiet else { return }
        print(text + "\n", to: console.output)
    }

    /// Prints a line on standard error, for warnings and the log; not with `-q`.
    package func remark(_ text: String) {
        guard verbosity > .quiet else { return }
        print(text + "\n", to: console.error)
    }

    /// Prints a line on standard error, always.
    package func complain(_ text: String) { print(text + "\n", to: console.error) }

    // MARK: Stages

    /// - Parameter stage: the text at the beginning of the line.
    package func begin(_ stage: String) {
        guard verbosity > .quiet else { return }
        state.withLock { state in
            state.live = Live(stage: stage, detail: "", started: clock())
            guard style.isTerminal else { return }
            draw(&state)
            state.ticker?.cancel()
            state.ticker = Task { [weak self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(100))
                    self?.tick()
                }
            }
        }
    }

    /// Sets the text of the live line: `12 of 40`. Does nothing if there is no live line.
    package func update(_ detail: String) {
        state.withLock { state in
            state.live?.detail = detail
            if state.live != nil, style.isTerminal { draw(&state) }
        }
    }

    /// Ends the stage with its result.
    package func end(_ detail: String) { end(style.paint(style.tick, .green), detail) }

    /// Ends the stage without a result; the caller reports the reason elsewhere.
    package func fail(_ word: String = "failed") { end(style.paint(style.cross, .red), word) }

    /// Shows a stage while `body` runs. `body` returns its value, and the text of the stage's result.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the run was interrupted before or during the stage.
    package func show<Value>(_ stage: String, _ body: () async throws -> (Value, String)) async throws -> Value {
        try Task.checkCancellation()
        begin(stage)
        do {
            let (value, line) = try await body()
            try Task.checkCancellation()
            end(line)
            return value
        } catch {
            fail(error is CancellationError ? "interrupted" : "failed")
            throw error
        }
    }

    private func end(_ mark: String, _ detail: String) {
        state.withLock { state in
            guard let live = state.live else { return }
            state.ticker?.cancel()
            state.ticker = nil
            erase(&state)
            state.live = nil
            let text = "\(live.stage.padded(to: 10)) \(detail)"
            console.output.write(" \(mark) \(withTime(text, since: live.started))\n")
        }
    }

    private func tick() {
        state.withLock { state in
            guard state.live != nil, !Task.isCancelled else { return }
            state.live?.frame += 1
            draw(&state)
        }
    }

    private func print(_ text: String, to sink: any TextSink) {
        state.withLock { state in
            erase(&state)
            sink.write(text)
            if state.live != nil, style.isTerminal { draw(&state) }
        }
    }

    private func erase(_ state: inout State) {
        if state.isDrawn { console.output.write("\r\u{1b}[2K") }
        state.isDrawn = false
    }

    private func draw(_ state: inout State) {
        guard let live = state.live else { return }
        let frames = style.spinner
        let text = "\(live.stage.padded(to: 10)) \(style.shown(live.detail))"
        let line = " \(frames[live.frame % frames.count]) \(withTime(text, since: live.started))"
        // Use one column less than the terminal has: a full line would wrap and could not be erased.
        console.output.write("\r\u{1b}[2K\(line.prefix(style.width - 1))")
        state.isDrawn = true
    }

    /// The text, with the time that the stage took at the right edge if it is long enough to matter.
    private func withTime(_ text: String, since started: Duration) -> String {
        let elapsed = clock() - started
        guard elapsed >= .milliseconds(500) else { return text }
        let tenths = Int(elapsed / .milliseconds(100))
        let time = "\(grouped(tenths / 10)).\(tenths % 10) s"
        // Three columns come before the text, and the last column stays free.
        return text.padded(to: style.width - 5 - time.count) + " " + time
    }
}

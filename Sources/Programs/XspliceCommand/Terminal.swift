import Diagnostics
import Report
import Synchronization

/// How much is said.
package enum Verbosity: Int, Sendable, Comparable {
    case quiet, normal, verbose, debug

    package static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
}

/// All output of a run, from whatever task it comes, in order and never one line within another.
///
/// On a terminal the current stage has a live line with a spinner, a counter and the time, which is replaced in place and ends as
/// `✓ stage  what came out`. Elsewhere each stage is one plain line, printed when it is done.
package final class Terminal: Sendable {
    private struct Live {
        var stage: String
        var detail: String
        var started: Duration
        var frame = 0
    }

    private struct State {
        var live: Live?
        /// True while the cursor stands behind a live line.
        var isDrawn = false
        var ticker: Task<Void, Never>?
    }

    package let console: Console
    package let verbosity: Verbosity
    private let clock: @Sendable () -> Duration
    private let state = Mutex(State())

    /// - Parameter clock: the time since some fixed moment; given by tests.
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

    /// A line of ordinary output, not said with `-q`.
    package func say(_ text: String = "") {
        guard verbosity > .quiet else { return }
        print(text + "\n", to: console.output)
    }

    /// A line on standard error, not said with `-q`: warnings and the log.
    package func remark(_ text: String) {
        guard verbosity > .quiet else { return }
        print(text + "\n", to: console.error)
    }

    /// A line on standard error that is always said.
    package func complain(_ text: String) { print(text + "\n", to: console.error) }

    // MARK: Stages

    /// - Parameter stage: what the line begins with.
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

    /// What the live line says: `12 of 40`. Nothing where there is no live line.
    package func update(_ detail: String) {
        state.withLock { state in
            state.live?.detail = detail
            if state.live != nil, style.isTerminal { draw(&state) }
        }
    }

    /// Ends the stage with what came out.
    package func end(_ detail: String) { end(style.paint(style.tick, .green), detail) }

    /// Ends the stage without a result; the reason is said elsewhere.
    package func fail(_ word: String = "failed") { end(style.paint(style.cross, .red), word) }

    /// Shows a stage while `body` runs, which gives its value, and the line that says what came out.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the run was interrupted before or meanwhile.
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
            let text = "\(live.stage.padding(to: 10)) \(detail)"
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
        let text = "\(live.stage.padding(to: 10)) \(style.shown(live.detail))"
        let line = " \(frames[live.frame % frames.count]) \(withTime(text, since: live.started))"
        // One column less than there is: a full line would wrap, and could not be erased.
        console.output.write("\r\u{1b}[2K\(line.prefix(style.width - 1))")
        state.isDrawn = true
    }

    /// The text with the time that it took at the right edge, where that is worth saying.
    private func withTime(_ text: String, since started: Duration) -> String {
        let elapsed = clock() - started
        guard elapsed >= .milliseconds(500) else { return text }
        let tenths = Int(elapsed / .milliseconds(100))
        let time = "\(grouped(tenths / 10)).\(tenths % 10) s"
        // Three columns stand before the text, and the last one stays free.
        return text.padding(to: style.width - 5 - time.count) + " " + time
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

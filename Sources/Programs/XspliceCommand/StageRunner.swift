import Report
import Synchronization

/// Runs the stages one after another: shows each on the terminal and notes how long it took.
package final class StageRunner: Sendable {
    package let terminal: Terminal
    private let taken = Mutex<[BuildReport.Timing]>([])

    package init(_ terminal: Terminal) { self.terminal = terminal }

    /// How long each stage took that has ended, failed ones included.
    package var timings: [BuildReport.Timing] { taken.withLock { $0 } }

    /// Runs one stage. `body` gives the stage's value, and the line that says what came out.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the run was interrupted before or meanwhile.
    package func run<Value>(_ stage: Stage, _ body: () async throws -> (Value, String)) async throws -> Value {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        terminal.begin(stage)
        do {
            let (value, line) = try await body()
            try Task.checkCancellation()
            note(stage, since: start)
            terminal.end(line)
            return value
        } catch {
            note(stage, since: start)
            terminal.fail(error is CancellationError ? "interrupted" : "failed")
            throw error
        }
    }

    private func note(_ stage: Stage, since start: ContinuousClock.Instant) {
        let time = milliseconds(since: start)
        taken.withLock { $0.append(BuildReport.Timing(stage: stage.rawValue, milliseconds: time)) }
    }
}

func milliseconds(since start: ContinuousClock.Instant) -> Int { Int((ContinuousClock.now - start) / .milliseconds(1)) }

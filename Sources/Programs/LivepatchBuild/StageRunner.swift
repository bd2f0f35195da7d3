import Report
import Synchronization

/// Runs the stages one after another, reports each to the observer, and measures the time that it takes.
final class StageRunner: Sendable {
    let observer: any BuildObserver
    private let taken = Mutex<[BuildReport.Timing]>([])

    init(_ observer: any BuildObserver) { self.observer = observer }

    /// The time that each ended stage took, failed stages included.
    var timings: [BuildReport.Timing] { taken.withLock { $0 } }

    /// Runs one stage. `body` returns the stage's value, and the outcome to report to the observer.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the run was interrupted before or during the stage.
    func run<Value>(_ stage: BuildStage, _ body: () async throws -> (Value, StageOutcome)) async throws -> Value {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        observer.observe(.beganStage(stage))
        do {
            let (value, outcome) = try await body()
            try Task.checkCancellation()
            note(stage, since: start)
            observer.observe(.endedStage(outcome))
            return value
        } catch {
            note(stage, since: start)
            observer.observe(.failedStage(stage, wasInterrupted: error is CancellationError))
            throw error
        }
    }

    private func note(_ stage: BuildStage, since start: ContinuousClock.Instant) {
        let time = milliseconds(since: start)
        taken.withLock { $0.append(BuildReport.Timing(stage: stage.rawValue, milliseconds: time)) }
    }
}

package func milliseconds(since start: ContinuousClock.Instant) -> Int { Int((ContinuousClock.now - start) / .milliseconds(1)) }

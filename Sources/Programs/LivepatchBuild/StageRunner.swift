import Report
import Synchronization

/// Runs the stages one after another: tells the observer of each, and notes how long it took.
final class StageRunner: Sendable {
    let observer: any BuildObserver
    private let taken = Mutex<[BuildReport.Timing]>([])

    init(_ observer: any BuildObserver) { self.observer = observer }

    /// How long each stage took that has ended, failed ones included.
    var timings: [BuildReport.Timing] { taken.withLock { $0 } }

    /// Runs one stage. `body` gives the stage's value, and what of it is worth saying.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the run was interrupted before or meanwhile.
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

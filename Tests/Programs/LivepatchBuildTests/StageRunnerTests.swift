import Testing

@testable import LivepatchBuild

@Suite struct StageRunnerTests {
    private let observer = EventRecorder()
    private let checked = StageOutcome.checked(isAccepted: true, version: "4.17")

    @Test func stagesAreTimedAndFailuresReported() async throws {
        struct Failure: Error {}
        let runner = StageRunner(observer), checked = checked
        let value = try await runner.run(.check) { (42, checked) }
        #expect(value == 42)
        await #expect(throws: Failure.self) { try await runner.run(.compile) { () -> (Int, StageOutcome) in throw Failure() } }
        #expect(runner.timings.map(\.stage) == ["check", "compile"])
        #expect(
            observer.events == [
                .beganStage(.check), .endedStage(checked), .beganStage(.compile), .failedStage(.compile, wasInterrupted: false),
            ])
    }

    @Test func aCancelledRunStopsAtTheNextStage() async {
        let runner = StageRunner(observer), checked = checked
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await runner.run(.patch) { (1, checked) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(observer.events.isEmpty && runner.timings.isEmpty)
    }

    @Test func anInterruptionInAStageIsReportedAsOne() async {
        let runner = StageRunner(observer), checked = checked
        let task = Task {
            try await runner.run(.compile) {
                while !Task.isCancelled { await Task.yield() }
                return (1, checked)
            }
        }
        while observer.events.isEmpty { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(observer.events == [.beganStage(.compile), .failedStage(.compile, wasInterrupted: true)])
    }
}

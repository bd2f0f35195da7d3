/// Limits how many tasks run at a time; the others wait in the order in which they came.
package actor Turns {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// For work that uses all processors by itself: a build of Xen, or a run of the program for one. A task that holds this must not wait for
    /// another one that needs it.
    package static let work = Turns(count: 2)

    /// For booted machines. With several at a time, emulated processors would wait for real ones, and would not come together in time to
    /// apply a payload.
    package static let boot = Turns(count: 1)

    package init(count: Int) { free = count }

    /// Runs `body` when it is its turn.
    package nonisolated func one<R: Sendable>(_ body: @Sendable () async throws -> R) async throws -> R {
        await take()
        do {
            let result = try await body()
            await give()
            return result
        } catch {
            await give()
            throw error
        }
    }

    package func take() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    package func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Lets so many in at a time, in the order in which they came.
package actor Turns {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// For what uses all processors by itself: a build of Xen, a run of the program for one. Held by nobody who waits for another one.
    package static let work = Turns(count: 2)

    /// For booted machines: emulated processors that wait for each other's share of the real ones do not come together in time to
    /// apply a payload.
    package static let boot = Turns(count: 1)

    package init(count: Int) { free = count }

    /// Runs `body` when its turn has come.
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

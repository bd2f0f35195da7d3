/// Does the same with each of `items`, at most `limit` at a time.
///
/// - Parameter done: is told, one call at a time, how many are done.
/// - Returns: what came of each, in the order of `items`.
/// - Throws: the first error; what has not begun by then never does. `CancellationError`.
package func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], limit: Int, done: (Int) -> Void = { _ in }, _ body: @escaping @Sendable (Item) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results: [Result?] = Array(repeating: nil, count: items.count)
        var waiting = items.enumerated().makeIterator(), count = 0
        func start() {
            guard let (index, item) = waiting.next() else { return }
            group.addTask {
                try Task.checkCancellation()
                return (index, try await body(item))
            }
        }
        for _ in 0..<max(1, limit) { start() }
        while let (index, result) = try await group.next() {
            results[index] = result
            count += 1
            done(count)
            start()
        }
        return results.compactMap { $0 }
    }
}

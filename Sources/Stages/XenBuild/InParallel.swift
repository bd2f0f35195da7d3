/// Calls the closure for each of `items`, at most `limit` at a time.
///
/// - Parameter done: called after each item, never in parallel, with the number of items that are done.
/// - Returns: the results, in the order of `items`.
/// - Throws: the first error; items that have not begun by then never do. `CancellationError`.
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

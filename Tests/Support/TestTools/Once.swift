/// Runs the work for each name only once, however many callers ask for its value.
package actor Once<Value: Sendable> {
    private var tasks: [String: Task<Value, any Error>] = [:]

    package init() {}

    package func value(of name: String, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = tasks[name] ?? Task { try await body() }
        tasks[name] = task
        return try await task.value
    }
}

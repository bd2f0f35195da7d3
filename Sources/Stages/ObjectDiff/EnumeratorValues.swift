import DebugInfo

/// The values of all enumerators of one object, to find one that is in another enum than before.
struct EnumeratorValues {
    /// By name, then by scope. Blocks of one function may give one name several values.
    private var values: [String: [[String]: Set<Int64>]] = [:]

    init(_ types: TypeInfo) {
        for definition in types.definitions {
            for enumerator in definition.enumerators { values[enumerator.name, default: [:]][definition.key.scope, default: []].insert(enumerator.value) }
        }
    }

    /// Whether this object has an enumerator of that enum in the enum's own scope.
    func containsSome(of type: TypeInfo.Definition) -> Bool { type.enumerators.contains { values[$0.name]?[type.key.scope] != nil } }

    /// The value that an enumerator has in this object, and its own if there are several; one that differs if it has that as well.
    ///
    /// - Parameters:
    ///   - scope: where to look first. Other scopes count if the other side does not have the name there: that one has moved.
    /// - Returns: nil if no enum has it.
    func value(of enumerator: TypeInfo.Enumerator, in scope: [String], other: EnumeratorValues) -> Int64? {
        guard let all = values[enumerator.name] else { return nil }
        let elsewhere = all.filter { other.values[enumerator.name]?[$0.key] == nil }.values
        let found = all[scope] ?? elsewhere.reduce(into: []) { $0.formUnion($1) }
        return found.sorted().first { $0 != enumerator.value } ?? found.first
    }
}

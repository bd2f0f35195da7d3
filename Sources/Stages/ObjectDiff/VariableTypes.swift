import DebugInfo
import Diagnostics

/// Refuses a variable of the running hypervisor that gets another type of the same size: what the old code wrote there would be read
/// as something else.
///
/// - Throws: `DebugInfoError` when types can't be read; they are read only when a function changed.
func variablesOfOtherTypes(_ facts: ComparedFacts) throws -> [Diagnostic] {
    guard facts.hasChangedFunction else { return [] }
    let before = variables(try facts.pair.original.types(withUses: true)), after = variables(try facts.pair.patched.types(withUses: true))
    var diagnostics: [Diagnostic] = []
    for (place, new) in after.sorted(by: { ($0.key.name, $0.key.function ?? "") < ($1.key.name, $1.key.function ?? "") }) {
        guard let old = before[place], meaning(old) != meaning(new) else { continue }
        // One that is gone or new, boot data, constants and other sizes are reported by others.
        guard let item = item(of: place, in: facts), let twin = facts.twin(item.id), twin.size == item.size else { continue }
        diagnostics.append(
            Diagnostic(
                .dataSizeChanged, .error, symbol: item.name, location: new.declaration ?? SourceLocation(file: facts.pair.source),
                message: "variable '\(place.name)' changed its type from '\(old.type)' to '\(new.type)': the running hypervisor's value was written as the old one",
                help: "leave the old variable alone and add a new one beside it"))
    }
    return diagnostics
}

/// The variable that is the same in both objects: by its function, where others have its name.
private func item(of place: VariablePlace, in facts: ComparedFacts) -> PatchedItem? {
    let namesakes = facts.records.filter { record in
        let item = record.item
        return item.kind == .data && [.writable, .perCPU].contains(item.role) && CompilerName(item.name).base == place.name && record.status == .same
    }.map(\.item)
    let own = namesakes.filter { facts.patched.variable($0.id)?.enclosingFunction == place.function }
    return [own, namesakes].first { $0.count == 1 }?.first
}

private struct VariablePlace: Hashable {
    var name: String
    var function: String?
}

/// Those that have no namesake in their scope.
private func variables(_ types: TypeInfo) -> [VariablePlace: TypeInfo.VariableUse] {
    Dictionary(grouping: types.variables, by: { VariablePlace(name: $0.name, function: $0.enclosingFunction) })
        .compactMapValues { $0.count == 1 ? $0[0] : nil }
}

/// The type without what only restricts its use.
private func meaning(_ variable: TypeInfo.VariableUse) -> [Substring] {
    variable.canonicalType.split(separator: " ").filter { !["const", "volatile", "restrict"].contains($0) }
}

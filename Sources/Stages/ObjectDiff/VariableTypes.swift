import DebugInfo
import Diagnostics

/// Refuses a variable of the running hypervisor that gets another type of the same size: what the old code wrote there would be read
/// as something else.
///
/// - Parameter types: of one side's object, with uses; asked for only when something runs otherwise.
/// - Throws: what `types` throws.
package func checkTypesOfVariables(_ set: inout ChangeSet, types: (ObjectSide) throws -> TypeInfo) rethrows {
    guard !set.changedFunctions.isEmpty else { return }
    let (before, after) = (variables(try types(.original)), variables(try types(.patched)))
    for (place, new) in after.sorted(by: { ($0.key.name, $0.key.function ?? "") < ($1.key.name, $1.key.function ?? "") }) {
        guard let old = before[place], meaning(old) != meaning(new) else { continue }
        // One that is gone or new, boot data, constants and other sizes are told by others.
        guard let index = item(of: place, in: set), let twin = set.twins.original[index],
            set.original.items[twin].size == set.patched.items[index].size
        else { continue }
        set.diagnostics.append(
            Diagnostic(
                .dataSizeChanged, .error, symbol: set.patched.items[index].name,
                location: new.declaration ?? SourceLocation(file: set.source),
                message: "variable '\(place.name)' changed its type from '\(old.type)' to '\(new.type)': the running hypervisor's value was written as the old one",
                help: "leave the old variable alone and add a new one beside it"))
    }
}

/// The variable that is the same in both objects: by its function, where others have its name.
private func item(of place: VariablePlace, in set: ChangeSet) -> Int? {
    let namesakes = set.patched.items.indices.filter {
        let item = set.patched.items[$0]
        return item.kind == .data && [.writable, .perCPU].contains(item.role) && CompilerName(item.name).base == place.name && set.status[$0] == .same
    }
    let own = namesakes.filter { set.patchedNames.staticLocals[$0]?.function == place.function }
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

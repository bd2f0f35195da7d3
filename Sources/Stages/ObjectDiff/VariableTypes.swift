import DebugInfo
import Diagnostics

/// Refuses a variable of the running hypervisor whose type changes while its size stays: the new code would misread the values that the
/// old code wrote. A type that is only written in another way is a note.
///
/// - Throws: `InputError` when types can't be read; they are read only when a function changed.
func variablesOfOtherTypes(_ facts: ComparedFacts) throws -> [Diagnostic] {
    guard facts.hasChangedFunction else { return [] }
    let patched = try facts.pair.patched.types(withUses: true)
    let original = try facts.pair.original.types(withUses: true)
    let before = variables(original), after = variables(patched)
    let places = Set(patched.variables.map(VariablePlace.init))
    var diagnostics: [Diagnostic] = []
    for (place, new) in after.sorted(by: { ($0.key.name, $0.key.function ?? "") < ($1.key.name, $1.key.function ?? "") }) {
        guard let old = before[place], meaning(old) != meaning(new) else { continue }
        var alike = AlikeTypes(original, patched)
        let answer = alike.compare(TypeUse(old), TypeUse(new))
        // Other checks report variables that are gone or new, boot data, constants and changed sizes.
        guard let item = item(of: place, among: places, in: facts), let twin = facts.twin(item.id), twin.size == item.size else { continue }
        guard answer == .different else {
            diagnostics.append(
                Diagnostic(
                    .layoutKept, .note, symbol: item.name, location: new.declaration ?? SourceLocation(file: facts.pair.source),
                    message: "variable '\(place.name)' has the type '\(new.type)' instead of '\(old.type)', but every value in it lies where it was"))
            continue
        }
        diagnostics.append(
            Diagnostic(
                .dataTypeChanged, .error, symbol: item.name, location: new.declaration ?? SourceLocation(file: facts.pair.source),
                message: "variable '\(place.name)' changed its type from '\(old.type)' to '\(new.type)': the running hypervisor's value still has the old type",
                help: "leave the old variable alone and add a new one beside it"))
    }
    return diagnostics
}

/// The item of a variable. Its name decides, or its function if several items have that name. nil when that is ambiguous.
///
/// - Parameter places: of all variables that the patched types know. An item that is another of them is not meant.
private func item(of place: VariablePlace, among places: Set<VariablePlace>, in facts: ComparedFacts) -> PatchedItem? {
    let namesakes = facts.records.filter { record in
        let item = record.item
        return item.kind == .data && [.writable, .perCPU].contains(item.role) && CompilerName(item.name).base == place.name && record.status == .same
    }.map(\.item)
    let own = namesakes.filter { facts.patched.variable($0.id)?.enclosingFunction == place.function }
    let unplaced = namesakes.filter { item in
        guard let variable = facts.patched.variable(item.id) else { return true }
        return !places.contains(VariablePlace(name: place.name, function: variable.enclosingFunction))
    }
    return [own, unplaced].first { $0.count == 1 }?.first
}

private struct VariablePlace: Hashable {
    var name: String
    var function: String?
}

extension VariablePlace {
    init(_ variable: TypeInfo.VariableUse) { self.init(name: variable.name, function: variable.enclosingFunction) }
}

/// The variables whose name is unique in their scope.
private func variables(_ types: TypeInfo) -> [VariablePlace: TypeInfo.VariableUse] {
    Dictionary(grouping: types.variables, by: { VariablePlace($0) })
        .compactMapValues { $0.count == 1 ? $0[0] : nil }
}

/// The words of the type, without qualifiers that only restrict how it may be used.
private func meaning(_ variable: TypeInfo.VariableUse) -> [Substring] {
    variable.canonicalType.split(separator: " ").filter { !["const", "volatile", "restrict"].contains($0) }
}

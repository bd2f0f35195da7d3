import DebugInfo
import Diagnostics

/// Refuses a variable of the running hypervisor whose type changes while its size stays: the new code would misread the values that the
/// old code wrote.
///
/// Each variable is held against its twin, whatever their names are.
///
/// - Throws: `InputError` when types can't be read; they are read only when a function changed.
func variablesOfOtherTypes(_ facts: ComparedFacts) throws -> [Diagnostic] {
    guard facts.hasChangedFunction else { return [] }
    let before = byPlace(try facts.pair.original.types(withUses: true)), after = byPlace(try facts.pair.patched.types(withUses: true))
    var diagnostics: [Diagnostic] = []
    for record in facts.records {
        let item = record.item
        // Other checks report boot data, constants and changed sizes.
        guard item.kind == .data, [.writable, .perCPU].contains(item.role), let twin = facts.twin(item.id), twin.role == item.role, twin.size == item.size,
            let old = before[place(of: twin)], let new = after[place(of: item)], meaning(old) != meaning(new)
        else { continue }
        diagnostics.append(
            Diagnostic(
                .dataTypeChanged, .error, symbol: item.name, location: new.declaration ?? SourceLocation(file: facts.pair.source),
                message: "variable '\(new.name)' changed its type from '\(old.type)' to '\(new.type)': the running hypervisor's value still has the old type",
                help: "leave the old variable alone and add a new one beside it"))
    }
    return diagnostics
}

private func byPlace(_ types: TypeInfo) -> [SourceLines.Place: TypeInfo.VariableUse] {
    Dictionary(types.variables.compactMap { variable in variable.place.map { ($0, variable) } }) { first, _ in first }
}

private func place<Side>(of item: Item<Side>) -> SourceLines.Place { SourceLines.Place(section: item.section, offset: item.offset) }

/// The words of the type, without qualifiers that only restrict how it may be used.
private func meaning(_ variable: TypeInfo.VariableUse) -> [Substring] {
    variable.canonicalType.split(separator: " ").filter { !["const", "volatile", "restrict"].contains($0) }
}

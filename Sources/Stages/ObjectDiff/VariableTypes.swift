import DebugInfo
import Diagnostics

/// Refuses a variable of the running hypervisor whose type changes while its size stays: the new code would misread the values that the
/// old code wrote. A type that is only written in another way is a note.
///
/// Each variable is held against its twin, whatever their names are.
///
/// - Throws: `InputError` when types can't be read; they are read only when the payload could have code of this object.
func variablesOfOtherTypes(_ facts: ComparedFacts) throws -> [Diagnostic] {
    guard facts.hasNewCode else { return [] }
    let pairs = facts.records.compactMap { record in facts.twin(record.item.id).map { (record.item, $0) } }
    return variablesOfOtherTypes(
        pairs, source: facts.pair.source, original: try facts.pair.original.types(withUses: true), patched: try facts.pair.patched.types(withUses: true))
}

/// The same for global variables that move to another file, and for objects without new code of their own, whose global variables the new
/// code of other objects uses: a header may change the type of a variable that one file defines and others use.
///
/// - Throws: every error that `read` throws.
func globalsOfOtherTypes(_ changes: [ChangeSet], read: (ObjectID, ObjectSide, Bool) throws -> TypeInfo) rethrows -> [ObjectID: [Diagnostic]] {
    var used: Set<String> = []
    for set in changes {
        for record in set.records where record.isNewRuntimeCode {
            for case .external(let name) in record.item.references.map(\.target) { used.insert(name) }
        }
    }
    var diagnostics: [ObjectID: [Diagnostic]] = [:]
    for set in changes where !set.records.contains(where: \.isNewRuntimeCode) {
        let pairs = set.records.filter { $0.item.isGlobal && $0.item.kind == .data && !used.isDisjoint(with: $0.item.names) }
            .compactMap { record in set.twin(of: record.item.id).map { (record.item, $0) } }
        guard !pairs.isEmpty else { continue }
        diagnostics[set.object] = variablesOfOtherTypes(
            pairs, source: set.source, original: try read(set.object, .original, true), patched: try read(set.object, .patched, true))
    }
    for (from, twin, set, item) in movedGlobals(changes) {
        diagnostics[set.object, default: []] += variablesOfOtherTypes(
            [(item, twin)], source: set.source, original: try read(from.object, .original, true), patched: try read(set.object, .patched, true))
    }
    return diagnostics
}

/// The global variables that one object no longer defines and another defines anew.
private func movedGlobals(_ changes: [ChangeSet]) -> [(from: ChangeSet, OriginalItem, to: ChangeSet, PatchedItem)] {
    var gone: [String: (ChangeSet, OriginalItem)] = [:]
    for set in changes {
        for item in set.removed.map({ set.original[$0] }) where item.isGlobal && item.kind == .data { gone[item.name] = (set, item) }
    }
    return changes.flatMap { set in
        set.records.compactMap { record in
            guard record.status == .new, record.item.isGlobal, record.item.kind == .data, let (from, twin) = gone[record.item.name] else { return nil }
            return (from, twin, set, record.item)
        }
    }
}

private func variablesOfOtherTypes(
    _ pairs: [(item: PatchedItem, twin: OriginalItem)], source: String, original: TypeInfo, patched: TypeInfo
) -> [Diagnostic] {
    let before = byPlace(original), after = byPlace(patched)
    var diagnostics: [Diagnostic] = []
    for (item, twin) in pairs {
        // Other checks report boot data, constants and changed sizes.
        guard item.kind == .data, [.writable, .perCPU].contains(item.role), twin.role == item.role, twin.size == item.size,
            let old = before[place(of: twin)], let new = after[place(of: item)], meaning(old) != meaning(new)
        else { continue }
        var alike = AlikeTypes(original, patched)
        guard alike.compare(TypeUse(old), TypeUse(new)) == .different else {
            diagnostics.append(
                Diagnostic(
                    .layoutKept, .note, symbol: item.name, location: new.declaration ?? SourceLocation(file: source),
                    message: "variable '\(new.name)' has the type '\(new.type)' instead of '\(old.type)', but every value in it lies where it was"))
            continue
        }
        diagnostics.append(
            Diagnostic(
                .dataTypeChanged, .error, symbol: item.name, location: new.declaration ?? SourceLocation(file: source),
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

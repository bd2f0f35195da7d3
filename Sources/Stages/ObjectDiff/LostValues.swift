import DebugInfo
import Diagnostics
import ELFModel

/// Variables whose running values the patched code no longer sees, although the patched source still has them.
///
/// A compiler that finds no write to a static variable takes its initial value for it everywhere, and needs no storage. If it finds no read,
/// it drops the writes. An array that nothing writes becomes a constant. Debug info still has the declaration.
///
/// - Returns: the original variables without storage in the patched object, and a warning for each variable of both kinds.
/// - Throws: `InputError` when debug information can't be read. It is read only when a variable is gone.
func lostValues(_ facts: ComparedFacts, byteOrder: ByteOrder) throws(InputError) -> (variables: Set<OriginalItem.ID>, diagnostics: [Diagnostic]) {
    var variables: Set<OriginalItem.ID> = [], diagnostics: [Diagnostic] = []
    func report(_ name: String, _ place: SourceLocation?, _ message: String) {
        diagnostics.append(
            Diagnostic(
                .runningValueUnused, .warning, symbol: name, location: place ?? SourceLocation(file: facts.pair.source), message: message,
                help: "if the hypervisor's value matters, let the code go on writing the variable, or declare it volatile"))
    }
    for record in facts.records where record.item.kind == .data && record.item.role == .readOnly && !record.item.isGlobal {
        guard let twin = facts.twin(record.item.id), twin.role == .writable else { continue }
        report(
            record.item.name, record.location,
            "'\(record.item.name)' becomes a constant, because nothing writes it any more: the new code sees its initial contents, not what the hypervisor "
                + "has in '\(twin.name)'")
    }
    let gone = facts.outcome.removed.map { facts.a[$0] }.filter { $0.kind == .data && $0.role == .writable }
    let names = Set(gone.map { facts.original.variable($0.id)?.name ?? $0.name })
    // Clang gives an array that became a constant no symbol. It splits others into parts, which are new variables.
    let symbols = Set(facts.b.items.filter { $0.kind == .data && $0.isNamed }.map { SourceLines.Place(section: $0.section, offset: $0.offset) })
    let declarations = try facts.patched.declarations(named: names).filter { declaration in
        !declaration.isAutomatic && declaration.storage.map { !symbols.contains($0) } ?? true
    }
    for item in gone {
        guard let variable = facts.original.variable(item.id) else { continue }
        let namesakes = declarations.filter { $0.name == variable.name }
        guard let declaration = namesakes.first(where: { isSame(variable, $0, facts.pair.lines) }) else {
            // Elsewhere in the file, or in other words: nothing shows whether it is meant to be the same.
            guard let lines = facts.pair.lines, let other = namesakes.first(where: { $0.storage == nil && lines.mayBeStatic($0) }) else { continue }
            variables.insert(item.id)
            report(
                variable.name, other.place,
                "the patch declares '\(variable.name)' in another way or place, and nothing writes it there: where the new code reads it, it gets its initial "
                    + "value, not the value of the hypervisor's '\(variable.name)', which stays")
            continue
        }
        variables.insert(item.id)
        let isUnchanged = facts.pair.lines.map { $0.isSameLine(variable, declaration) } ?? false
        let value = declaration.constant ?? (isUnchanged ? number(item, facts.a, byteOrder) : nil)
        report(
            variable.name, declaration.place,
            "the compiler keeps no variable for '\(variable.name)', because nothing writes it any more, or nothing reads it: where the new code reads it, it gets "
                + "its initial value\(value.map { " \($0)" } ?? ""), not the hypervisor's value")
    }
    return (variables, diagnostics)
}

/// Whether a declaration of the patched source is that of an original variable.
private func isSame(_ old: DebugInfo.Variable, _ new: VariableDeclarations.Declaration, _ lines: DeclarationLines?) -> Bool {
    let key = LocalKey(old), other = LocalKey(name: new.name, scope: new.scope)
    if key.functions.isEmpty { return new.scope.isEmpty }
    guard let lines else { return key == other }
    if lines.isSameLine(old, new) { return true }
    // An automatic variable may have the name now. The word in the line tells.
    let isOutermost = old.scope.count == key.functions.count && new.scope.count == other.functions.count
    return key == other && lines.mayBeStatic(new) && (isOutermost || lines.haveSameWords(old, new))
}

extension DeclarationLines {
    /// Whether the patch leaves the line of a declaration alone, as far as line numbers tell.
    fileprivate func isSameLine(_ old: DebugInfo.Variable, _ new: VariableDeclarations.Declaration) -> Bool {
        guard let from = old.declaration, let to = new.place else { return false }
        let now = history.patchedLines(at: patchedPlace(to))
        return history.originalLines(at: originalPlace(from)).contains { history.patched(of: $0).map(now.contains) ?? false }
    }

    /// Whether the words of a declaration are those of another one: it moved to another block.
    fileprivate func haveSameWords(_ old: DebugInfo.Variable, _ new: VariableDeclarations.Declaration) -> Bool {
        guard let from = old.declaration, let to = new.place else { return false }
        let before = history.originalLines(at: originalPlace(from)).compactMap { Self.words(of: history.originalText($0)) }
        return history.patchedLines(at: patchedPlace(to)).contains { Self.words(of: history.patchedText($0)).map(before.contains) ?? false }
    }

    fileprivate func mayBeStatic(_ declaration: VariableDeclarations.Declaration) -> Bool {
        guard let place = declaration.place else { return false }
        return history.patchedLines(at: patchedPlace(place)).contains { line in
            history.patchedText(line).map { Words(of: $0).all.contains { $0.text == "static" } } ?? true
        }
    }
}

/// The initial value of a variable of the size of a number; nil for any other, and for an address.
private func number(_ item: OriginalItem, _ graph: ObjectGraph<OriginalSide>, _ byteOrder: ByteOrder) -> Int64? {
    guard [1, 2, 4, 8].contains(item.size), item.references.isEmpty else { return nil }
    if item.isZeroFilled { return 0 }
    return Int64(bitPattern: byteOrder.number(graph.bytes(of: item)))
}

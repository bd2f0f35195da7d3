/// Makes a patch smaller while a test stays true.
package struct TortureReducer {
    package private(set) var change: TortureCase
    /// How often the test may still be asked.
    private var budget: Int

    package init(_ change: TortureCase, budget: Int) {
        (self.change, self.budget) = (change, budget)
        self.change.originals = change.changes.map(\.original)
        self.change.patched = change.changes.map(\.patched)
    }

    /// - Parameter holds: whether a smaller patch still goes wrong in the same way.
    package mutating func run(_ holds: (TortureCase) async throws -> Bool) async rethrows {
        // Changes first: what the patch does not touch is then context only.
        for index in change.originals.indices where change.originals.count > 1 {
            var smaller = change
            smaller.originals.remove(at: min(index, change.originals.count - 1))
            smaller.patched.remove(at: min(index, change.patched.count - 1))
            try await attempt(smaller, holds)
        }
        for file in change.patched.indices {
            for function in change.patched[file].functions { try await attempt(reverted(file, function.id), holds) }
        }
        var size = max(1, elements.count / 2)
        while budget > 0 {
            var start = 0
            while start < elements.count, budget > 0 {
                let chunk = elements[start..<min(start + size, elements.count)]
                if try await !attempt(without(Set(chunk)), holds) { start += size }
            }
            if size == 1 { break }
            size = max(1, size / 2)
        }
    }

    /// Whether the smaller patch took the place of the one so far.
    @discardableResult
    private mutating func attempt(_ smaller: TortureCase, _ holds: (TortureCase) async throws -> Bool) async rethrows -> Bool {
        guard budget > 0, smaller.originals != change.originals || smaller.patched != change.patched, !smaller.changes.isEmpty else { return false }
        guard (smaller.originals + smaller.patched).allSatisfy(\.isValid) else { return false }
        budget -= 1
        guard try await holds(smaller) else { return false }
        change = smaller
        return true
    }

    private struct Element: Hashable {
        var file: Int
        var id: Int
    }

    /// Functions, then variables, then statements.
    private var elements: [Element] {
        change.originals.indices.flatMap { index in
            let file = change.originals[index], patched = change.patched[index]
            let both = [file, patched]
            let ids =
                both.flatMap { $0.functions.map(\.id) } + both.flatMap { $0.allVariables.map(\.id) }
                + both.flatMap { $0.functions.flatMap { $0.body.allStatements.map(\.id) } }
            var seen: Set<Int> = []
            return ids.filter { seen.insert($0).inserted }.map { Element(file: index, id: $0) }
        }
    }

    private func without(_ elements: Set<Element>) -> TortureCase {
        var smaller = change
        for element in elements {
            smaller.originals[element.file].remove(element.id)
            smaller.patched[element.file].remove(element.id)
        }
        return smaller
    }

    private func reverted(_ file: Int, _ function: Int) -> TortureCase {
        var smaller = change
        guard let old = change.originals[file].functions.first(where: { $0.id == function }) else {
            smaller.patched[file].remove(function)
            return smaller
        }
        for index in smaller.patched[file].functions.indices where smaller.patched[file].functions[index].id == function {
            smaller.patched[file].functions[index] = old
        }
        return smaller
    }
}

extension TortureFile {
    /// Removes the function, variable or statement of that number, and all that uses it.
    mutating func remove(_ id: Int) {
        functions.removeAll { $0.id == id }
        variables.removeAll { $0.id == id }
        header.inlines.removeAll { $0.id == id }
        for index in header.inlines.indices where header.inlines[index].counter?.id == id { header.inlines[index].counter = nil }
        for index in variables.indices {
            if case .functions(let ids) = variables[index].form { variables[index].form = .functions(ids.filter { $0 != id }) }
        }
        let empty = Set(variables.filter { $0.form == .functions([]) }.map(\.id))
        variables.removeAll { empty.contains($0.id) }
        let hasStructure = variables.contains { $0.form == .structure }
        for index in functions.indices {
            functions[index].body.removeVariable(id)
            functions[index].body.removeStatements { statement in
                switch statement.kind {
                case .call(id), .inline(id): true
                case .table(let table): empty.contains(table)
                case .member(_, let own): own && !hasStructure
                default: statement.id == id
                }
            }
        }
    }
}

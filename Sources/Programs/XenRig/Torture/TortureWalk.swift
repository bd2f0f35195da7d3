/// Walks through a file's elements. Blocks are three deep at most: the generator makes no others.
extension TortureBlock {
    /// This block and all blocks in it.
    package var all: [TortureBlock] { [self] + statements.flatMap { $0.block?.all ?? [] } }

    /// Static variables of this block and those in it, tables of labels included.
    package var allVariables: [TortureVariable] {
        all.flatMap { block in block.variables + block.statements.compactMap(\.ownTable) }
    }

    package var allStatements: [TortureStatement] { all.flatMap(\.statements) }

    /// Calls the function for this block and for each block in it.
    package mutating func update(_ change: (inout TortureBlock) -> Void) {
        change(&self)
        for index in statements.indices {
            guard case .nested(var block) = statements[index].kind else { continue }
            block.update(change)
            statements[index].kind = .nested(block)
        }
    }

    /// Removes each statement for which the function says so.
    package mutating func removeStatements(where matches: (TortureStatement) -> Bool) { update { $0.statements.removeAll(where: matches) } }

    /// Removes a static variable with all its uses.
    package mutating func removeVariable(_ id: Int) {
        update { $0.variables.removeAll { $0.id == id } }
        removeStatements { $0.variable == id || $0.ownTable?.id == id }
    }
}

extension TortureStatement {
    package var block: TortureBlock? { if case .nested(let block) = kind { block } else { nil } }
    package var ownTable: TortureVariable? { if case .dispatch(let table, _) = kind { table } else { nil } }

    /// Whether the statement reads a variable and does not write it.
    package var reads: Bool {
        switch kind {
        case .scalar(_, let form): form == 1 || form == 3
        case .array(_, let form): form < 2 || form == 4 || form == 5
        default: false
        }
    }

    /// Whether the statement writes a variable. A function that gets its address does not.
    package var writes: Bool {
        switch kind {
        case .scalar(_, let form): [0, 2, 4, 6].contains(form)
        case .array(_, let form): [2, 3, 6, 8, 9, 10].contains(form)
        default: false
        }
    }

    /// The variable that the statement uses, its own table apart.
    package var variable: Int? {
        switch kind {
        case .scalar(let id, _), .array(let id, _), .table(let id): id
        default: nil
        }
    }
}

extension TortureFile {
    /// All variables: those of the file, of the header's inline functions and of all functions.
    package var allVariables: [TortureVariable] {
        variables + header.inlines.compactMap(\.counter) + functions.flatMap(\.body.allVariables)
    }

    /// Whether the text means what the model says: each name leads to the variable that is meant, no block declares a name twice, and all
    /// elements that a statement names are there.
    package var isValid: Bool {
        let known = Set(functions.map(\.id)), names = functions.map(\.name) + variables.map(\.name)
        guard Set(names).count == names.count, !functions.isEmpty else { return false }
        for case .functions(let ids) in variables.map(\.form) where !known.isSuperset(of: ids) || ids.isEmpty { return false }
        let scope = Dictionary(variables.map { ($0.name, $0.id) }) { first, _ in first }
        return functions.allSatisfy { isValid($0.body, scope, known, $0.id) }
    }

    private func isValid(_ block: TortureBlock, _ outer: [String: Int], _ functions: Set<Int>, _ function: Int) -> Bool {
        guard Set(block.variables.map(\.name)).count == block.variables.count else { return false }
        let scope = outer.merging(block.variables.map { ($0.name, $0.id) }) { _, inner in inner }
        let visible = Set(scope.values)
        return block.statements.allSatisfy { statement in
            switch statement.kind {
            case .scalar(let id, _), .array(let id, _), .table(let id): visible.contains(id)
            case .call(let id): functions.contains(id) && id != function
            case .inline(let id): header.inlines.contains { $0.id == id }
            case .member(let id, let own): header.members.contains(id) && (!own || variables.contains { $0.form == .structure })
            case .nested(let inner): isValid(inner, scope, functions, function)
            default: true
            }
        }
    }
}

extension TortureMutator {
    // MARK: Statements

    mutating func statement(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        switch mutation {
        case .statementAdded, .specialAdded: return addStatement(special: mutation == .specialAdded, &file)
        case .statementRemoved, .specialRemoved:
            let candidates = file.functions.flatMap(\.body.allStatements).filter { statement in
                mutation == .specialRemoved ? statement.isSpecial : statement.block == nil && statement.ownTable == nil
            }
            guard let statement = pick(candidates) else { return false }
            for index in file.functions.indices { file.functions[index].body.removeStatements { $0.id == statement.id } }
            return true
        default: break
        }
        let candidates = file.functions.flatMap(\.body.allStatements).filter { statement in
            switch (mutation, statement.kind) {
            case (.arrayUseChanged, .array), (.stringChanged, .print), (.switchChanged, .choice): true
            case (.constantChanged, .nested), (.constantChanged, .print), (.constantChanged, .call), (.constantChanged, .macro): true
            default: false
            }
        }
        guard let statement = pick(candidates) else { return false }
        let constant = generator.constant(), word = generator.word(), form = below(TortureStatement.arrayForms), grows = below(2) == 0
        change(statement: statement.id, in: &file) { statement in
            switch statement.kind {
            case .array(let variable, _): statement.kind = .array(variable: variable, form: form)
            case .print where mutation == .stringChanged: statement.kind = .print(word)
            case .choice(var values):
                if grows { values.append(constant) } else { values[constant % values.count] = constant }
                statement.kind = .choice(values)
            default: statement.constant = constant
            }
        }
        return true
    }

    private mutating func addStatement(special: Bool, _ file: inout TortureFile) -> Bool {
        guard let place = place(in: file) else { return false }
        let function = file.functions[place.function].id, at = below(place.block.statements.count + 1)
        var new = generator.statement(&file, function, depth: 2, visible: file.variables)
        if special {
            let kinds: [TortureStatement.Kind] =
                [.bug, .assertion, .alternative] + (generator.features.contains(.warnings) ? [.warn] : [])
                + (generator.features.contains(.exceptions) ? [.exception] : [])
            new.kind = pick(kinds) ?? .bug
        }
        change(place, in: &file) { $0.statements.insert(new, at: at) }
        return true
    }

    // MARK: Functions

    mutating func function(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        let index = below(file.functions.count)
        switch mutation {
        case .linesShifted: file.functions[index].comments += 1 + below(3)
        case .functionAdded:
            var function = generator.emptyFunction(&file)
            function.body = generator.block(&file, function.id, depth: 1, visible: file.variables)
            file.functions.insert(function, at: below(file.functions.count + 1))
            guard function.isStatic else { return true }
            guard let place = place(in: file, where: { block in !function.body.all.contains { $0.id == block.id } }) else { return false }
            let call = TortureStatement(id: file.newID(), kind: .call(function: function.id), constant: generator.constant())
            // A caller with a greater number could be called by it.
            guard !reaches(function.id, file.functions[place.function].id, file) else { return false }
            change(place, in: &file) { $0.statements.append(call) }
        case .functionMoved:
            let function = file.functions.remove(at: index)
            file.functions.insert(function, at: below(file.functions.count + 1))
        case .functionSplit: return split(index, &file)
        case .inliningChanged:
            let isStatic = file.functions[index].isStatic
            let others = TortureFunction.Attribute.allCases.filter { isStatic || $0 != .alwaysInline }
            file.functions[index].attribute = pick(others) ?? .none
        case .linkageChanged:
            // A name of its own in the whole hypervisor.
            guard file.functions[index].name.hasPrefix("t"), file.functions[index].attribute != .alwaysInline else { return true }
            file.functions[index].isStatic.toggle()
        default: return false
        }
        return true
    }

    private func reaches(_ from: Int, _ to: Int, _ file: TortureFile) -> Bool {
        var seen: Set<Int> = [], waiting = [from]
        while let id = waiting.popLast() {
            if id == to { return true }
            guard seen.insert(id).inserted, let function = file.functions.first(where: { $0.id == id }) else { continue }
            for case .call(let next) in function.body.allStatements.map(\.kind) { waiting.append(next) }
            for case .functions(let ids) in file.variables.map(\.form) { waiting += ids }
        }
        return false
    }

    /// Moves the last statements of a function into a new static one, if they use no static variable of the function's own block.
    private mutating func split(_ index: Int, _ file: inout TortureFile) -> Bool {
        let body = file.functions[index].body
        guard body.statements.count > 2 else { return true }
        let count = 1 + below(body.statements.count - 1), moved = Array(body.statements.suffix(count)), own = Set(body.variables.map(\.id))
        let part = TortureBlock(id: file.newID(), variables: [], statements: moved)
        guard !part.allStatements.contains(where: { $0.variable.map(own.contains) ?? false }) else { return true }
        let id = file.newID()
        file.functions[index].body.statements.removeLast(count)
        file.functions[index].body.statements.append(.init(id: file.newID(), kind: .call(function: id), constant: generator.constant()))
        let function = TortureFunction(
            id: id, name: "t\(file.label)_f\(id)", isStatic: true, attribute: pick([.none, .noinline]) ?? .none, comments: 0, body: part)
        file.functions.insert(function, at: below(2) == 0 ? index : index + 1)
        return true
    }

    // MARK: Headers

    mutating func header(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        switch mutation {
        case .inlineChanged:
            guard !file.header.inlines.isEmpty else { return false }
            let constant = generator.constant()
            file.header.inlines[below(file.header.inlines.count)].constant = constant
        case .macroChanged: file.header.macro = generator.constant()
        case .memberAdded:
            let id = file.newID()
            file.header.members.insert(id, at: below(file.header.members.count + 1))
        default: return false
        }
        return true
    }
}

extension TortureStatement {
    /// Whether it makes an entry of a special section.
    var isSpecial: Bool {
        switch kind {
        case .bug, .warn, .assertion, .alternative, .exception: true
        default: false
        }
    }
}

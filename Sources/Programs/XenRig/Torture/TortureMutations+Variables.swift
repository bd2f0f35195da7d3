extension TortureMutator {
    // MARK: Static variables of functions

    mutating func local(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        switch mutation {
        case .localAdded, .localAddedSameName: return addLocal(sameName: mutation == .localAddedSameName, &file)
        case .localsSwapped: return swapBlocks(&file)
        case .localsReordered:
            guard let place = place(in: file, where: { $0.variables.count > 1 }) else { return false }
            change(place, in: &file) { $0.variables.reverse() }
            return true
        case .localMoved: return moveLocal(&file)
        case .localsWrapped: return wrapBlocks(&file)
        case .localTypeChanged: return changeLocal(&file)
        case .blockDoubled:
            guard let place = place(in: file, where: { $0.statements.contains { $0.canBeDoubled } }) else { return false }
            guard let statement = pick(place.block.statements.filter(\.canBeDoubled)) else { return false }
            var copy = generator.copy(of: statement, &file)
            if below(2) == 0 { copy.constant = generator.constant() }
            let at = below(place.block.statements.count + 1)
            change(place, in: &file) { $0.statements.insert(copy, at: at) }
            return true
        default: break
        }
        guard let place = place(in: file, where: { !$0.variables.isEmpty }), let variable = pick(place.block.variables) else { return false }
        if mutation == .localRemoved {
            file.functions[place.function].body.removeVariable(variable.id)
        } else {
            // Another name is another variable: nothing but the name says which one it was.
            let id = file.newID(), name = "other\(below(3))"
            file.functions[place.function].body.update { block in
                for index in block.variables.indices where block.variables[index].id == variable.id {
                    (block.variables[index].id, block.variables[index].name) = (id, name)
                }
                for index in block.statements.indices { block.statements[index].replace(variable.id, by: id) }
            }
        }
        return true
    }

    private mutating func addLocal(sameName: Bool, _ file: inout TortureFile) -> Bool {
        let names = file.functions.map { sameName ? $0.body.allVariables.filter { $0.ownsName }.map(\.name) : ["fresh"] }
        guard let function = pick(names.indices.filter { !names[$0].isEmpty }), let name = pick(names[function]) else { return false }
        guard let block = pick(file.functions[function].body.all.filter { block in !block.variables.contains { $0.name == name } }) else { return false }
        let variable = generator.local(named: name, &file)
        let uses = generator.uses(of: variable, &file), index = below(block.variables.count + 1), at = below(block.statements.count + 1)
        let wrapped = TortureBlock(id: file.newID(), variables: [variable], statements: uses), wrap = below(2) == 0
        let nested = TortureStatement(id: file.newID(), kind: .nested(wrapped), constant: generator.constant())
        change((function, block), in: &file) { block in
            if wrap { return block.statements.insert(nested, at: at) }
            block.variables.insert(variable, at: index)
            block.statements.insert(contentsOf: uses, at: at)
        }
        return true
    }

    /// Swaps two nested blocks beside each other that have static variables.
    private mutating func swapBlocks(_ file: inout TortureFile) -> Bool {
        func isNested(_ statement: TortureStatement) -> Bool { !(statement.block?.variables.isEmpty ?? true) }
        guard let place = place(in: file, where: { $0.statements.count { isNested($0) } > 1 }) else { return false }
        let indices = place.block.statements.indices.filter { isNested(place.block.statements[$0]) }
        guard let first = pick(indices.dropLast()), let second = pick(indices.filter { $0 > first }) else { return false }
        change(place, in: &file) { $0.statements.swapAt(first, second) }
        return true
    }

    /// Puts nested blocks with static variables into conditions of their own, which indents their lines anew: one of them, or all of a block.
    private mutating func wrapBlocks(_ file: inout TortureFile) -> Bool {
        func isNested(_ statement: TortureStatement) -> Bool { !(statement.block?.allVariables.isEmpty ?? true) }
        guard let place = place(in: file, where: { $0.statements.contains(where: isNested) }) else { return false }
        let indices = place.block.statements.indices.filter { isNested(place.block.statements[$0]) }
        let chosen = below(2) == 0 ? indices : pick(indices).map { [$0] } ?? []
        var block = place.block
        for index in chosen {
            let inner = TortureBlock(id: file.newID(), variables: [], statements: [block.statements[index]])
            block.statements[index] = TortureStatement(id: file.newID(), kind: .nested(inner), constant: generator.constant())
        }
        change(place, in: &file) { $0 = block }
        return true
    }

    /// Gives a static variable another type: that is another variable, whatever its name.
    private mutating func changeLocal(_ file: inout TortureFile) -> Bool {
        guard let place = place(in: file, where: { $0.variables.contains(where: \.isWritable) }) else { return false }
        guard let variable = pick(place.block.variables.filter(\.isWritable)) else { return false }
        let type = pick(["unsigned int", "unsigned long", "unsigned char"].filter { $0 != variable.type }) ?? "unsigned long"
        change(variable: variable.id, in: &file) { $0.type = type }
        // Often a new one of the old type and name comes with it.
        guard below(2) == 0 else { return true }
        var namesake = generator.local(named: variable.name, &file, isScalar: true)
        namesake.type = variable.type
        let inner = TortureBlock(id: file.newID(), variables: [namesake], statements: generator.uses(of: namesake, &file))
        let nested = TortureStatement(id: file.newID(), kind: .nested(inner), constant: generator.constant()), at = below(place.block.statements.count + 1)
        change(place, in: &file) { $0.statements.insert(nested, at: at) }
        return true
    }

    /// Moves a static variable with the statements of its own block that use it into another block of the function.
    private mutating func moveLocal(_ file: inout TortureFile) -> Bool {
        guard let place = place(in: file, where: { !$0.variables.isEmpty }), let variable = pick(place.block.variables) else { return false }
        let others = file.functions[place.function].body.all.filter { $0.id != place.block.id }
        guard let target = pick(others) else { return false }
        let uses = place.block.statements.filter { $0.variable == variable.id }
        file.functions[place.function].body.removeVariable(variable.id)
        let at = below(target.statements.count + 1)
        change((place.function, target), in: &file) { block in
            block.variables.append(variable)
            block.statements.insert(contentsOf: uses, at: min(at, block.statements.count))
        }
        return true
    }

    // MARK: Variables of the file

    mutating func variable(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        switch mutation {
        case .variableAdded:
            var variable = generator.variable(&file)
            guard variable.form != .structure else { return true }
            // Beside others of its section more often than not.
            let shared = file.variables.filter { $0.section != .usual }.map(\.section)
            if variable.isWritable, let section = pick(shared), below(3) > 0 { variable.section = section }
            file.variables.insert(variable, at: below(file.variables.count + 1))
            for _ in 0...below(2) { use(variable, in: &file) }
            return true
        case .neighbourAdded: return addNeighbour(&file)
        case .variableMoved:
            guard file.variables.count > 1 else { return false }
            let variable = file.variables.remove(at: below(file.variables.count))
            file.variables.insert(variable, at: below(file.variables.count + 1))
            return true
        case .variableRemoved:
            guard let variable = pick(file.variables.filter { $0.form != .structure }) else { return false }
            file.variables.removeAll { $0.id == variable.id }
            for index in file.functions.indices { file.functions[index].body.removeVariable(variable.id) }
            return true
        default: break
        }
        let candidates = (file.variables + file.functions.flatMap(\.body.allVariables)).filter { variable in
            switch variable.form {
            case .array: true
            case .scalar: mutation != .variableResized || variable.type != "unsigned long"
            default: false
            }
        }
        guard let variable = pick(candidates) else { return false }
        let number = 1 + below(4), constant = generator.constant()
        let section = pick(TortureVariable.Section.allCases) ?? .usual
        change(variable: variable.id, in: &file) { variable in
            switch (mutation, variable.form) {
            case (.sectionChanged, _): variable.section = section
            case (.variableResized, .array(let count, let values)): variable.form = .array(number == 4 ? max(count - 1, values.count) : count + number, values)
            case (.variableResized, _): variable.type = "unsigned long"
            case (_, .array(let count, let values)): variable.form = .array(count, [constant] + values.dropFirst())
            default: variable.form = .scalar(constant)
            }
        }
        return true
    }

    /// Puts a variable before and one behind an array that shares its section, and a loop over the array that begins before it.
    private mutating func addNeighbour(_ file: inout TortureFile) -> Bool {
        let indices = file.variables.indices.filter { index in
            if case .array = file.variables[index].form { file.variables[index].section != .usual } else { false }
        }
        guard let index = pick(indices) else { return false }
        let array = file.variables[index]
        for at in [index + 1, index] {
            let id = file.newID()
            let variable = TortureVariable(id: id, name: "v\(id)", form: .scalar(generator.constant()), section: array.section)
            file.variables.insert(variable, at: at)
            use(variable, in: &file)
        }
        guard let place = place(in: file) else { return false }
        let loop = TortureStatement(id: file.newID(), kind: .array(variable: array.id, form: 9), constant: generator.constant())
        change(place, in: &file) { $0.statements.append(loop) }
        return true
    }

    // MARK: Tables

    mutating func table(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        if mutation == .labelsChanged { return labels(&file) }
        let candidates = (file.variables + file.functions.flatMap(\.body.allVariables)).filter { variable in
            switch variable.form {
            case .functions: mutation == .functionTableChanged
            case .constants, .strings: mutation != .functionTableChanged
            default: false
            }
        }
        guard let table = pick(candidates) else { return false }
        let grown = mutation == .tableGrown, constant = generator.constant(), word = generator.word(), at = below(64)
        change(variable: table.id, in: &file) { table in
            switch table.form {
            case .constants(var values):
                if grown { values.append(constant) } else { values[at % values.count] = constant }
                table.form = .constants(values)
            case .strings(var texts):
                if grown { texts.append(word) } else { texts[at % texts.count] = word }
                table.form = .strings(texts)
            case .functions(var ids):
                if at % 2 == 0, ids.count > 1 { ids.removeLast() } else { ids.swapAt(0, ids.count - 1) }
                table.form = .functions(ids)
            default: break
            }
        }
        return true
    }

    /// Adds an arm, or gives the table another order.
    private mutating func labels(_ file: inout TortureFile) -> Bool {
        guard let statement = pick(file.functions.flatMap { $0.body.allStatements.filter { $0.ownTable != nil } }) else { return false }
        let added = file.newID(), adds = below(2) == 0
        change(statement: statement.id, in: &file) { statement in
            guard case .dispatch(var table, var arms) = statement.kind, case .labels(var order) = table.form else { return }
            if adds {
                arms.append(added)
                order.append(added)
            } else {
                order.swapAt(0, order.count - 1)
            }
            table.form = .labels(order)
            statement.kind = .dispatch(table: table, arms: arms)
        }
        return true
    }
}

extension TortureVariable {
    /// Whether another variable may have the name: a table of labels is always called the same.
    fileprivate var ownsName: Bool { if case .labels = form { false } else { true } }
}

extension TortureStatement {
    /// Whether it is a block with static variables, and without labels, of which a function has one each.
    var canBeDoubled: Bool {
        guard let block, !block.allVariables.isEmpty else { return false }
        return !block.allStatements.contains { $0.ownTable != nil }
    }

    /// Uses another variable instead of one.
    mutating func replace(_ old: Int, by new: Int) {
        switch kind {
        case .scalar(old, let form): kind = .scalar(variable: new, form: form)
        case .array(old, let form): kind = .array(variable: new, form: form)
        case .table(old): kind = .table(variable: new)
        default: break
        }
    }
}

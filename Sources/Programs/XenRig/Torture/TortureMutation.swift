/// The kinds of change that a patch is made of.
package enum TortureMutation: String, Sendable, CaseIterable {
    // Static variables of functions.
    case localAdded = "static local added"
    case localAddedSameName = "static local of a used name added"
    case localRemoved = "static local removed"
    case localRenamed = "static local renamed"
    case localsSwapped = "blocks with static locals swapped"
    case localsReordered = "static locals of a block reordered"
    case localMoved = "static local moved to another block"
    case localsWrapped = "blocks with static locals wrapped"
    case localTypeChanged = "static local of another type"
    case blockDoubled = "block with static locals doubled"
    // Variables of the file.
    case variableAdded = "variable added"
    case neighbourAdded = "neighbour of an array added"
    case variableRemoved = "variable removed"
    case variableMoved = "variable moved"
    case variableResized = "variable resized"
    case initialChanged = "initial value changed"
    case sectionChanged = "section changed"
    case arrayUseChanged = "use of an array changed"
    case tableChanged = "constant table changed"
    case tableGrown = "constant table grown"
    case functionTableChanged = "table of functions changed"
    case labelsChanged = "table of labels changed"
    // Code.
    case constantChanged = "constant changed"
    case statementAdded = "statement added"
    case statementRemoved = "statement removed"
    case stringChanged = "string changed"
    case switchChanged = "switch changed"
    case specialAdded = "bug, alternative or exception added"
    case specialRemoved = "bug, alternative or exception removed"
    case linesShifted = "lines shifted"
    // Functions.
    case functionAdded = "function added"
    case functionMoved = "function moved"
    case functionSplit = "function split"
    case inliningChanged = "inlining changed"
    case linkageChanged = "static or global changed"
    // Headers.
    case inlineChanged = "inline function of the header changed"
    case macroChanged = "macro of the header changed"
    case memberAdded = "member of a structure added"
}

/// Changes files at random places.
package struct TortureMutator {
    var generator: TortureGenerator

    package init(random: TortureRandom, features: TortureFeatures = .all) {
        generator = TortureGenerator(random: random, features: features)
    }

    /// Changes the file.
    ///
    /// - Returns: nil if the file has no place for that kind of change, or if the result would not mean what the model says.
    package mutating func apply(_ mutation: TortureMutation, to file: TortureFile) -> TortureFile? {
        for _ in 0..<8 {
            var changed = file
            guard attempt(mutation, &changed) else { return nil }
            if changed.isValid, changed != file { return changed }
        }
        return nil
    }

    private mutating func attempt(_ mutation: TortureMutation, _ file: inout TortureFile) -> Bool {
        switch mutation {
        case .localAdded, .localAddedSameName, .localRemoved, .localRenamed, .localsSwapped, .localsReordered, .localMoved, .localsWrapped, .localTypeChanged,
            .blockDoubled:
            local(mutation, &file)
        case .variableAdded, .neighbourAdded, .variableRemoved, .variableMoved, .variableResized, .initialChanged, .sectionChanged: variable(mutation, &file)
        case .tableChanged, .tableGrown, .functionTableChanged, .labelsChanged: table(mutation, &file)
        case .arrayUseChanged, .constantChanged, .statementAdded, .statementRemoved, .stringChanged, .switchChanged, .specialAdded, .specialRemoved:
            statement(mutation, &file)
        case .linesShifted, .functionAdded, .functionMoved, .functionSplit, .inliningChanged, .linkageChanged: function(mutation, &file)
        case .inlineChanged, .macroChanged, .memberAdded: header(mutation, &file)
        }
    }

    // MARK: Help

    mutating func below(_ bound: Int) -> Int { generator.random.below(bound) }
    mutating func pick<C: RandomAccessCollection>(_ elements: C) -> C.Element? { generator.random.pick(elements) }

    /// A function with a block that has what is asked for, and that block.
    mutating func place(in file: TortureFile, where matches: (TortureBlock) -> Bool = { _ in true }) -> (function: Int, block: TortureBlock)? {
        pick(file.functions.indices.flatMap { index in file.functions[index].body.all.filter(matches).map { (index, $0) } })
    }

    /// Calls the function for one block.
    func change(_ place: (function: Int, block: TortureBlock), in file: inout TortureFile, _ change: (inout TortureBlock) -> Void) {
        file.functions[place.function].body.update { if $0.id == place.block.id { change(&$0) } }
    }

    /// Changes one variable, wherever it is declared.
    func change(variable id: Int, in file: inout TortureFile, _ change: (inout TortureVariable) -> Void) {
        for index in file.variables.indices where file.variables[index].id == id { change(&file.variables[index]) }
        for index in file.functions.indices {
            file.functions[index].body.update { block in
                for index in block.variables.indices where block.variables[index].id == id { change(&block.variables[index]) }
            }
        }
    }

    /// Changes one statement.
    func change(statement id: Int, in file: inout TortureFile, _ change: (inout TortureStatement) -> Void) {
        for index in file.functions.indices {
            file.functions[index].body.update { block in
                for index in block.statements.indices where block.statements[index].id == id { change(&block.statements[index]) }
            }
        }
    }

    /// A use of the variable at a random place of a random function that may use it.
    mutating func use(_ variable: TortureVariable, in file: inout TortureFile) {
        guard let place = place(in: file) else { return }
        let uses = generator.uses(of: variable, &file), index = below(place.block.statements.count + 1)
        change(place, in: &file) { $0.statements.insert(contentsOf: uses, at: index) }
    }
}

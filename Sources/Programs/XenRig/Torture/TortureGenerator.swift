/// Makes random files.
package struct TortureGenerator {
    package var random: TortureRandom
    /// Whether the tree's compiler flags and headers allow each kind of statement.
    package var features = TortureFeatures.all

    package init(random: TortureRandom, features: TortureFeatures = .all) { (self.random, self.features) = (random, features) }

    static let localNames = ["n", "last", "seen", "state"]
    private static let words = ["queue", "vector", "domain", "flush", "timer", "page", "event", "credit", "trap", "lock"]

    /// A file. Functions call only those with smaller numbers, so that no call comes back.
    package mutating func file(_ number: Int) -> TortureFile {
        var file = TortureFile(number: number, header: TortureHeader(macro: constant(), members: [], inlines: []), variables: [], functions: [], nextID: 1)
        for _ in 0..<(2 + random.below(3)) { file.header.members.append(file.newID()) }
        for _ in 0..<2 {
            let counter = random.chance(50) ? local(named: "calls", &file, isScalar: true) : nil
            file.header.inlines.append(.init(id: file.newID(), constant: constant(), counter: counter))
        }
        for _ in 0..<(5 + random.below(6)) { file.variables.append(variable(&file)) }
        for _ in 0..<(4 + random.below(4)) {
            var function = emptyFunction(&file)
            function.body = block(&file, function.id, depth: 0, visible: file.variables)
            file.functions.append(function)
            if file.functions.count == 3 {
                file.variables.append(functionTable(&file))
            }
        }
        callAll(&file)
        return file
    }

    /// Gives each static function a caller, as the compiler drops what nobody uses. The last function is global.
    private mutating func callAll(_ file: inout TortureFile) {
        guard let last = file.functions.indices.last else { return }
        if file.functions[last].isStatic {
            (file.functions[last].isStatic, file.functions[last].name) = (false, "t\(file.label)_f\(file.functions[last].id)")
        }
        for index in file.functions.indices.dropLast() where file.functions[index].isStatic {
            let callee = file.functions[index].id, caller = index + 1 + below(last - index)
            let call = TortureStatement(id: file.newID(), kind: .call(function: callee), constant: constant())
            file.functions[caller].body.statements.insert(call, at: below(file.functions[caller].body.statements.count + 1))
        }
    }

    private mutating func below(_ bound: Int) -> Int { random.below(bound) }

    mutating func constant() -> Int { 2 + random.below(97) }
    mutating func word() -> String { (random.pick(Self.words) ?? "") + "\(random.below(10))" }

    /// A constant table of functions that are there already.
    private mutating func functionTable(_ file: inout TortureFile) -> TortureVariable {
        let id = file.newID(), candidates = file.functions.filter { $0.attribute != .alwaysInline }.map(\.id)
        let ids = candidates.isEmpty ? file.functions.map(\.id) : candidates
        return TortureVariable(id: id, name: "v\(id)", form: .functions(ids))
    }

    mutating func emptyFunction(_ file: inout TortureFile) -> TortureFunction {
        let id = file.newID(), isStatic = random.chance(50)
        let attribute: TortureFunction.Attribute = !isStatic || random.chance(60) ? (random.chance(70) ? .noinline : .none) : .none
        let body = TortureBlock(id: file.newID(), variables: [], statements: [])
        // Some static functions have the name of others in other files.
        let name = isStatic && random.chance(40) ? "helper_\(id)" : "t\(file.label)_f\(id)"
        return TortureFunction(id: id, name: name, isStatic: isStatic, attribute: attribute, comments: random.below(3), body: body)
    }

    /// A variable outside functions.
    mutating func variable(_ file: inout TortureFile) -> TortureVariable {
        let id = file.newID(), isStatic = random.chance(75)
        var result = TortureVariable(id: id, name: isStatic ? "v\(id)" : "w\(file.label)_\(id)", form: .scalar(nil), isStatic: isStatic)
        result.type = random.pick(["unsigned int", "unsigned int", "unsigned long", "unsigned char"]) ?? "unsigned int"
        result.section = random.pick(TortureVariable.Section.allCases) ?? .usual
        switch random.below(10) {
        case 0...3: result.form = .scalar(initial(result.section))
        case 4...6: result.form = .array(4 + random.below(9), result.section == .usual && random.chance(50) ? [] : [constant(), constant()])
        case 7: result.form = .constants((0..<(3 + random.below(6))).map { _ in constant() })
        case 8: result.form = .strings((0..<(2 + random.below(3))).map { _ in word() })
        default: result.form = file.variables.contains { $0.form == .structure } ? .scalar(initial(result.section)) : .structure
        }
        if !result.isWritable { (result.isStatic, result.name, result.section) = (true, "v\(id)", .usual) }
        return result
    }

    private mutating func initial(_ section: TortureVariable.Section) -> Int? { section == .usual && random.chance(50) ? nil : constant() }

    /// A static variable for a block.
    mutating func local(named name: String? = nil, _ file: inout TortureFile, isScalar: Bool = false) -> TortureVariable {
        let id = file.newID()
        var result = TortureVariable(id: id, name: name ?? random.pick(Self.localNames) ?? "n", form: .scalar(nil))
        if random.chance(25) { result.section = random.pick(TortureVariable.Section.allCases) ?? .usual }
        result.form = .scalar(initial(result.section))
        if isScalar { return result }
        switch random.below(10) {
        case 0...1: result.form = .array(4 + random.below(5), result.section == .usual ? [] : [constant(), constant()])
        case 2: (result.form, result.section) = (.constants((0..<4).map { _ in constant() }), .usual)
        default: break
        }
        return result
    }

    /// A block with statements that use what is visible: variables by their names, the innermost of each name.
    mutating func block(_ file: inout TortureFile, _ function: Int, depth: Int, visible: [TortureVariable]) -> TortureBlock {
        var block = TortureBlock(id: file.newID(), variables: [], statements: [])
        if random.chance(depth == 0 ? 50 : 70) {
            block.variables.append(local(&file))
            if random.chance(30) {
                let second = local(&file)
                if second.name != block.variables[0].name { block.variables.append(second) }
            }
        }
        let inner = visible.filter { outer in !block.variables.contains { $0.name == outer.name } } + block.variables
        for variable in block.variables { block.statements += uses(of: variable, &file) }
        for _ in 0..<(2 + random.below(4)) {
            block.statements.append(statement(&file, function, depth: depth, visible: inner))
            // Blocks that are much alike, with static variables of one name, are what names can't tell apart.
            guard let last = block.statements.last, last.canBeDoubled, random.chance(40) else { continue }
            var copy = copy(of: last, &file)
            if random.chance(60) { copy.constant = constant() }
            block.statements.append(copy)
        }
        return block
    }

    /// The same statement with numbers of its own.
    mutating func copy(of statement: TortureStatement, _ file: inout TortureFile) -> TortureStatement {
        var ids: [Int: Int] = [:]
        for variable in statement.block?.allVariables ?? [] { ids[variable.id] = file.newID() }
        return renumbered(statement, ids, &file)
    }

    private func renumbered(_ statement: TortureStatement, _ ids: [Int: Int], _ file: inout TortureFile) -> TortureStatement {
        var result = statement
        result.id = file.newID()
        if let old = result.variable, let new = ids[old] { result.replace(old, by: new) }
        guard case .nested(var block) = result.kind else { return result }
        block.id = file.newID()
        for index in block.variables.indices { block.variables[index].id = ids[block.variables[index].id] ?? block.variables[index].id }
        block.statements = block.statements.map { renumbered($0, ids, &file) }
        result.kind = .nested(block)
        return result
    }

    /// One or two uses of a variable.
    mutating func uses(of variable: TortureVariable, _ file: inout TortureFile) -> [TortureStatement] {
        (0..<(1 + random.below(2))).compactMap { _ in
            let constant = constant()
            return use(of: variable).map { TortureStatement(id: file.newID(), kind: $0, constant: constant) }
        }
    }

    private mutating func use(of variable: TortureVariable) -> TortureStatement.Kind? {
        switch variable.form {
        case .scalar: .scalar(variable: variable.id, form: random.below(TortureStatement.scalarForms))
        case .array: .array(variable: variable.id, form: random.below(TortureStatement.arrayForms))
        case .constants, .strings, .functions: .table(variable: variable.id)
        case .labels, .structure: nil
        }
    }

    mutating func statement(_ file: inout TortureFile, _ function: Int, depth: Int, visible: [TortureVariable]) -> TortureStatement {
        let id = file.newID(), constant = constant()
        return TortureStatement(id: id, kind: kind(&file, id, function, depth: depth, visible: visible), constant: constant)
    }

    private mutating func kind(
        _ file: inout TortureFile, _ id: Int, _ function: Int, depth: Int, visible: [TortureVariable]
    ) -> TortureStatement.Kind {
        switch random.below(100) {
        case 0..<28:
            let usable = visible.filter { $0.isUsable(in: function, of: file) }
            if let variable = random.pick(usable), let use = use(of: variable) { return use }
            return .macro
        case 28..<50 where depth < 2: return .nested(block(&file, function, depth: depth + 1, visible: visible))
        case 50..<58:
            let callees = file.functions.filter { $0.id < function }
            return random.pick(callees).map { .call(function: $0.id) } ?? .macro
        case 58..<63: return .print(word())
        case 63..<66: return .functionName
        case 66..<71: return .choice((0..<(3 + random.below(5))).map { _ in constant() })
        case 71..<74: return .bug
        case 74..<77 where features.contains(.warnings): return .warn
        case 77..<79: return .assertion
        case 79..<82: return .alternative
        case 82..<85 where features.contains(.exceptions): return .exception
        case 85..<89: return random.pick(file.header.inlines).map { .inline($0.id) } ?? .macro
        case 89..<92: return .macro
        case 92..<96:
            let own = file.variables.contains { $0.form == .structure } && random.chance(60)
            return random.pick(file.header.members).map { .member($0, own: own) } ?? .macro
        case 96..<98:
            let arms = [file.newID(), file.newID(), file.newID()]
            return .dispatch(table: TortureVariable(id: file.newID(), name: "go", form: .labels(arms)), arms: arms)
        default: return .print(word())
        }
    }
}

extension TortureVariable {
    package var isWritable: Bool {
        switch form {
        case .constants, .strings, .functions, .labels: false
        case .scalar, .array, .structure: true
        }
    }

    /// A table of functions may only be used by functions with greater numbers than all of its own.
    func isUsable(in function: Int, of file: TortureFile) -> Bool {
        switch form {
        case .functions(let ids): ids.allSatisfy { $0 < function }
        case .structure, .labels: false
        default: true
        }
    }
}

import DebugInfo
import Diagnostics

/// An object's graph together with its debug info.
struct ExplainedGraph<Side: ComparisonSide> {
    let graph: ObjectGraph<Side>
    let debug: DebugInfo
    private let compiled: CompiledObject
    /// Declared variables by section and offset, each with its position among all of them.
    private let variables: [Place: (variable: DebugInfo.Variable, order: Int)]
    private let functions: [Place: DebugInfo.Function]

    private struct Place: Hashable {
        var section: Int
        var offset: Int

        init(section: Int, offset: UInt64) { (self.section, self.offset) = (section, Int(clamping: offset)) }
        init(_ item: Item<Side>) { (section, offset) = (item.section, item.offset) }
    }

    init(_ object: ObjectID, _ compiled: CompiledObject, by rules: ComparisonRules) {
        graph = ObjectGraph(object, file: compiled.file, architecture: rules.architecture, roles: rules.roles)
        debug = compiled.debug
        self.compiled = compiled
        variables = Dictionary(
            debug.variables.enumerated().map { (Place(section: $1.section, offset: $1.offset), ($1, $0)) }, uniquingKeysWith: { first, _ in first })
        functions = Dictionary(
            debug.functions.compactMap { function in function.entry.map { (Place(section: $0.section, offset: $0.offset), function) } },
            uniquingKeysWith: { first, _ in first })
    }

    func variable(_ id: Item<Side>.ID) -> DebugInfo.Variable? { variables[Place(graph[id])]?.variable }

    /// The position of a variable's declaration among all declarations; `Int.max` when it is unknown.
    func order(_ id: Item<Side>.ID) -> Int { variables[Place(graph[id])]?.order ?? Int.max }

    /// The declarations of variables with these names, also of those without storage.
    func declarations(named names: Set<String>) throws(InputError) -> [VariableDeclarations.Declaration] { try compiled.declarations(named: names) }

    /// Whether the object should have debug information but has none.
    var lacksDebugInfo: Bool { !debug.hasDebugInfo && !graph.items.isEmpty }

    /// The names of the source, for comparing files with each other.
    var sourceNames: ChangeSet.SourceNames<Side> {
        var names = ChangeSet.SourceNames<Side>(functions: Set(debug.functions.map(\.name)))
        for item in graph.items where item.kind == .data {
            guard let variable = variable(item.id), let function = variable.enclosingFunction else { continue }
            names.staticLocals[item.id] = ChangeSet.StaticLocal(name: variable.name, function: function, file: variable.declaration?.file)
        }
        return names
    }

    /// Finds the source lines of places in functions.
    ///
    /// - Parameter places: for each place its function, and its offset from the function's start in bytes.
    func lines(of places: [(function: Item<Side>, offset: Int)]) throws(InputError) -> [Item<Side>.ID: SourceLocation] {
        let wanted = places.map { ($0.function.id, SourceLines.Place(section: $0.function.section, offset: $0.function.offset + $0.offset)) }
        let found = try compiled.lines(of: Set(wanted.map(\.1)))
        return Dictionary(wanted.compactMap { id, place in found[place].map { (id, $0) } }) { first, _ in first }
    }

    /// Where the source declares an item. A cold part has the location of its function.
    func location(_ id: Item<Side>.ID) -> SourceLocation? {
        let own = graph[id], item = own.parent.map { graph[$0] } ?? own
        return item.kind == .function ? functions[Place(item)]?.declaration : variables[Place(item)]?.variable.declaration
    }
}

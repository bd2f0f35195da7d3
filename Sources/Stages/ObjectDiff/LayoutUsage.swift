import DebugInfo
import Diagnostics

/// The users of types in the whole hypervisor: the types of all objects as one graph.
struct LayoutUsage {
    /// A type is identified by its name and the file that defines it. `file` is nil when an object knows only the name.
    struct TypeName: Hashable {
        var key: TypeInfo.Key
        var file: String?
    }

    /// Where a function runs, and whether the payload replaces it.
    enum Fate {
        case stays
        case inPayload
        /// Freed after boot, or unreachable once its callers are replaced.
        case gone
    }

    private struct Function {
        var name: String
        var fate: Fate
        var holds: Set<Int>
        var pointsTo: Set<Int>
        /// Whether it refers to a variable that may hold objects of any type, or lead to them.
        var refersToUntyped: Bool
    }

    private struct Place: Hashable {
        var object: ObjectID
        var item: PatchedItem.ID
    }

    private struct Variable: Hashable {
        var name: String
        var holds: Int?
        var pointsTo: Int?
    }

    private var nodes: [TypeName: Int] = [:]
    private var names: [TypeName] = []
    /// For each type: the types that contain it, the types it contains, and the types that point to it.
    private var heldBy: [Int: Set<Int>] = [:]
    private var holds: [Int: Set<Int>] = [:]
    private var pointedToBy: [Int: Set<Int>] = [:]
    private var functions: [Function] = []
    private var knownFunctions: [Place: Int] = [:]
    private var variables: Set<Variable> = []
    /// Whether some object does not describe the types that its functions use.
    var isIncomplete = false

    // MARK: Gathering

    /// Adds the types of an object.
    ///
    /// - Parameters:
    ///   - fate: returns a function's fate for its entry address, and its item, so that a function that both sides have counts once.
    ///   - refersToUntyped: whether the function at an address refers to a variable that may hold objects of any type.
    mutating func add(
        _ types: TypeInfo, object: ObjectID, refersToUntyped: (DebugInfo.CodeRange) -> Bool, fate: (DebugInfo.CodeRange) -> (Fate, item: PatchedItem.ID?)
    ) {
        let ids = types.definitions.map { node(TypeName($0)) }
        for (id, definition) in zip(ids, types.definitions) {
            for member in definition.members {
                if let held = member.holds {
                    heldBy[ids[held], default: []].insert(id)
                    holds[id, default: []].insert(ids[held])
                }
                if let target = member.pointsTo { pointedToBy[ids[target], default: []].insert(id) }
            }
        }
        for function in types.functions where !(function.holds.isEmpty && function.pointsTo.isEmpty) {
            let (fate, item) = fate(function.entry)
            guard fate != .gone else { continue }
            let place = item.map { Place(object: object, item: $0) }
            let (holds, pointsTo) = (function.holds.map { ids[$0] }, function.pointsTo.map { ids[$0] })
            if let known = place.flatMap({ knownFunctions[$0] }) {
                functions[known].holds.formUnion(holds)
                functions[known].pointsTo.formUnion(pointsTo)
                if !functions[known].refersToUntyped { functions[known].refersToUntyped = refersToUntyped(function.entry) }
            } else {
                if let place { knownFunctions[place] = functions.count }
                functions.append(
                    Function(
                        name: function.name, fate: fate, holds: Set(holds), pointsTo: Set(pointsTo), refersToUntyped: refersToUntyped(function.entry)))
            }
        }
        for variable in types.variables where variable.holds != nil || variable.pointsTo != nil {
            variables.insert(
                Variable(name: variable.name, holds: variable.holds.map { ids[$0] }, pointsTo: variable.pointsTo.map { ids[$0] }))
        }
    }

    private mutating func node(_ name: TypeName) -> Int {
        if let known = nodes[name] { return known }
        let id = names.count
        nodes[name] = id
        names.append(name)
        return id
    }

    // MARK: Asking

    /// The users of a type and of all types that contain it.
    ///
    /// - Parameter type: the type's names before and after the patch.
    func users(of type: Set<TypeName>) -> LayoutChange.Users {
        let direct = withDeclarations(type.compactMap { nodes[$0] })
        let all = containers(of: direct)
        var result = LayoutChange.Users()
        var outside: [String] = []
        var first: Set<String> = []
        for function in functions where uses(function, all) {
            guard function.fate == .stays else {
                result.inPayload += 1
                continue
            }
            outside.append(function.name)
            if uses(function, direct) { first.insert(function.name) }
        }
        result.outsideCount = outside.count
        let shown = Set(outside).sorted { (first.contains($0) ? 0 : 1, $0) < (first.contains($1) ? 0 : 1, $1) }
        result.outside = Array(shown.prefix(Self.examples))
        let holders = variables.filter { touches($0, all) }.map(\.name)
        result.variables = Array(Set(holders).sorted().prefix(Self.examples))
        return result
    }

    private static let examples = 5

    /// Whether all instances of a type live on the stack, for functions of the payload only.
    ///
    /// Debug information can't prove that, but everything it says must support it. Some function of the payload has an instance on its
    /// stack. No function that stays uses the type. No function that uses it refers to a stored `void *` or to bytes that may hold anything.
    /// No variable, and no type that outlives a call, contains an instance, points to one, or could be linked to something in it.
    func isStackOnly(_ type: Set<TypeName>) -> Bool {
        guard !isIncomplete else { return false }
        let ids = withDeclarations(type.compactMap { nodes[$0] })
        var all = containers(of: ids)
        guard functions.contains(where: { $0.fate == .inPayload && !$0.holds.isDisjoint(with: all) }), !hasLinks(ids) else { return false }
        while true {
            if functions.contains(where: { ($0.fate == .stays || $0.refersToUntyped) && uses($0, all) }) { return false }
            if variables.contains(where: { touches($0, all) }) { return false }
            let pointing = all.reduce(into: Set<Int>()) { $0.formUnion(pointedToBy[$1] ?? []) }
            let larger = all.union(containers(of: withDeclarations(pointing)))
            if larger == all { return true }
            all = larger
        }
    }

    /// Whether the type contains something that points to its own kind, such as the head of a list. Then it may be reached without its
    /// name.
    private func hasLinks(_ types: Set<Int>) -> Bool {
        var waiting = Array(types)
        var seen = types
        while let next = waiting.popLast() {
            let like = withDeclarations([next])
            if like.contains(where: { !(pointedToBy[$0] ?? []).isDisjoint(with: like) }) { return true }
            for part in holds[next] ?? [] where seen.insert(part).inserted { waiting.append(part) }
        }
        return false
    }

    private func uses(_ function: Function, _ types: Set<Int>) -> Bool {
        !function.holds.isDisjoint(with: types) || !function.pointsTo.isDisjoint(with: types)
    }

    private func touches(_ variable: Variable, _ types: Set<Int>) -> Bool {
        [variable.holds, variable.pointsTo].contains { $0.map { types.contains($0) } ?? false }
    }

    /// Adds the same types as known to objects that have only their names.
    private func withDeclarations(_ types: Set<Int>) -> Set<Int> {
        types.union(types.compactMap { nodes[TypeName(key: names[$0].key, file: nil)] })
    }

    private func withDeclarations(_ types: [Int]) -> Set<Int> { withDeclarations(Set(types)) }

    /// The types themselves, and all types that contain one of them.
    private func containers(of types: Set<Int>) -> Set<Int> {
        var result = types
        var waiting = Array(types)
        while let next = waiting.popLast() {
            for container in withDeclarations(heldBy[next] ?? []) where result.insert(container).inserted { waiting.append(container) }
        }
        return result
    }
}

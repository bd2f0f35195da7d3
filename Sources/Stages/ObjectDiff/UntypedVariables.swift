import DebugInfo

/// The variables of an object that may hold objects of any type, or lead to them: a `void *`, an array of bytes or of longs, and structs that
/// have such a member.
struct UntypedVariables<Side: ComparisonSide> {
    private let graph: ObjectGraph<Side>
    private let functions: [SourceLines.Place: Item<Side>.ID]
    private let items: Set<Item<Side>.ID>
    /// Those that other objects define.
    private let names: Set<String>

    init(_ graph: ObjectGraph<Side>, _ types: TypeInfo) {
        self.graph = graph
        // Nothing is stored in constant bytes, wherever they are defined.
        let untyped = types.variables.filter { Self.isUntyped($0.canonicalType, holds: $0.holds, types) && !Self.isConstantArray($0.type) }
        let places = Set(untyped.compactMap(\.place))
        items = Set(
            graph.items.filter { item in
                item.kind == .data && item.role != .readOnly && places.contains(SourceLines.Place(section: item.section, offset: item.offset))
            }.map(\.id))
        names = Set(untyped.filter { $0.place == nil }.map(\.name))
        functions = Dictionary(
            graph.items.filter { $0.kind == .function }.map { (SourceLines.Place(section: $0.section, offset: $0.offset), $0.id) },
            uniquingKeysWith: { first, _ in first })
    }

    private static func isUntyped(_ type: String, holds: Int?, _ types: TypeInfo) -> Bool {
        if isUntyped(type) { return true }
        guard let holds else { return false }
        return types.definitions[holds].members.contains { isUntyped($0.canonicalType) }
    }

    /// - Parameter type: as the source spells it: `const uint8_t [16]`.
    private static func isConstantArray(_ type: String) -> Bool {
        type.hasPrefix("const ") && type.hasSuffix("]") && !type.contains("*")
    }

    /// - Parameter type: without typedefs: `void *[4]`, `unsigned char[16]`.
    private static func isUntyped(_ type: String) -> Bool {
        let words = type.split { $0 == " " || $0 == "[" || $0 == "]" }
        if words.contains("void"), type.contains("*") { return true }
        guard type.hasSuffix("]"), !type.contains("*") else { return false }
        return words.contains("char") || words.contains("long")
    }

    /// Whether the function that is entered at a place refers to one of them.
    func isUsed(by entry: DebugInfo.CodeRange) -> Bool {
        guard let id = functions[SourceLines.Place(section: entry.section, offset: Int(clamping: entry.offset))] else { return false }
        return graph[id].allReferences.contains { reference in
            switch reference.target {
            case .item(let target): items.contains(target)
            case .external(let name): names.contains(name)
            default: false
            }
        }
    }
}

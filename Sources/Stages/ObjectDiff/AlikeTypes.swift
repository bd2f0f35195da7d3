import DebugInfo

/// A type as a member or a variable uses it.
struct TypeUse {
    var canonicalType: String
    var holds: Int?
    var pointsTo: Int?
    var layout: TypeInfo.Layout?

    init(_ member: TypeInfo.Member) {
        (canonicalType, holds, pointsTo, layout) = (member.canonicalType, member.holds, member.pointsTo, member.layout)
    }

    init(_ variable: TypeInfo.VariableUse) {
        (canonicalType, holds, pointsTo, layout) = (variable.canonicalType, variable.holds, variable.pointsTo, variable.layout)
    }
}

/// Decides whether a value of one type can be read as another: whether every scalar lies at the same bits with the same representation, and
/// every pointer leads to something of which that is true as well.
struct AlikeTypes {
    enum Answer {
        case same
        /// The types differ only in the names of structs, unions or enums.
        case renamed
        /// They are written in another way: a struct of one `u64` is a `u64`.
        case kept
        case different
    }

    private let old: TypeInfo
    private let new: TypeInfo
    /// Pairs of definitions that are compared, or were. Types lead to each other in circles, so each pair is looked at once.
    private var seen: Set<[Int]> = []
    private var waiting: [(Int, Int)] = []

    init(_ old: TypeInfo, _ new: TypeInfo) {
        self.old = old
        self.new = new
    }

    /// Compares two types of the same size.
    mutating func compare(_ x: TypeUse, _ y: TypeUse) -> Answer {
        var answer = step(x, y)
        guard answer == .renamed else { return answer }
        while let (a, b) = waiting.popLast() {
            switch compare(old.definitions[a], new.definitions[b]) {
            case .different: return .different
            case .kept: answer = .kept
            case .same, .renamed: break
            }
        }
        return answer
    }

    private mutating func step(_ x: TypeUse, _ y: TypeUse) -> Answer {
        if x.canonicalType == y.canonicalType { return .same }
        guard let was = x.layout, let now = y.layout, was.footprint == now.footprint, haveSameGrid(x, y) else { return .different }
        for case (let a?, let b?) in [(x.holds, y.holds), (x.pointsTo, y.pointsTo)] {
            let (was, now) = (old.definitions[a], new.definitions[b])
            guard was.kind == now.kind, was.spelling != now.spelling,
                x.canonicalType.replacing(was.spelling, with: now.spelling, maxReplacements: 1) == y.canonicalType
            else { continue }
            if seen.insert([a, b]).inserted { waiting.append((a, b)) }
            return .renamed
        }
        return was.targets == now.targets ? .kept : .different
    }

    /// Whether an index means the same in both. `v[2][8]` and `v[8][2]` have their values at the same places, and so have an array of structs
    /// and a struct of arrays; but the value of one index is now that of another. A plain row of scalars may be cut in any way.
    private func haveSameGrid(_ x: TypeUse, _ y: TypeUse) -> Bool {
        let (before, after) = (ArrayGrid(x.canonicalType), ArrayGrid(y.canonicalType))
        return before.counts == after.counts || before.isRow || after.isRow
    }

    /// Compares two types that have different names.
    private mutating func compare(_ x: TypeInfo.Definition, _ y: TypeInfo.Definition) -> Answer {
        guard x.isComplete, y.isComplete, x.size == y.size, let was = x.layout, let now = y.layout, was.footprint == now.footprint else { return .different }
        if x.kind == .enumeration { return x.enumerators == y.enumerators ? .renamed : .different }
        // A name that is elsewhere now means something else, even if what is there looks the same.
        let places = Dictionary(x.members.map { ($0.name, $0.bitOffset) }) { first, _ in first }
        guard y.members.allSatisfy({ (places[$0.name] ?? $0.bitOffset) == $0.bitOffset }) else { return .different }
        var answer = Answer.renamed
        if x.members.map(\.name) != y.members.map(\.name) {
            answer = .kept
            if was.targets == now.targets { return answer }
        }
        guard x.members.count == y.members.count else { return .different }
        for (a, b) in zip(x.members, y.members) {
            guard a.bitOffset == b.bitOffset, a.bitSize == b.bitSize, a.isBitField == b.isBitField else { return .different }
            switch step(TypeUse(a), TypeUse(b)) {
            case .different: return .different
            case .kept: answer = .kept
            case .same, .renamed: break
            }
        }
        return answer
    }
}

/// How arrays are nested in a type.
struct ArrayGrid {
    /// The counts of elements, the outermost first, but for 1, and for the innermost if the elements are scalars.
    let counts: [Substring]
    /// Whether it is a scalar, or an array of scalars with one dimension.
    let isRow: Bool

    init(_ canonicalType: String) {
        // Arrays of pointers to functions and to arrays have their brackets elsewhere. They count as scalars.
        var text = canonicalType[...], counts: [Substring] = []
        while text.last == "]", let open = text.lastIndex(of: "[") {
            counts.insert(text[text.index(after: open)..<text.index(before: text.endIndex)], at: 0)
            text = text[..<open]
            while text.last == " " { text.removeLast() }
        }
        let isAggregate = ["struct", "union"].contains(text.prefix { $0 != " " && $0 != "{" }) && text.last != "*" && text.last != ")"
        if !isAggregate, !counts.isEmpty { counts.removeLast() }
        self.counts = counts.filter { $0 != "1" }
        isRow = !isAggregate && self.counts.isEmpty
    }
}

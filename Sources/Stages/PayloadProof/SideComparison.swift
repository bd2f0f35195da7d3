import ELFModel
import TargetArchitecture

/// A comparison of the two compilations of an object, piece by piece: are the bytes the same, and does each relocation mean the same?
struct SideComparison {
    let original: ObjectIndex
    let patched: ObjectIndex
    /// The original's name for a local name of the patched object; nil for a new one.
    let originalName: (String) -> String?
    private let entriesBefore: [Int: [ObjectEntry]]
    private let entriesAfter: [Int: [ObjectEntry]]
    /// What was found equal, and everything that it leads to.
    private var equal: Set<Pair> = []

    private struct Pair: Hashable {
        var original: Int
        var patched: Int
    }

    init(original: ObjectIndex, patched: ObjectIndex, tables: [SpecialTable], originalName: @escaping (String) -> String?) {
        self.original = original
        self.patched = patched
        self.originalName = originalName
        entriesBefore = original.entriesByOwner(tables)
        entriesAfter = patched.entriesByOwner(tables)
    }

    /// The original piece that a patched one stands for; nil for a new one.
    func twin(of piece: Piece) -> Int? {
        for name in piece.names {
            if piece.globalNames.contains(name) {
                if let global = original.global(name) ?? original.pieces(named: name).first { return global }
            } else if let before = originalName(name), original.pieces(named: before).count == 1 {
                return original.pieces(named: before)[0]
            }
        }
        return nil
    }

    /// Whether an original piece, or an entry that belongs to it, refers to a symbol.
    func originalRefers(_ number: Int, to name: String) -> Bool {
        let user = original.pieces[number]
        func means(_ relocation: ELFRelocation, _ user: Piece?, _ field: SpecialTable.Field?) -> Bool {
            switch original.target(of: relocation, in: user, field: field) {
            case .external(let symbol): symbol == name
            case .piece(let piece, _): original.pieces[piece].names.contains(name)
            default: false
            }
        }
        if original.relocations(in: user.range, of: user.section).contains(where: { means($0, user, nil) }) { return true }
        return (entriesBefore[number] ?? []).contains { entry in
            entry.relocations.contains { relocation in
                means(relocation, nil, entry.table.fields.first { UInt64(entry.start + $0.offset) == relocation.offset })
            }
        }
    }

    /// Whether two pieces have the same content, with everything that counts by its content alone and that they lead to.
    mutating func areEqual(_ before: Int, _ after: Int) -> Bool {
        var reached: Set<Pair> = [], queue = [Pair(original: before, patched: after)]
        while let pair = queue.popLast() {
            guard !equal.contains(pair), reached.insert(pair).inserted else { continue }
            guard let more = compare(pair) else { return false }
            queue += more
        }
        equal.formUnion(reached)
        return true
    }

    /// - Returns: the pairs that must also be equal; nil if these two are not.
    private func compare(_ pair: Pair) -> [Pair]? {
        let (a, b) = (original.pieces[pair.original], patched.pieces[pair.patched])
        guard a.range.count == b.range.count else { return nil }
        let (left, right) = (original.relocations(in: a.range, of: a.section), patched.relocations(in: b.range, of: b.section))
        guard left.count == right.count, original.bytes(of: a) == patched.bytes(of: b) else { return nil }
        var more: [Pair] = []
        for (x, y) in zip(left, right) {
            guard x.offset &- UInt64(a.range.lowerBound) == y.offset &- UInt64(b.range.lowerBound) else { return nil }
            guard let found = compare(x, of: a, y, of: b, field: nil) else { return nil }
            more += found
        }
        let (entriesA, entriesB) = (entriesBefore[pair.original] ?? [], entriesAfter[pair.patched] ?? [])
        guard entriesA.count == entriesB.count else { return nil }
        for (x, y) in zip(entriesA, entriesB) {
            guard let found = compare(x, y) else { return nil }
            more += found
        }
        return more
    }

    private func compare(_ x: ObjectEntry, _ y: ObjectEntry) -> [Pair]? {
        guard x.table.section == y.table.section, x.bytes == y.bytes, x.relocations.count == y.relocations.count else { return nil }
        var more: [Pair] = []
        for (p, q) in zip(x.relocations, y.relocations) {
            let offset = Int(p.offset) - x.start
            guard offset == Int(q.offset) - y.start else { return nil }
            // Code without bytes is nowhere.
            if x.table.unreadWords.contains(offset) || (x.replacementLength == 0 && offset == x.table.fields.dropFirst().first?.offset) { continue }
            guard let found = compare(p, of: nil, q, of: nil, field: x.table.fields.first { $0.offset == offset }) else { return nil }
            more += found
        }
        return more
    }

    private func compare(_ x: ELFRelocation, of a: Piece?, _ y: ELFRelocation, of b: Piece?, field: SpecialTable.Field?) -> [Pair]? {
        guard patched.architecture.areEquivalent(x.type, y.type) else { return nil }
        let (p, q) = (place(of: x, in: original, a, field), place(of: y, in: patched, b, field))
        switch (p, q) {
        case (.named(let m, let i), .named(let n, let j)): return m == n && i == j ? [] : nil
        case (.piece(let m, let i), .piece(let n, let j)): return i == j ? mean(m, n) : nil
        case (.named(let m, let i), .piece(let n, let j)): return i == j && patched.pieces[n].globalNames.contains(m) ? [] : nil
        case (.piece(let m, let i), .named(let n, let j)): return i == j && original.pieces[m].globalNames.contains(n) ? [] : nil
        case (.number(let m), .number(let n)): return m == n ? [] : nil
        case (.nothing(let m, let i), .nothing(let n, let j)): return m == n && i == j ? [] : nil
        default: return nil
        }
    }

    private func mean(_ m: Int, _ n: Int) -> [Pair]? {
        let (a, b) = (original.pieces[m], patched.pieces[n])
        switch (a.kind, b.kind) {
        case (.function, .function), (.variable, .variable), (.hook, .hook):
            if a.names.isEmpty, b.names.isEmpty { return [Pair(original: m, patched: n)] }
            return twin(of: b) == m ? [] : nil
        case (.constant, .constant), (.code, .code):
            if !a.globalNames.isEmpty, twin(of: b) == m { return [] }
            return [Pair(original: m, patched: n)]
        default: return nil
        }
    }

    /// What a relocation refers to: a piece and the distance from its start, with all that the addend holds.
    private enum Place {
        case named(String, Int64)
        case piece(Int, Int64)
        case number(UInt64)
        /// No piece: in front of a section's first variable, for example.
        case nothing(section: String, Int64)
        case unclear
    }

    private func place(of relocation: ELFRelocation, in index: ObjectIndex, _ user: Piece?, _ field: SpecialTable.Field?) -> Place {
        switch index.target(of: relocation, in: user, field: field) {
        case .external(let name): return .named(name, relocation.addend)
        case .absolute(let value): return .number(value &+ UInt64(bitPattern: relocation.addend))
        case .piece(let piece, let anchor): return .piece(piece, relocation.addend &+ Int64(anchor - index.pieces[piece].range.lowerBound))
        case .section(let section):
            // For this comparison, what lies there is what is meant.
            let distance = index.distance(of: relocation, in: user, field)
            guard let piece = distance.flatMap({ index.piece(in: section, at: Int(clamping: $0)) }) else {
                return .nothing(section: index.file.sections[section].name, relocation.addend)
            }
            return .piece(piece, relocation.addend &- Int64(index.pieces[piece].range.lowerBound))
        case nil: return .unclear
        }
    }
}

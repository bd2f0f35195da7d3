import ELFModel
import TargetArchitecture

/// What a relocation of an object refers to.
enum RelocationTarget: Hashable {
    /// A place in the section of a piece: the anchor, to which the addend is added. The piece that is meant is known.
    case piece(Int, anchor: Int)
    /// The start of a section with several pieces, and any of them can be meant.
    case section(Int)
    /// A symbol that another object defines.
    case external(String)
    case absolute(UInt64)
}

extension ObjectIndex {
    /// - Parameters:
    ///   - user: the piece with the relocated field; nil for a table.
    ///   - field: the table's field.
    /// - Returns: nil if it refers to nothing, or if the instruction can't be decoded.
    func target(of relocation: ELFRelocation, in user: Piece?, field: SpecialTable.Field? = nil) -> RelocationTarget? {
        guard file.symbols.indices.contains(relocation.symbol) else { return nil }
        let symbol = file.symbols[relocation.symbol]
        switch symbol.place {
        case .undefined, .common, .reserved: return .external(symbol.name)
        case .absolute: return .absolute(symbol.value)
        case .section(let section):
            let all = pieces(in: section), value = Int(clamping: symbol.value)
            if !symbol.isSection {
                return piece(in: section, at: value).map { pieces[$0].weakNames.contains(symbol.name) ? .external(symbol.name) : .piece($0, anchor: value) }
            }
            if all.count == 1 { return .piece(all[0], anchor: value) }
            let covering = distance(of: relocation, in: user, field).flatMap { piece(in: section, at: Int(clamping: $0)) }
            if isExact(section) { return covering.map { .piece($0, anchor: value) } }
            // Where relocations name the variables, one without a name means what has no name.
            if namesLocals, let covering, pieces[covering].names.isEmpty { return .piece(covering, anchor: value) }
            return .section(section)
        }
    }

    /// Whether a reference to a place in a section can mean only the piece there: in code, and among strings and constants that a linker
    /// may merge. A reference to data may lead before or behind the variable that it means.
    private func isExact(_ section: Int) -> Bool { file.sections[section].isExecutable || file.sections[section].isMergeable }

    /// How far behind its symbol's place a relocation leads, in bytes; nil if the instruction can't be decoded.
    func distance(of relocation: ELFRelocation, in user: Piece?, _ field: SpecialTable.Field? = nil) -> Int64? {
        if let field { return field.distance(in: relocation.addend) }
        guard let user, user.isCode, let kind = architecture.relocationKind(relocation.type), kind.isPCRelative else { return relocation.addend }
        let start = Int(clamping: relocation.offset) - user.range.lowerBound
        return architecture.distances(of: [(relocation, start..<start + kind.width)], in: bytes(of: user)[...]).first ?? nil
    }
}

extension Piece {
    var isCode: Bool { kind == .function || kind == .code }
}

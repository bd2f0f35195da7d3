import ELFModel
import TargetArchitecture
import XenVersions

/// An object, divided into the pieces that a payload or a hypervisor holds as a whole.
struct ObjectIndex: Sendable {
    let name: String
    let file: ELFFile
    let architecture: any TargetArchitecture
    let pieces: [Piece]
    /// The relocations of each section, by offset.
    let relocations: [[ELFRelocation]]
    /// The pieces of each section, by offset.
    private let bySection: [[Int]]
    /// Pieces by each of their names. A local name may occur several times.
    private let byName: [String: [Int]]
    /// Whether the object's relocations name its local variables (`NamedLocals`).
    let namesLocals: Bool

    init(_ name: String, _ file: ELFFile, tables: [SpecialTable], hooksPrefix: String, architecture: any TargetArchitecture) {
        self.name = name
        self.architecture = architecture
        namesLocals = !file.namedLocals.isEmpty
        let file = file.withLocalsRestored().withSeparateAddends(architecture)
        self.file = file
        var relocations: [[ELFRelocation]] = Array(repeating: [], count: file.sections.count)
        for table in file.sections where table.isRelocations && relocations.indices.contains(Int(table.info)) {
            relocations[Int(table.info)] += table.relocations
        }
        for index in relocations.indices { relocations[index].sort { $0.offset < $1.offset } }
        self.relocations = relocations

        var division = PieceDivision(file: file, architecture: architecture, tables: tables, hooksPrefix: hooksPrefix, relocations: relocations)
        division.divide()
        pieces = division.pieces
        var bySection: [[Int]] = Array(repeating: [], count: file.sections.count)
        var byName: [String: [Int]] = [:]
        for (index, piece) in pieces.enumerated() {
            bySection[piece.section].append(index)
            for name in piece.names { byName[name, default: []].append(index) }
        }
        self.bySection = bySection.map { [pieces] list in list.sorted { pieces[$0].range.lowerBound < pieces[$1].range.lowerBound } }
        self.byName = byName
    }

    /// The names in its STT_FILE symbols.
    var fileSymbols: [String] { file.symbols.filter(\.isFile).map(\.name) }

    func pieces(in section: Int) -> [Int] { bySection.indices.contains(section) ? bySection[section] : [] }
    func pieces(named name: String) -> [Int] { byName[name] ?? [] }

    /// The piece with a global name; nil if there is none.
    func global(_ name: String) -> Int? { pieces(named: name).first { pieces[$0].globalNames.contains(name) } }

    /// The piece that covers an offset of a section, or else the one that ends there. nil if there is none.
    func piece(in section: Int, at offset: Int) -> Int? {
        let list = pieces(in: section)
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[list[middle]].range.lowerBound <= offset { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return offset <= pieces[list[low - 1]].range.upperBound ? list[low - 1] : nil
    }

    /// The bytes of a piece; zeros for one without bytes in the file. The fields that relocations fill hold what the assembler left there.
    func bytes(of piece: Piece) -> [UInt8] {
        let data = file.sections[piece.section].data
        return data.count >= piece.range.upperBound ? Array(data[piece.range]) : Array(repeating: 0, count: piece.range.count)
    }

    /// The relocations that fill fields of a range of a section, by offset.
    func relocations(in range: Range<Int>, of section: Int) -> ArraySlice<ELFRelocation> {
        let list = relocations[section]
        func first(from offset: Int) -> Int {
            var (low, high) = (0, list.count)
            while low < high {
                let middle = (low + high) / 2
                if list[middle].offset < UInt64(offset) { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return list[first(from: range.lowerBound)..<first(from: range.upperBound)]
    }

    func sectionName(of piece: Piece) -> String { file.sections[piece.section].name }

    /// The piece's first name, or its section and offset.
    func title(_ piece: Piece) -> String {
        piece.names.first ?? (piece.range.lowerBound == 0 ? sectionName(of: piece) : "\(sectionName(of: piece))+\(piece.range.lowerBound)")
    }
}

/// A function, a variable, a string… of an object.
struct Piece: Sendable {
    enum Kind: Sendable, Equatable {
        case function
        /// Code without a symbol: a fixup, or instructions that replace others.
        case code
        /// It holds a value at run time, so there must be exactly one of it.
        case variable
        /// Never written: any place with the same content will do.
        case constant
        /// A pointer to a function that the hypervisor calls.
        case hook
    }

    var kind: Kind
    var section: Int
    /// In its section, in bytes.
    var range: Range<Int>
    /// In the order of the symbol table.
    var names: [String] = []
    /// Those of its names that other objects see. Weak names beside others are left out: a strong definition of another object takes such a
    /// name over, and leaves the piece the rest.
    var globalNames: Set<String> = []
    var weakNames: Set<String> = []
    /// As its symbol says, in bytes. A function can go on behind it (`.subsection`).
    var symbolSize: Int
    /// In bytes.
    var alignment: UInt64
    /// Whether it is used at boot only.
    var isBoot = false

    /// `foo` for the cold part of the function `foo`, which is `foo.cold` or `foo.cold.3`; nil for all others.
    var coldPartOf: String? {
        guard kind == .function, let name = names.first, let range = name.firstRange(of: ".cold") else { return nil }
        return name[range.upperBound...].allSatisfy { $0 == "." || $0.isNumber } ? String(name[..<range.lowerBound]) : nil
    }
}

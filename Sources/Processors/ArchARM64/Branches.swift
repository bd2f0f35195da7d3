import ELFModel
import TargetArchitecture

extension ArchARM64 {
    /// Finds every instruction with a distance in it: branches, ADR and loads of literals (Arm ARM, C4.1). ADRP is not among them: its distance
    /// counts pages, and assemblers always leave it to a relocation.
    package func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? {
        code.resolvedReferences(relocated: relocated) { word in
            Self.distanceField(ofInstruction: word).map { (Int(Int64(bitPattern: $0.signed(word))), $0.mask) }
        }
    }

    /// Beside those: an ADRP together with an ADD, load or store that adds the rest of the address to the same register (Arm ARM, C4.1).
    package func namedPlaces(in code: ArraySlice<UInt8>, at address: UInt64) -> Set<UInt64> {
        var places = branchTargets(in: code, at: address)
        let words = stride(from: 0, to: code.count - 3, by: 4).map { (place: address &+ UInt64($0), word: byteOrder.number(code.dropFirst($0).prefix(4))) }
        var pages: [UInt64: Set<UInt64>] = [:]
        for (place, word) in words where word & 0x9f00_0000 == 0x9000_0000 {
            if let page = relocationKind(275)?.sighting(of: word, at: place)?.value { pages[word & 0x1f, default: []].insert(page) }
        }
        for (_, word) in words {
            guard let pages = pages[word >> 5 & 0x1f], let rest = Self.offset(inInstruction: word) else { continue }
            places.formUnion(pages.map { $0 &+ rest })
        }
        return places
    }

    /// What an instruction adds to a register, in bytes: ADD (immediate), and loads and stores with an unsigned offset; nil for all others.
    private static func offset(inInstruction word: UInt64) -> UInt64? {
        let number = word >> 10 & 0xfff
        if word & 0xffc0_0000 == 0x9100_0000 { return number }
        guard word & 0x3b00_0000 == 0x3900_0000 else { return nil }
        let isQuadword = word & 0x0480_0000 == 0x0480_0000
        return number << (isQuadword ? 4 : word >> 30)
    }

    private static func distanceField(ofInstruction word: UInt64) -> RelocationField? {
        func bits(_ count: Int, at: Int) -> RelocationField { RelocationField(width: 4, shift: 2, groups: [.init(count, at: at)]) }
        // B, BL
        if word & 0x7c00_0000 == 0x1400_0000 { return bits(26, at: 0) }
        // B.cond, CBZ and CBNZ, LDR (literal)
        if word & 0xff00_0000 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 || word & 0x3b00_0000 == 0x1800_0000 {
            return bits(19, at: 5)
        }
        // TBZ, TBNZ
        if word & 0x7e00_0000 == 0x3600_0000 { return bits(14, at: 5) }
        // ADR
        if word & 0x9f00_0000 == 0x1000_0000 { return RelocationField(width: 4, groups: [.init(2, at: 29), .init(19, at: 5)]) }
        return nil
    }
}

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

import ELFModel
import TargetArchitecture

extension ArchARM32 {
    /// Finds branches (`B`, `BL`; Arm ARM, A5.5), and instructions that compute or load relative to the program counter (`ADD`, `SUB`, `LDR`
    /// with a constant; A5.2.3, A5.3), which compilers use for literals. The word of a literal can look like any of these: the result may
    /// have an entry too many, but never one too few.
    package func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? {
        // The program counter reads as the address of the instruction after the next.
        code.resolvedReferences(relocated: relocated) { word in Self.distance(inInstruction: word).map { (8 + $0.distance, $0.mask) } }
    }

    /// Beside those: MOVW and MOVT of one register (A8.8.102, A8.8.106), in all combinations, and each word as if it were a literal.
    package func namedPlaces(in code: ArraySlice<UInt8>, at address: UInt64) -> Set<UInt64> {
        var places = branchTargets(in: code, at: address)
        var low: [UInt64: Set<UInt64>] = [:], high: [UInt64: Set<UInt64>] = [:]
        for offset in stride(from: 0, to: code.count - 3, by: 4) {
            let word = byteOrder.number(code.dropFirst(offset).prefix(4))
            places.insert(word)
            let register = word >> 12 & 0xf, half = word >> 4 & 0xf000 | word & 0xfff
            if word & 0x0ff0_0000 == 0x0300_0000 { low[register, default: []].insert(half) }
            if word & 0x0ff0_0000 == 0x0340_0000 { high[register, default: []].insert(half << 16) }
        }
        for (register, halves) in high { for half in halves { places.formUnion((low[register] ?? []).map { half | $0 }) } }
        return places
    }

    /// Branches, literals, and MOVW with the MOVT of the same register; loads and stores at a constant distance from such an address.
    package func placeUses(in code: ArraySlice<UInt8>, at address: UInt64) -> [PlaceUse] {
        var uses: [PlaceUse] = []
        let own = address..<address &+ UInt64(code.count)
        func add(_ offset: Int, _ place: UInt64, _ kind: PlaceUse.Kind, _ register: UInt64? = nil) {
            guard !own.contains(place) || place == address else { return }
            uses.append(PlaceUse(offset: offset, place: place & 0xffff_ffff, kind: kind, register: register.map { UInt8($0) }))
        }
        var low: [UInt64: UInt64] = [:], addresses: [UInt64: UInt64] = [:]
        for offset in stride(from: 0, to: code.count - 3, by: 4) {
            let word = byteOrder.number(code.dropFirst(offset).prefix(4))
            let target = word >> 12 & 0xf, base = word >> 16 & 0xf
            let half = word >> 4 & 0xf000 | word & 0xfff
            if word & 0x0ff0_0000 == 0x0300_0000 {
                (low[target], addresses[target]) = (half, nil)
            } else if word & 0x0ff0_0000 == 0x0340_0000 {
                addresses[target] = low[target].map { half << 16 | $0 }
                if let place = addresses[target] { add(offset, place, .takesAddress, target) }
            } else if let (distance, _) = Self.distance(inInstruction: word) {
                let place = address &+ UInt64(bitPattern: Int64(offset + 8 + distance))
                if word & 0x0e00_0000 == 0x0a00_0000 {
                    add(offset, place, .goesTo)
                    // BL: the function may change r0 to r3, and r12 (AAPCS32, 6.1.1).
                    if word & 0x0f00_0000 == 0x0b00_0000 { for register: UInt64 in [0, 1, 2, 3, 12] { addresses[register] = nil } }
                } else if word & 0x0f7f_0000 == 0x051f_0000 {
                    let literal = code.dropFirst(offset + 8 + distance).prefix(4), isOwn = own.contains(place) && literal.count == 4
                    addresses[target] = isOwn ? byteOrder.number(literal) : nil
                    add(offset, isOwn ? byteOrder.number(literal) : place, isOwn ? .takesAddress : .reads, target)
                } else {
                    add(offset, place, .takesAddress, target)
                    addresses[target] = place
                }
            } else if word & 0x0e00_0000 == 0x0400_0000 {
                // LDR, LDRB, STR and STRB at a constant distance (A5.3), of which those with bit 24 set and bit 21 clear keep the base.
                let isLoad = word >> 20 & 1 == 1, distance = word & 0xfff
                if let known = addresses[base], word >> 24 & 1 == 1 {
                    add(offset, word >> 23 & 1 == 1 ? known &+ distance : known &- distance, isLoad ? .reads : .writes, target)
                }
                if isLoad { addresses[target] = nil }
                if word >> 24 & 1 == 0 || word >> 21 & 1 == 1 { addresses[base] = nil }
            } else if word & 0x0fff_fff0 == 0x012f_ff30 {
                // BLX
                for register: UInt64 in [0, 1, 2, 3, 12] { addresses[register] = nil }
            } else if word & 0x0c00_0000 == 0 {
                // Data processing writes its target (A5.2).
                addresses[target] = nil
            }
        }
        return uses
    }

    /// The distance in bytes, and the bits of the instruction that hold it; nil for an instruction without a distance.
    private static func distance(inInstruction word: UInt64) -> (distance: Int, mask: UInt64)? {
        if word & 0x0e00_0000 == 0x0a00_0000 {
            let field = RelocationField(width: 4, shift: 2, groups: [.init(24, at: 0)])
            return (Int(Int64(bitPattern: field.signed(word))), field.mask)
        }
        // LDR Rt, [pc, #±imm12]
        if word & 0x0f7f_0000 == 0x051f_0000 { return ((word & 0x0080_0000 != 0 ? 1 : -1) * Int(word & 0xfff), 0x0080_0fff) }
        // ADD and SUB Rd, pc, #imm: eight bits, rotated right by twice the upper four.
        let isAdd = word & 0x0fff_0000 == 0x028f_0000
        if isAdd || word & 0x0fff_0000 == 0x024f_0000 {
            let turn = (word >> 8 & 0xf) * 2, value = UInt32(word & 0xff)
            let number = turn == 0 ? value : value >> UInt32(turn) | value << UInt32(32 - turn)
            return ((isAdd ? 1 : -1) * Int(number), 0x00c0_0fff)
        }
        return nil
    }
}

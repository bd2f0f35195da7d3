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
        func add(_ use: PlaceUse) {
            if !own.contains(use.place) || use.place == address { uses.append(use) }
        }
        var low: [UInt8: UInt64] = [:]
        var held = HeldAddresses(arguments: argumentRegisters)
        for offset in stride(from: 0, to: code.count - 3, by: 4) {
            let word = byteOrder.number(code.dropFirst(offset).prefix(4))
            let target = UInt8(word >> 12 & 0xf), base = UInt8(word >> 16 & 0xf)
            func take(_ place: UInt64) {
                let place = place & 0xffff_ffff
                add(PlaceUse(offset: offset, place: place, kind: .takesAddress))
                held[target] = place
            }
            // A function that is called may change these (AAPCS32, 6.1.1).
            func forgetScratch() { held.forget([0, 1, 2, 3, 12]) }
            let half = word >> 4 & 0xf000 | word & 0xfff
            if word & 0x0ff0_0000 == 0x0300_0000 {
                (low[target], held[target]) = (half, nil)
            } else if word & 0x0ff0_0000 == 0x0340_0000 {
                if let low = low[target] { take(half << 16 | low) } else { held[target] = nil }
            } else if let (distance, _) = Self.distance(inInstruction: word) {
                let place = (address &+ UInt64(bitPattern: Int64(offset + 8 + distance))) & 0xffff_ffff
                if word & 0x0e00_0000 == 0x0a00_0000 {
                    add(PlaceUse(offset: offset, place: place, kind: .goesTo, arguments: held.inArguments))
                    if word & 0x0f00_0000 == 0x0b00_0000 { forgetScratch() }
                } else if word & 0x0f7f_0000 == 0x051f_0000 {
                    let start = offset + 8 + distance, literal = start >= 0 ? code.dropFirst(start).prefix(4) : []
                    if literal.count == 4 {
                        take(byteOrder.number(literal))
                    } else {
                        add(PlaceUse(offset: offset, place: place, kind: .reads, register: target))
                        held[target] = nil
                    }
                } else {
                    take(place)
                }
            } else if word & 0x0e00_0000 == 0x0400_0000 {
                // LDR, LDRB, STR and STRB at a constant distance (A5.3), of which those with bit 24 set and bit 21 clear keep the base.
                let isLoad = word >> 20 & 1 == 1, distance = word & 0xfff
                if let known = held[base], word >> 24 & 1 == 1 {
                    let place = (word >> 23 & 1 == 1 ? known &+ distance : known &- distance) & 0xffff_ffff
                    add(
                        isLoad
                            ? PlaceUse(offset: offset, place: place, kind: .reads, register: target)
                            : PlaceUse(offset: offset, place: place, kind: .writes, register: held.isUntouched(target) ? target : nil, value: held[target]))
                }
                if isLoad { held[target] = nil }
                if word >> 24 & 1 == 0 || word >> 21 & 1 == 1 { held[base] = nil }
            } else if word & 0x0e10_0000 == 0x0810_0000 {
                // LDM. The end of a function restores registers that calls keep; what follows is reached from before that.
                if base != 13 { for register in UInt8(0)..<16 where word >> register & 1 == 1 { held[register] = nil } }
            } else if word & 0x0fff_fff0 == 0x012f_ff30 {
                // BLX
                forgetScratch()
            } else if word & 0x0fef_0ff0 == 0x01a0_0000 {
                // MOV (register)
                held[target] = held[UInt8(word & 0xf)]
            } else if let known = held[base], word & 0x0fe0_0000 == 0x0280_0000 {
                // ADD (immediate)
                take(known &+ Self.rotatedNumber(inInstruction: word))
            } else if word & 0x0c00_0000 == 0 {
                // Data processing writes its target (A5.2).
                held[target] = nil
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
        // ADD and SUB Rd, pc, #imm
        let isAdd = word & 0x0fff_0000 == 0x028f_0000
        if isAdd || word & 0x0fff_0000 == 0x024f_0000 {
            return ((isAdd ? 1 : -1) * Int(rotatedNumber(inInstruction: word)), 0x00c0_0fff)
        }
        return nil
    }

    /// The number in a data-processing instruction: eight bits, rotated right by twice the four above them (A5.2.4).
    private static func rotatedNumber(inInstruction word: UInt64) -> UInt64 {
        let turn = (word >> 8 & 0xf) * 2, value = UInt32(word & 0xff)
        return UInt64(turn == 0 ? value : value >> UInt32(turn) | value << UInt32(32 - turn))
    }
}

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

    /// Branches, ADR, loads of literals, and ADRP with an ADD, load or store of the same register.
    package func placeUses(in code: ArraySlice<UInt8>, at address: UInt64) -> [PlaceUse] {
        var uses: [PlaceUse] = []
        let own = address..<address &+ UInt64(code.count)
        func add(_ use: PlaceUse) {
            if !own.contains(use.place) || use.place == address { uses.append(use) }
        }
        // The addresses that registers hold, and those that are only pages so far.
        var held = HeldAddresses(arguments: argumentRegisters)
        var isPage: Set<UInt8> = []
        for offset in stride(from: 0, to: code.count - 3, by: 4) {
            let word = byteOrder.number(code.dropFirst(offset).prefix(4)), here = address &+ UInt64(offset)
            let target = UInt8(word & 0x1f), base = UInt8(word >> 5 & 0x1f)
            func hold(_ place: UInt64?, page: Bool = false) {
                held[target] = place
                if page { isPage.insert(target) } else { isPage.remove(target) }
            }
            func take(_ place: UInt64) {
                add(PlaceUse(offset: offset, place: place, kind: .takesAddress))
                hold(place)
            }
            // A function that is called may change these (AAPCS64, 6.1.1).
            func forgetScratch() {
                held.forget(0...18)
                isPage.subtract(0...18)
            }
            if let field = Self.distanceField(ofInstruction: word) {
                let place = here &+ field.signed(word)
                if word & 0x9f00_0000 == 0x1000_0000 {
                    take(place)
                } else if word & 0x3b00_0000 == 0x1800_0000 {
                    // A literal of eight bytes may be an address; it lies in the function, or behind it.
                    let literal = own.contains(place) ? code.dropFirst(Int(place &- address)).prefix(8) : []
                    if literal.count == 8, word & 0xff00_0000 == 0x5800_0000 {
                        take(byteOrder.number(literal))
                    } else {
                        add(PlaceUse(offset: offset, place: place, kind: .reads, register: target))
                        hold(nil)
                    }
                } else {
                    add(PlaceUse(offset: offset, place: place, kind: .goesTo, arguments: held.inArguments))
                    if word & 0xfc00_0000 == 0x9400_0000 { forgetScratch() }
                }
                continue
            }
            if word & 0x9f00_0000 == 0x9000_0000 {
                hold(relocationKind(275)?.sighting(of: word, at: here)?.value, page: true)
                continue
            }
            // BLR
            if word & 0xffff_fc1f == 0xd63f_0000 {
                forgetScratch()
                continue
            }
            if word & 0xffc0_0000 == 0x9100_0000, let rest = Self.offset(inInstruction: word) {
                if let known = held[base], isPage.contains(base) || rest != 0 { take(known &+ rest) } else { hold(held[base]) }
                continue
            }
            // MOV (register)
            if word & 0xffe0_ffe0 == 0xaa00_03e0 {
                let source = UInt8(word >> 16 & 0x1f)
                hold(held[source], page: isPage.contains(source))
                continue
            }
            let isMemory = word & 0x0a00_0000 == 0x0800_0000, isStore = isMemory && Self.isStore(word)
            // With an unsigned offset. Any other form (pairs, an index) reads or writes around an address that was taken before.
            if isMemory, let known = held[base], isPage.contains(base) || Self.offset(inInstruction: word) != nil {
                let place = known &+ (Self.offset(inInstruction: word) ?? 0)
                if isStore {
                    let value = isPage.contains(target) ? nil : held[target]
                    add(PlaceUse(offset: offset, place: place, kind: .writes, register: held.isUntouched(target) ? target : nil, value: value))
                } else {
                    add(PlaceUse(offset: offset, place: place, kind: .reads, register: target))
                }
            }
            // The end of a function restores registers that calls keep; what follows is reached from before that.
            let isRestore = isMemory && base == 31 && target > 18
            if !isStore, !isRestore { hold(nil) }
        }
        return uses
    }

    /// Whether a load or store is a store (Arm ARM, C4.1.4): a single register has its operation in bits 22 and 23, a pair in bit 22.
    private static func isStore(_ word: UInt64) -> Bool {
        word & 0x3a00_0000 == 0x3800_0000 ? word >> 22 & 3 == 0 : word >> 22 & 1 == 0
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

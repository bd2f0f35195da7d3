import ELFModel
import TargetArchitecture

extension ArchX86_64 {
    /// Looks for relative branches and RIP-relative operands that the assembler has already resolved and that lead out of `code`.
    package func resolvedReferences(_ code: ArraySlice<UInt8>, relocated: [Range<Int>]) -> [ResolvedReference]? {
        var found: [ResolvedReference] = []
        let isDecoded = Decoder.walk(code) { offset, instruction in
            guard let field = instruction.relativeField else { return true }
            let place = offset + field.lowerBound..<offset + field.upperBound
            guard !relocated.contains(where: { $0.overlaps(place) }) else { return true }
            let target = offset + instruction.length + signed(code.dropFirst(place.lowerBound).prefix(place.count))
            if target < 0 || target > code.count { found.append(ResolvedReference(field: place, target: target)) }
            return true
        }
        return isDecoded ? found : nil
    }

    /// Branches, and operands relative to RIP. Xen is linked at addresses that no 32-bit operand can hold, so nothing else names a place, except
    /// `movabs` with an address of eight bytes.
    package func placeUses(in code: ArraySlice<UInt8>, at address: UInt64) -> [PlaceUse] {
        var uses: [PlaceUse] = []
        let own = address..<address &+ UInt64(code.count)
        _ = Decoder.walk(code) { offset, layout in
            func field(_ range: Range<Int>) -> ArraySlice<UInt8> { code.dropFirst(offset + range.lowerBound).prefix(range.count) }
            let place: UInt64, kind: PlaceUse.Kind
            var register: UInt8?
            if let relative = layout.relativeField {
                place = address &+ UInt64(bitPattern: Int64(offset + layout.length + signed(field(relative))))
                kind = layout.use
                if kind != .goesTo { register = layout.register }
            } else if let immediate = layout.immediate, immediate.count == 8 {
                place = byteOrder.number(field(immediate))
                kind = .takesAddress
            } else {
                return true
            }
            if !own.contains(place) || place == address { uses.append(PlaceUse(offset: offset, place: place, kind: kind, register: register)) }
            return true
        }
        return uses
    }

    /// A number in the machine code: little-endian and signed.
    func signed(_ bytes: ArraySlice<UInt8>) -> Int {
        let value = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let bits = bytes.count * 8
        return bits < 64 && value >= 1 << (bits - 1) ? value - 1 << bits : value
    }
}

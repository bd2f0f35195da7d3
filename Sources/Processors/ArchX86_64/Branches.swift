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

    /// A number in the machine code: little-endian and signed.
    func signed(_ bytes: ArraySlice<UInt8>) -> Int {
        let value = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let bits = bytes.count * 8
        return bits < 64 && value >= 1 << (bits - 1) ? value - 1 << bits : value
    }
}

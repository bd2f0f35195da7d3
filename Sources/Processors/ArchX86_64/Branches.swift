import CZydis
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
        var held = HeldAddresses(arguments: argumentRegisters)
        _ = Decoder.each(code) { offset, layout, decoded in
            func field(_ range: Range<Int>) -> ArraySlice<UInt8> { code.dropFirst(offset + range.lowerBound).prefix(range.count) }
            let roles = decoded.map(Roles.init)
            var use: PlaceUse?
            if let relative = layout.relativeField {
                let place = address &+ UInt64(bitPattern: Int64(offset + layout.length + signed(field(relative))))
                use = PlaceUse(offset: offset, place: place, kind: layout.relative == .branch ? .goesTo : roles?.use ?? .reads)
            } else if let immediate = layout.immediate, immediate.count == 8 {
                use = PlaceUse(offset: offset, place: byteOrder.number(field(immediate)), kind: .takesAddress)
            }
            if var use {
                let register = roles?.register
                switch use.kind {
                case .goesTo: use.arguments = held.inArguments
                case .reads: use.register = register
                case .writes:
                    let isVector = roles?.isVector ?? false
                    use.value = isVector ? nil : register.flatMap { held[$0] }
                    use.register = register.flatMap { isVector || held.isUntouched($0) ? $0 : nil }
                case .takesAddress: break
                }
                if !own.contains(use.place) || use.place == address { uses.append(use) }
            }
            if roles?.isCall ?? false { held.forget(Register.scratch.map(UInt8.init)) }
            if let written = roles?.written {
                held[written] = use?.kind == .takesAddress ? use?.place : roles?.copied.flatMap { held[$0] }
            }
            return true
        }
        return uses
    }

    /// What an instruction does with its memory operand and its registers, as far as its opcode tells (Intel SDM volume 2, appendix A).
    private struct Roles {
        let use: PlaceUse.Kind
        /// The number of the register operand beside the memory operand.
        let register: UInt8?
        /// The general-purpose register that it writes, if that is one of the usual ways.
        let written: UInt8?
        /// The register that it copies there.
        let copied: UInt8?
        let isCall: Bool
        let isVector: Bool

        init(_ decoded: Decoder.Decoded) {
            let raw = decoded.pointee.raw, opcode = decoded.pointee.opcode, map = decoded.pointee.opcode_map
            let isPlain = map == ZYDIS_OPCODE_MAP_DEFAULT, isSecond = map == ZYDIS_OPCODE_MAP_0F
            let first = raw.modrm.reg | raw.rex.R << 3, second = raw.modrm.rm | raw.rex.B << 3, hasMemory = raw.modrm.mod != 3
            isVector = isSecond && [0x10, 0x11, 0x28, 0x29, 0x6f, 0x7f, 0xd6].contains(opcode)
            let isStore = isPlain ? [0x88, 0x89, 0xc6, 0xc7].contains(opcode) : isSecond && [0x11, 0x29, 0x7f, 0xd6].contains(opcode)
            use = decoded.pointee.mnemonic == ZYDIS_MNEMONIC_LEA ? .takesAddress : isStore ? .writes : .reads
            // C6 and C7 store a number.
            register = isPlain && (opcode == 0xc6 || opcode == 0xc7) ? nil : first
            copied = isPlain && !hasMemory ? (opcode == 0x89 ? first : opcode == 0x8b ? second : nil) : nil
            isCall = isPlain && (opcode == 0xe8 || (opcode == 0xff && raw.modrm.reg == 2))
            written =
                switch opcode {
                // Arithmetic: to the first operand if bit 1 is set, to the second if not; CMP writes nothing.
                case 0x00...0x3b where isPlain && opcode & 7 < 4 && opcode < 0x38: opcode & 2 != 0 ? first : hasMemory ? nil : second
                case 0x58...0x5f where isPlain, 0xb8...0xbf where isPlain: opcode & 7 | raw.rex.B << 3
                case 0x63 where isPlain, 0x8a...0x8b where isPlain, 0x8d where isPlain, 0x69 where isPlain, 0x6b where isPlain: first
                case 0x80...0x83 where isPlain, 0x88...0x89 where isPlain, 0xc0...0xc1 where isPlain, 0xc6...0xc7 where isPlain,
                    0xd0...0xd3 where isPlain:
                    hasMemory ? nil : second
                case 0x40...0x4f where isSecond, 0xaf where isSecond, 0xb6...0xb8 where isSecond, 0xbc...0xbf where isSecond: first
                default: nil
                }
        }
    }

    /// A number in the machine code: little-endian and signed.
    func signed(_ bytes: ArraySlice<UInt8>) -> Int {
        let value = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let bits = bytes.count * 8
        return bits < 64 && value >= 1 << (bits - 1) ? value - 1 << bits : value
    }
}

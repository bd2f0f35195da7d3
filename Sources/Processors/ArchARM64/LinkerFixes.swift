import ELFModel
import TargetArchitecture

// With `--fix-cortex-a53-843419`, GNU ld changes an ADRP in one of the last two words of a page, or the load or store after it. If the
// page is near enough, it turns the ADRP into an ADR. If not, it moves the load or store to a stub of its own, which jumps back, and
// puts a jump to the stub in its place.

extension ArchARM64 {
    package func withoutLinkerFixes(
        _ running: [UInt8], like compiled: [UInt8], at address: UInt64, read: (_ address: UInt64, _ count: Int) -> ArraySlice<UInt8>?
    ) -> [UInt8] {
        var result = running
        for offset in stride(from: 0, to: min(running.count, compiled.count) - 3, by: 4) {
            let (there, here) = (word(running[offset..<offset + 4]), word(compiled[offset..<offset + 4]))
            let place = address &+ UInt64(offset)
            if let original = adrp(behind: there, here, at: place) ?? moved(behind: there, here, at: place, read: read) {
                result.replaceSubrange(offset..<offset + 4, with: byteOrder.bytes(original, count: 4))
            }
        }
        return result
    }

    private func word(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 { byteOrder.number(bytes) }

    /// The original ADRP, if the linker turned it into an ADR of a page's first byte; nil if not. `there` is the running word, `here` the compiled.
    private func adrp(behind there: UInt64, _ here: UInt64, at place: UInt64) -> UInt64? {
        let register: UInt64 = 0x1f, opcode: UInt64 = 0x9f00_0000
        guard there & opcode == 0x1000_0000, here & opcode == 0x9000_0000, there & register == here & register,
            let near = relocationKind(274), let far = relocationKind(275), let target = near.sighting(of: there, at: place)?.value,
            target & 0xfff == 0, let distance = far.result(target, at: place)
        else { return nil }
        return far.field.storing(distance, in: here)
    }

    /// The original load or store, if `there` jumps to a stub that holds it and jumps back; nil if not.
    private func moved(
        behind there: UInt64, _ here: UInt64, at place: UInt64, read: (_ address: UInt64, _ count: Int) -> ArraySlice<UInt8>?
    ) -> UInt64? {
        func jumpTarget(_ word: UInt64, at place: UInt64) -> UInt64? {
            word & 0xfc00_0000 == 0x1400_0000 ? relocationKind(282)?.sighting(of: word, at: place)?.value : nil
        }
        // Loads and stores have bit 27 set and bit 25 clear (Arm ARM, C4.1).
        guard here & 0x0a00_0000 == 0x0800_0000, let stub = jumpTarget(there, at: place), let code = read(stub, 8), code.count == 8,
            jumpTarget(word(code.suffix(4)), at: stub &+ 4) == place &+ 4
        else { return nil }
        return word(code.prefix(4))
    }
}

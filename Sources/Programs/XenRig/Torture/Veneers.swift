import ELFModel

/// 32-bit ARM's branches reach 32 MiB only. A payload may branch to a few instructions of its own that go on to the hypervisor.
extension TorturePayload {
    /// The reference that a branch stands for, when it has no relocation: where it leads to, directly or through a veneer.
    ///
    /// - Parameters:
    ///   - want: the compiler's branch, and `start` the beginning of its function.
    ///   - known: the references that the payload has relocations for.
    func branch(like want: OracleObject.Reference, _ start: UInt64, at place: OracleObject.Place, besides known: [Reference]) -> Reference? {
        guard file.header.machine == ELF.Machine.arm, OracleObject.armBranches.contains(want.type) else { return nil }
        let offset = place.offset &+ want.offset &- start
        guard !known.contains(where: { $0.offset == offset }) else { return nil }
        let word = word(at: .init(section: place.section, offset: offset))
        let distance = Int64(Int32(bitPattern: word << 8) >> 6) + 8
        let veneer = OracleObject.Place(section: place.section, offset: offset &+ UInt64(bitPattern: distance))
        var target = Target.own(veneer)
        // ldr pc, [pc, #-4], and the address.
        if self.word(at: veneer) == 0xe51f_f004 {
            guard let address = references(at: .init(section: veneer.section, offset: veneer.offset &+ 4), size: 4).first else { return nil }
            target = address.target
        }
        return Reference(offset: offset, type: want.type, target: target.moved(by: want.addend), addend: want.addend)
    }

    private func word(at place: OracleObject.Place) -> UInt32 { UInt32(truncatingIfNeeded: file.header.byteOrder.number(bytes(at: place, count: 4))) }
}

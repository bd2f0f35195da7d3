import ELFModel
import TargetArchitecture

/// A relocation against what the hypervisor frees after boot.
struct FreedUse {
    var name: String
    /// The index of the section that the relocation fills.
    var section: Int
    /// The address that it fills.
    var place: UInt64
}

extension PayloadLoader {
    /// Code may name what is freed after boot, behind a test that is true at boot only. Whether there is such a test, only some cases show: a call
    /// that the new code comes to in any case.
    mutating func checkFreedUses() {
        for use in freedUses {
            if let function = functions.first(where: { comesToCall(use, from: $0.newAddress) }) {
                spoil("'\(function.name)' calls '\(use.name)', which the hypervisor has freed after boot", at: .call)
            } else {
                let section = sections[use.section].name
                findings.append(
                    .init(.usesFreed, "section \(section) uses '\(use.name)', which is freed after boot: the hypervisor crashes if it comes to that"))
            }
        }
    }

    /// Whether straight code leads from an address to the call or jump that has the relocation. False also for code that can't be decoded.
    private func comesToCall(_ use: FreedUse, from start: UInt64) -> Bool {
        guard sections[use.section].isExecutable, let bytes = memory.bytes(of: use.section), let base = memory.address(of: use.section),
            start >= base, start <= use.place, use.place - base < UInt64(bytes.count)
        else { return false }
        // Far away, a straight way is not likely.
        let slot = Int(use.place - start), code = bytes.dropFirst(Int(start - base)).prefix(slot + 16)
        guard slot < 4096 else { return false }
        var offset = 0
        while offset <= slot, let instruction = architecture.instructionText(at: 0, in: ArraySlice(Array(code.dropFirst(offset)))),
            let mnemonic = instruction.mnemonic
        {
            let end = offset + instruction.range.count
            if (offset..<end).contains(slot) { return ["call", "jmp", "bl", "b"].contains(mnemonic) }
            if mnemonic.hasPrefix("j") || mnemonic.hasPrefix("b") || ["ret", "ud2", "cbz", "cbnz", "tbz", "tbnz"].contains(mnemonic) { return false }
            offset = end
        }
        return false
    }
}

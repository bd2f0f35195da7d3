/// An instruction that Xen uses and Zydis 4.0 does not know. Without UDB, a quarter of Xen 4.22's functions could not be decoded.
///
/// None has an operand in its encoding. Each is recognised only as Xen writes it, without further prefixes (`bug.h`, `msr.h` and
/// `asm-defns.h` in `xen/arch/x86/include/asm`).
enum RecentInstruction: CaseIterable {
    /// Undefined in 64-bit mode, and raises #UD: Xen's BUG() and WARN() from 4.22 on, instead of UD2.
    case udb
    case wrmsrns
    case eretu, erets

    private var code: [UInt8] {
        switch self {
        case .udb: [0xd6]
        case .wrmsrns: [0x0f, 0x01, 0xc6]
        case .eretu: [0xf3, 0x0f, 0x01, 0xca]
        case .erets: [0xf2, 0x0f, 0x01, 0xca]
        }
    }

    var layout: InstructionLayout { InstructionLayout(length: code.count) }

    /// The instruction at the start of `bytes`; nil when it is none of these.
    init?(_ bytes: some Sequence<UInt8>) {
        guard let found = Self.allCases.first(where: { bytes.starts(with: $0.code) }) else { return nil }
        self = found
    }
}

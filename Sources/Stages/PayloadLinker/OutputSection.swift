import ELFModel
import ObjectDiff
import TargetArchitecture

/// A section of the payload while it grows.
struct OutputSection {
    /// What a relocation refers to, before symbols have numbers.
    enum Subject: Hashable {
        /// The start of another section of the payload.
        case section(String)
        /// A place in another section of the payload.
        case place(Assembler.Place)
        /// A symbol that the hypervisor's loader looks up.
        case named(String)
        /// A name for an address that is known.
        case address(String, UInt64)
    }

    struct Relocation: Hashable {
        var offset: Int
        var type: UInt32
        var subject: Subject
        var addend: Int64
    }

    var name: String
    var type: UInt32
    var flags: UInt64
    var alignment: UInt64
    var entrySize: UInt64 = 0
    var data: [UInt8] = []
    /// Differs from `data.count` for zero-filled sections only.
    var size = 0
    var relocations: [Relocation] = []

    /// Writes what a relocation would.
    mutating func store(_ value: UInt64, _ field: RelocationField, at offset: Int, _ order: ByteOrder) {
        let slot = offset..<offset + field.width
        guard slot.upperBound <= data.count else { return }
        data.replaceSubrange(slot, with: order.bytes(field.storing(value, in: order.number(data[slot])), count: field.width))
    }

    /// Makes room at the next multiple of `alignment` and returns the offset.
    mutating func append(_ bytes: some Collection<UInt8>, size count: Int, alignment: UInt64, filler: UInt8 = 0) -> Int {
        self.alignment = max(self.alignment, alignment)
        let step = Int(clamping: max(alignment, 1))
        let offset = (size + step - 1) / step * step
        if type != ELF.SectionType.nobits {
            data += Array(repeating: filler, count: offset - size)
            data += bytes
            data += Array(repeating: 0, count: max(0, count - bytes.count))
        }
        size = offset + count
        return offset
    }
}

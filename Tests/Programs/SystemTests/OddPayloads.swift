import ELFModel
import PayloadSamples
import TestTools

@testable import LoaderModel

/// Payloads with one number at a limit: every field of every structure that the loader reads, in the headers, symbols, relocations and tables
/// of a payload that has something in each of them. For 64-bit processors.
struct OddPayloads {
    /// A number in the file.
    struct Field {
        var name: String
        var offset: UInt64
        /// In bytes.
        var width: Int
    }

    private let good: [UInt8]
    private let file: RawELF
    let fields: [Field]

    /// - Parameter good: a payload that the hypervisor takes.
    init(_ good: [UInt8]) throws {
        self.good = good
        file = RawELF(bytes: good, elfClass: .bits64)
        fields = try Self.fields(file)
    }

    // MARK: Fields

    private struct Unreadable: Error {}

    private static func fields(_ file: RawELF) throws -> [Field] {
        guard let header = file.header(), let names = section(file, header, Int(header.nameTable)) else { throw Unreadable() }
        var result = fields(
            [("class", 4, 1), ("byte order", 5, 1), ("ident version", 6, 1), ("OS ABI", 7, 1), ("ABI version", 8, 1), ("padding", 9, 1)]
                + [("e_type", 16, 2), ("e_machine", 18, 2), ("e_version", 20, 4), ("e_entry", 24, 8), ("e_phoff", 32, 8), ("e_shoff", 40, 8)]
                + [("e_flags", 48, 4), ("e_ehsize", 52, 2), ("e_phentsize", 54, 2), ("e_phnum", 56, 2), ("e_shentsize", 58, 2), ("e_shnum", 60, 2)]
                + [("e_shstrndx", 62, 2)], of: "the header", at: 0)
        for index in 0..<Int(header.sectionCount) {
            guard let one = section(file, header, index) else { throw Unreadable() }
            let name = index == 0 ? "section 0" : file.string(at: one.nameOffset, in: names) ?? ""
            result += fields(
                [("sh_name", 0, 4), ("sh_type", 4, 4), ("sh_flags", 8, 8), ("sh_addr", 16, 8), ("sh_offset", 24, 8), ("sh_size", 32, 8)]
                    + [("sh_link", 40, 4), ("sh_info", 44, 4), ("sh_addralign", 48, 8), ("sh_entsize", 56, 8)],
                of: name, at: header.sectionTable + UInt64(index) * 64)
            result += contents(file, one, name)
        }
        return result
    }

    private static func section(_ file: RawELF, _ header: RawELF.Header, _ index: Int) -> RawELF.Section? {
        file.section(at: header.sectionTable + UInt64(index) * 64)
    }

    private static func fields(_ list: [(String, UInt64, Int)], of owner: String, at start: UInt64) -> [Field] {
        list.map { Field(name: "\($0) of \(owner)", offset: start + $1, width: $2) }
    }

    /// The fields in what a section holds.
    private static func contents(_ file: RawELF, _ section: RawELF.Section, _ name: String) -> [Field] {
        guard section.hasFileBytes, file.contents(section) != nil else { return [] }
        func entries(_ size: UInt64, _ list: [(String, UInt64, Int)]) -> [Field] {
            (0..<section.size / size).flatMap { fields(list, of: "entry \($0) of \(name)", at: section.offset + $0 * size) }
        }
        switch section.type {
        case ELF.SectionType.symtab:
            return entries(24, [("st_name", 0, 4), ("st_info", 4, 1), ("st_other", 5, 1), ("st_shndx", 6, 2), ("st_value", 8, 8), ("st_size", 16, 8)])
        case ELF.SectionType.rela: return entries(24, [("r_offset", 0, 8), ("type", 8, 4), ("symbol", 12, 4), ("r_addend", 16, 8)])
        case ELF.SectionType.note: return fields([("namesz", 0, 4), ("descsz", 4, 4), ("type", 8, 4), ("name", 12, 4)], of: name, at: section.offset)
        default: break
        }
        switch name {
        // struct livepatch_func of xen/include/xen/livepatch_payload.h; the name and both addresses come from relocations, or are zero.
        case ".livepatch.funcs":
            return entries(
                104,
                [("name", 0, 8), ("new_addr", 8, 8), ("old_addr", 16, 8), ("new_size", 24, 4), ("old_size", 28, 4), ("version", 32, 1)]
                    + [("applied", 64, 1), ("patch_offset", 65, 1), ("expect", 72, 1), ("expect.data", 73, 1)])
        // struct alt_instr of xen/arch/x86/include/asm/alternative.h and of xen/arch/arm/include/asm/alternative.h.
        case ".altinstructions":
            return entries(14, [("cpuid", 8, 2), ("orig_len", 10, 1), ("repl_len", 11, 1), ("pad_len", 12, 1), ("priv", 13, 1)])
        case ".strtab", ".shstrtab", ".modinfo", ".livepatch.strings":
            return section.size < 2
                ? [] : fields([("the first byte", 0, 1), ("the last byte", section.size - 1, 1)], of: name, at: section.offset)
        default: return []
        }
    }

    // MARK: Values

    private func value(_ field: Field) -> UInt64 {
        (0..<field.width).reduce(0) { $0 | UInt64(good[Int(field.offset) + $1]) << UInt64(8 * $1) }
    }

    /// Numbers at the limits of the field, of the file, and of what is there.
    private func limits(_ field: Field) -> [UInt64] {
        let top = field.width == 8 ? UInt64.max : (1 << UInt64(8 * field.width)) - 1, now = value(field), size = UInt64(good.count)
        let all: [UInt64] = [
            0, 1, 2, 3, now &+ 1, now &- 1, now ^ (top / 2 + 1), top, top - 1, top / 2, top / 2 + 1, size, size &- now, 0x1000, 2 << 20, (2 << 20) + 1, 1 << 31,
        ]
        return Set(all.map { $0 & top }).subtracting([now]).sorted()
    }

    /// - Parameters:
    ///   - count: how many. Each field comes once before any comes twice.
    ///   - seed: the choice of numbers, and of fields if there are more of these.
    ///   - below: what is applied before.
    func payloads(count: Int, seed: UInt64, below: [UInt8]? = nil) -> [BrokenPayload] {
        var random = Repeatable(state: max(seed, 1))
        var left = fields.shuffled(using: &random).map { (field: $0, values: limits($0).shuffled(using: &random)) }
        var result: [BrokenPayload] = []
        while result.count < count, !left.isEmpty {
            for index in left.indices where result.count < count {
                guard let number = left[index].values.popLast() else { continue }
                result.append(payload(left[index].field, number, below))
            }
            left.removeAll(where: \.values.isEmpty)
        }
        return result
    }

    private func payload(_ field: Field, _ number: UInt64, _ below: [UInt8]?) -> BrokenPayload {
        var bytes = good
        for index in 0..<field.width { bytes[Int(field.offset) + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
        return BrokenPayload(name: "\(field.name): 0x\(String(value(field), radix: 16)), now 0x\(String(number, radix: 16))", bytes: bytes, below: below)
    }
}

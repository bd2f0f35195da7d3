import ELFModel

extension ELFFile {
    /// The same file with each relocation's addend in the relocation, and zeros in the field that it was in. Only 32-bit ARM has addends in
    /// its sections (ELF for the ARM architecture, 2022Q3, section 5.6.1.1 and table of static relocations).
    var withOwnAddends: ELFFile {
        guard header.machine == ELF.Machine.arm else { return self }
        var result = self
        for index in sections.indices where sections[index].type == ELF.SectionType.rel {
            let target = Int(sections[index].info)
            guard sections.indices.contains(target) else { continue }
            result.sections[index].type = ELF.SectionType.rela
            for position in sections[index].relocations.indices {
                let relocation = sections[index].relocations[position], offset = Int(clamping: relocation.offset)
                guard offset + 4 <= result.sections[target].data.count, let field = ARMField(relocation.type) else { continue }
                let word = UInt32(truncatingIfNeeded: header.byteOrder.number(result.sections[target].data[offset..<offset + 4]))
                result.sections[index].relocations[position].addend = field.addend(word)
                result.sections[target].data.replaceSubrange(offset..<offset + 4, with: header.byteOrder.bytes(UInt64(word & ~field.mask), count: 4))
            }
        }
        return result
    }
}

/// The bits of a word that a relocation of 32-bit ARM fills.
private enum ARMField {
    case word, branch, half, upTo31

    /// nil for a type that the generated files have no use of.
    init?(_ type: UInt32) {
        switch type {
        case 2, 3: self = .word  // R_ARM_ABS32, R_ARM_REL32
        case 28, 29: self = .branch  // R_ARM_CALL, R_ARM_JUMP24
        case 43, 44, 45, 46: self = .half  // R_ARM_MOVW_ABS_NC, R_ARM_MOVT_ABS, and those that count from the place
        case 42: self = .upTo31  // R_ARM_PREL31
        default: return nil
        }
    }

    var mask: UInt32 {
        switch self {
        case .word: 0xffff_ffff
        case .branch: 0x00ff_ffff
        case .half: 0x000f_0fff
        case .upTo31: 0x7fff_ffff
        }
    }

    func addend(_ word: UInt32) -> Int64 {
        switch self {
        case .word: Int64(Int32(bitPattern: word))
        case .branch: Int64(Int32(bitPattern: word << 8) >> 6)
        case .half: Int64(Int16(bitPattern: UInt16(truncatingIfNeeded: (word >> 4) & 0xf000 | word & 0xfff)))
        case .upTo31: Int64(Int32(bitPattern: word << 1) >> 1)
        }
    }
}

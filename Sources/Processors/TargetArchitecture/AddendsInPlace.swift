import ELFModel

extension ELFFile {
    /// The same file with all addends in its relocations, and zeros in the bits that the relocations fill.
    ///
    /// Only for sections that are loaded. Relocations of unknown types and relocations outside of their sections stay as they are: then
    /// the bytes at that place are content.
    package func withSeparateAddends(_ architecture: any TargetArchitecture) -> ELFFile {
        guard architecture.hasAddendsInPlace else { return self }
        var file = self
        for (table, section) in sections.enumerated() where section.type == ELF.SectionType.rel {
            let target = Int(section.info)
            guard sections.indices.contains(target), sections[target].isAllocated else { continue }
            for (index, relocation) in section.relocations.enumerated() {
                guard let field = architecture.relocationKind(relocation.type)?.field,
                    let slot = sections[target].slot(of: relocation, width: field.width)
                else { continue }
                let number = header.byteOrder.number(sections[target].data[slot])
                file.sections[table].relocations[index].addend = field.addend(in: number)
                file.sections[target].data.replaceSubrange(slot, with: header.byteOrder.bytes(number & ~field.mask, count: field.width))
            }
            file.sections[table].type = ELF.SectionType.rela
        }
        return file
    }

    /// The reverse: puts all addends into the bits that relocations fill. Nil when an addend does not fit, or when a relocation's type is unknown.
    package func withAddendsInPlace(_ architecture: any TargetArchitecture) -> ELFFile? {
        var file = self
        for (table, section) in sections.enumerated() where section.type == ELF.SectionType.rela {
            let target = Int(section.info)
            guard sections.indices.contains(target) else { return nil }
            for (index, relocation) in section.relocations.enumerated() {
                guard let field = architecture.relocationKind(relocation.type)?.field,
                    let slot = sections[target].slot(of: relocation, width: field.width),
                    let number = field.storing(addend: relocation.addend, in: header.byteOrder.number(file.sections[target].data[slot]))
                else { return nil }
                file.sections[table].relocations[index].addend = 0
                file.sections[target].data.replaceSubrange(slot, with: header.byteOrder.bytes(number, count: field.width))
            }
            file.sections[table].type = ELF.SectionType.rel
        }
        return file
    }
}

extension ELFSection {
    /// The bytes that a relocation fills; nil when the section does not have all of them.
    fileprivate func slot(of relocation: ELFRelocation, width: Int) -> Range<Int>? {
        guard relocation.offset <= UInt64(data.count), UInt64(data.count) - relocation.offset >= UInt64(width) else { return nil }
        return Int(relocation.offset)..<Int(relocation.offset) + width
    }
}

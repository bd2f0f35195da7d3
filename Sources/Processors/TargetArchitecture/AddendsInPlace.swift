import ELFModel

extension ELFFile {
    /// The same file with all addends in its relocations, and zero in the bits that these fill.
    ///
    /// Only for sections that are loaded. Relocations of a type that is not known, and those outside of their sections, stay as they
    /// are: their bytes are content then.
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

    /// The reverse: all addends in the bits that relocations fill. Nil when one has no room there.
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
    /// The bytes that a relocation fills; nil when they are not all there.
    fileprivate func slot(of relocation: ELFRelocation, width: Int) -> Range<Int>? {
        guard relocation.offset <= UInt64(data.count), UInt64(data.count) - relocation.offset >= UInt64(width) else { return nil }
        return Int(relocation.offset)..<Int(relocation.offset) + width
    }
}

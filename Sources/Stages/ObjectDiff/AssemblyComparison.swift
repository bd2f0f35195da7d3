import ELFModel

/// Compares objects made from assembly section by section, because they have labels instead of functions.
struct AssemblyComparison {
    let original: ELFFile
    let patched: ELFFile
    let roles: SectionRoles

    /// The names of the sections that differ: in their bytes, in their labels, or in where their relocations lead. Each has
    /// its role. Sections that are never part of the hypervisor are not compared.
    func differingSections() -> [(name: String, role: SectionRole)] {
        let (a, b) = (sections(original), sections(patched))
        return Set(a.keys).union(b.keys).sorted().compactMap { name in
            let (x, y) = (a[name], b[name])
            guard x != y, let section = (y ?? x)?.first?.section else { return nil }
            return (name, roles.role(of: section))
        }
    }

    private struct Content: Equatable {
        var section: ELFSection
        var relocations: [Relocation]
        var labels: [Label]
    }

    private struct Relocation: Equatable {
        var offset: UInt64
        var type: UInt32
        var subject: String
        var addend: Int64
    }

    private struct Label: Equatable {
        var name: String
        var value: UInt64
        var binding: UInt8
    }

    private func sections(_ file: ELFFile) -> [String: [Content]] {
        var relocations: [Int: [ELFRelocation]] = [:]
        for section in file.sections where section.isRelocations { relocations[Int(section.info), default: []] += section.relocations }
        var labels: [Int: [Label]] = [:]
        for symbol in file.symbols where !symbol.isSection && !symbol.isFile {
            guard let section = symbol.sectionIndex, !symbol.isLocal else { continue }
            labels[section, default: []].append(Label(name: symbol.name, value: symbol.value, binding: symbol.binding))
        }
        var result: [String: [Content]] = [:]
        for (index, section) in file.sections.enumerated() where section.isAllocated && section.size > 0 && !section.isRelocations {
            if roles.role(of: section) == .ignored { continue }
            var plain = section
            plain.link = 0
            plain.info = 0
            result[section.name, default: []].append(
                Content(
                    section: plain, relocations: (relocations[index] ?? []).map { relocation($0, file) },
                    labels: (labels[index] ?? []).sorted { ($0.value, $0.name) < ($1.value, $1.name) }))
        }
        return result
    }

    private func relocation(_ relocation: ELFRelocation, _ file: ELFFile) -> Relocation {
        let symbol = file.symbols[relocation.symbol]
        var subject = symbol.name
        var addend = relocation.addend
        if let section = symbol.sectionIndex, symbol.isLocal {
            // A local label may get its name from the assembler, so its place says more.
            subject = "section \(file.sections[section].name)"
            addend &+= Int64(clamping: symbol.value)
        }
        return Relocation(offset: relocation.offset, type: relocation.type, subject: subject, addend: addend)
    }
}

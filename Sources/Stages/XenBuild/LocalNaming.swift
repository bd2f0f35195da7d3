import ELFModel
import TargetArchitecture

/// Decides whether an object has to be assembled a second time, with names in the references to its local variables.
package struct LocalNaming: Sendable {
    let architecture: any TargetArchitecture

    package init(architecture: any TargetArchitecture) { self.architecture = architecture }

    /// The local variables to name: those of sections that relocations refer to without a name, and that hold more than one thing.
    ///
    /// - Returns: sorted; empty when every reference is clear.
    package func names(in object: ELFFile) -> [String] {
        let unnamed = unnamedTargets(object)
        guard !unnamed.isEmpty else { return [] }
        var symbols: [Int: [ELFSymbol]] = [:]
        for symbol in object.symbols where !symbol.isSection && !symbol.isFile && !symbol.name.isEmpty && !architecture.isMappingSymbol(symbol.name) {
            if let section = symbol.sectionIndex, unnamed.contains(section) { symbols[section, default: []].append(symbol) }
        }
        let shared = symbols.filter { section, symbols in !symbols.contains { $0.value == 0 && $0.size == object.sections[section].size } }
        return shared.values.joined().filter(\.isLocal).map(\.name).sorted()
    }

    /// The data sections that relocations of loaded sections refer to by the section's symbol. Strings and constants that a linker may
    /// merge are no doubt: the assembler keeps a symbol unless the reference leads to its start.
    private func unnamedTargets(_ object: ELFFile) -> Set<Int> {
        var result: Set<Int> = []
        for section in object.sections where section.isRelocations && object.isLoaded(Int(section.info)) {
            for relocation in section.relocations where object.symbols.indices.contains(relocation.symbol) {
                let symbol = object.symbols[relocation.symbol]
                guard symbol.isSection, let target = symbol.sectionIndex else { continue }
                let data = object.sections[target]
                if data.isAllocated, !data.isExecutable, !data.isMergeable { result.insert(target) }
            }
        }
        return result
    }

    /// Whether two assemblies of one text are the same for a linker: equal bytes, and relocations to equal places.
    package func areSame(_ plain: ELFFile, _ named: ELFFile) -> Bool {
        plain.withSeparateAddends(architecture).loadedParts == named.withSeparateAddends(architecture).loadedParts
    }
}

/// A loaded section, with what its relocations refer to, whatever symbols they use. Sections go by their names and order: another section
/// that is not loaded shifts their indices.
private struct LoadedPart: Equatable {
    struct Reference: Equatable {
        var offset: UInt64
        var type: UInt32
        /// A section and its position among those of that name, or the name of a symbol that is defined elsewhere.
        var target: Target
        var addend: Int64
    }

    enum Target: Equatable {
        case place(Part)
        case symbol(String, ELFSymbol.Place)
    }

    struct Part: Equatable {
        var name: String
        /// Counts the sections of that name before it.
        var number: Int
    }

    var section: ELFSection
    /// The section that the header links it to (`SHF_LINK_ORDER`).
    var link: Part
    /// In the order of their offsets.
    var references: [Reference]
}

extension ELFFile {
    fileprivate func isLoaded(_ section: Int) -> Bool { sections.indices.contains(section) && sections[section].isAllocated }

    fileprivate var loadedParts: [LoadedPart] {
        var counts: [String: Int] = [:]
        let parts = sections.map { section in
            defer { counts[section.name, default: 0] += 1 }
            return LoadedPart.Part(name: section.name, number: counts[section.name, default: 0])
        }
        func part(_ index: Int) -> LoadedPart.Part { parts.indices.contains(index) ? parts[index] : LoadedPart.Part(name: "", number: index) }
        return sections.indices.filter(isLoaded).map { index in
            var section = sections[index]
            let link = part(Int(section.link))
            section.link = 0
            let relocations = sections.filter { $0.isRelocations && Int($0.info) == index }.flatMap(\.relocations)
            let references = relocations.map { relocation -> LoadedPart.Reference in
                let symbol = symbols.indices.contains(relocation.symbol) ? symbols[relocation.symbol] : ELFSymbol(name: "")
                let home = symbol.sectionIndex
                return LoadedPart.Reference(
                    offset: relocation.offset, type: relocation.type, target: home.map { .place(part($0)) } ?? .symbol(symbol.name, symbol.place),
                    addend: relocation.addend &+ (home == nil ? 0 : Int64(truncatingIfNeeded: symbol.value)))
            }
            return LoadedPart(section: section, link: link, references: references.sorted { ($0.offset, $0.type) < ($1.offset, $1.type) })
        }
    }
}

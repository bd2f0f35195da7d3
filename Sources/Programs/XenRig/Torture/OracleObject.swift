import ELFModel

/// An object whose relocations name every variable: the compiler's own words on what each reference means.
package struct OracleObject: Sendable {
    /// A place in the object.
    package struct Place: Sendable, Hashable {
        package var section: Int
        package var offset: UInt64
    }

    /// What a relocation's symbol stands for.
    package enum Meaning: Sendable, Hashable {
        /// A variable of the source: of the file, or a labelled one of a function.
        case variable(String)
        /// What another object defines.
        case outside(String)
        /// A function, by its symbol; the addend counts from its start.
        case function(String)
        /// Strings and tables that have no name in the source.
        case content(Place)
        /// A section with several variables, of which the code does not say which one it means: ARM's section anchors. The addend counts
        /// from the section's start.
        case block(Int)
    }

    package struct Reference: Sendable {
        /// From the start of the section.
        package var offset: UInt64
        package var type: UInt32
        package var meaning: Meaning
        package var addend: Int64
    }

    package struct Item: Sendable {
        package var place: Place
        package var size: UInt64

        func overlaps(_ other: Item) -> Bool {
            place.section == other.place.section && place.offset < other.place.offset &+ other.size && other.place.offset < place.offset &+ size
        }
    }

    package let file: ELFFile
    /// References of each section, by offset.
    package private(set) var references: [Int: [Reference]] = [:]
    /// Functions that run after the boot, each in a section of its own.
    package private(set) var functions: [String: Item] = [:]
    package private(set) var variables: [String: Item] = [:]

    /// - Parameter original: an object whose data symbols are global.
    package init(_ original: ELFFile) {
        file = original.withOwnAddends
        for symbol in file.symbols {
            guard let section = symbol.sectionIndex, file.sections.indices.contains(section) else { continue }
            let item = Item(place: Place(section: section, offset: symbol.value), size: symbol.size)
            if symbol.isFunction { functions[symbol.name] = item }
            if symbol.isObject, !Self.isAnonymous(symbol.name) { variables[symbol.name] = item }
        }
        let starts = Dictionary(functions.map { ($0.value.place, $0.key) }) { first, _ in first }
        for section in file.sections where section.isRelocations && file.sections.indices.contains(Int(section.info)) {
            let home = file.sections[Int(section.info)]
            references[Int(section.info)] = section.relocations.compactMap { reference($0, starts, home) }.sorted { $0.offset < $1.offset }
        }
    }

    /// Names that the compiler makes up: `__func__.3`, `CSWTCH.7`. All static variables of functions are labelled.
    static func isAnonymous(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return name[name.index(after: dot)...].allSatisfy(\.isNumber)
    }

    private func reference(_ relocation: ELFRelocation, _ starts: [Place: String], _ home: ELFSection) -> Reference? {
        guard file.symbols.indices.contains(relocation.symbol), !Self.isIdle(relocation.offset, home.name, file.header.machine) else { return nil }
        let symbol = file.symbols[relocation.symbol]
        var result = Reference(offset: relocation.offset, type: relocation.type, meaning: .outside(symbol.name), addend: relocation.addend)
        guard let section = symbol.sectionIndex, file.sections.indices.contains(section) else { return result }
        let target = file.sections[section]
        if target.name == Self.replacements {
            result.meaning = .content(Place(section: section, offset: symbol.value &+ UInt64(bitPattern: relocation.addend)))
            result.addend = 0
        } else if target.isExecutable {
            guard let function = starts[Place(section: section, offset: 0)] else {
                result.meaning = .content(Place(section: section, offset: symbol.value))
                return result
            }
            result.meaning = .function(function)
            result.addend += Int64(truncatingIfNeeded: symbol.value)
        } else if symbol.isObject, !Self.isAnonymous(symbol.name) {
            result.meaning = .variable(symbol.name)
        } else if symbol.isSection, target.isStringTable {
            // The assembler turns `.LC3` into its section and a distance.
            // ARM's entries count from their start.
            let inEntry = Self.isBugFrame(home.name) ? -Int64(relocation.offset % 16) : 0
            let bias: Int64 = isRelative(relocation.type) ? 4 : inEntry
            result.meaning = .content(Place(section: section, offset: UInt64(truncatingIfNeeded: relocation.addend + bias)))
            result.addend = -bias
        } else if target.isWritable, !symbol.isObject, let only = onlyVariable(in: section) {
            result.meaning = only.map { .variable($0) } ?? .block(section)
            result.addend += Int64(truncatingIfNeeded: symbol.value)
        } else {
            result.meaning = .content(Place(section: section, offset: symbol.value))
        }
        return result
    }

    /// The name of a section's only variable, which fills it; a nil in it when there are several, and nil when there is none.
    private func onlyVariable(in section: Int) -> String?? {
        let inside = variables.filter { $0.value.place.section == section }
        guard let first = inside.first else { return nil }
        return .some(inside.count == 1 && first.value.place.offset == 0 ? first.key : nil)
    }

    static func isBugFrame(_ section: String) -> Bool { section.hasPrefix(".bug_frames.") }

    /// Whether a reference leads to nothing in particular: the text of an assertion, in ARM's entries of other kinds.
    static func isIdle(_ offset: UInt64, _ section: String, _ machine: UInt16) -> Bool {
        machine != ELF.Machine.x86_64 && isBugFrame(section) && section != ".bug_frames.3" && offset % 16 == 8
    }

    /// The section of replacements of alternatives. Each of a torture file has four bytes.
    static let replacements = ".altinstr_replacement"

    /// Whether an instruction's field counts from behind itself: R_X86_64_PC32 and R_X86_64_PLT32.
    func isRelative(_ type: UInt32) -> Bool { Self.isRelative(type, file.header.machine) }

    /// Whether the reference leads to the very start of what it names.
    func isStart(_ reference: Reference) -> Bool {
        if file.header.machine == ELF.Machine.arm, Self.armBranches.contains(reference.type) { return reference.addend == -8 }
        return reference.addend == (isRelative(reference.type) ? -4 : 0)
    }

    /// R_ARM_CALL and R_ARM_JUMP24, which count from two instructions further on.
    static let armBranches: Set<UInt32> = [28, 29]

    private static func isRelative(_ type: UInt32, _ machine: UInt16) -> Bool { machine == ELF.Machine.x86_64 && (type == 2 || type == 4) }

    /// Whether two relocations do the same: without a procedure linkage table, R_X86_64_PLT32 is R_X86_64_PC32.
    static func isSameKind(_ a: UInt32, _ b: UInt32, _ machine: UInt16) -> Bool {
        a == b || (isRelative(a, machine) && isRelative(b, machine)) || (machine == ELF.Machine.arm && armBranches.contains(a) && armBranches.contains(b))
    }

    // MARK: Contents

    /// The references within a range, by offset.
    package func references(in item: Item) -> [Reference] {
        let range = item.place.offset..<(item.place.offset &+ min(item.size, UInt64.max - item.place.offset))
        return (references[item.place.section] ?? []).filter { range.contains($0.offset) }
    }

    /// The bytes of a range; zeros for a section without bytes, and what is missing.
    package func bytes(of item: Item) -> [UInt8] {
        guard file.sections.indices.contains(item.place.section) else { return [] }
        return file.sections[item.place.section].bytes(from: item.place.offset, count: Int(clamping: item.size))
    }

    /// How far the content at a place reaches: a string to its end, a symbol's extent, or the whole section.
    package func extent(of place: Place) -> Item {
        guard file.sections.indices.contains(place.section) else { return Item(place: place, size: 0) }
        let section = file.sections[place.section]
        if section.name == Self.replacements { return Item(place: place, size: 4) }
        if section.isStringTable {
            let rest = section.data.dropFirst(Int(clamping: place.offset))
            return Item(place: place, size: UInt64(rest.firstIndex(of: 0).map { $0 - rest.startIndex + 1 } ?? rest.count))
        }
        let named = file.symbols.first { $0.sectionIndex == place.section && $0.value == place.offset && $0.isObject && $0.size > 0 }
        if let named { return Item(place: place, size: named.size) }
        if section.isMergeable, section.entrySize > 0 { return Item(place: place, size: section.entrySize) }
        return Item(place: place, size: section.size > place.offset ? section.size - place.offset : 0)
    }

    /// Whether the variable is never written while the hypervisor runs.
    package func isConstant(_ item: Item) -> Bool {
        guard file.sections.indices.contains(item.place.section) else { return false }
        let section = file.sections[item.place.section]
        return !section.isWritable || section.name.hasPrefix(".data.rel.ro")
    }
}

extension ELFSection {
    /// Bytes in memory: zeros for a section without bytes.
    func bytes(from offset: UInt64, count: Int) -> [UInt8] {
        let start = Int(clamping: offset)
        guard !isZeroFilled, start < data.count else { return [UInt8](repeating: 0, count: min(count, Int(clamping: size))) }
        return Array(data[start..<min(data.count, start + max(0, min(count, data.count)))])
    }
}

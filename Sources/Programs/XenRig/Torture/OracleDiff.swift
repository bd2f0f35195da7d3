import ELFModel

/// Says what differs between two objects with names. It knows nothing of the program's own comparison.
package struct OracleDiff: Sendable {
    package let original: OracleObject
    package let patched: OracleObject

    /// By the patched variable's name, the original one whose declaration's line stays: where blocks have the same text, nothing else says
    /// which is which.
    package let twins: [String: String]

    package init(original: OracleObject, patched: OracleObject, twins: [String: String] = [:]) {
        (self.original, self.patched, self.twins) = (original, patched, twins)
    }

    /// How two functions compare.
    package enum Difference: Sendable, Equatable {
        case none
        /// Only line numbers in entries of special sections differ.
        case onlyLines
        /// It uses a variable that nobody writes, which becomes a constant or stops being one. Whether the payload takes the constant's content or
        /// the hypervisor's variable, it reads the same values.
        case onlyStorage
        case content(String)
    }

    /// Tables of entries that belong to functions: the size of an entry, and the mask of the bits of its addends that are no line number.
    package struct SpecialSection: Sendable {
        package var name: String
        package var entrySize: UInt64
        package var hasLines: Bool
    }

    package static func specialSections(_ machine: UInt16) -> [SpecialSection] {
        let isX86 = machine == ELF.Machine.x86_64
        return (0...3).map { SpecialSection(name: ".bug_frames.\($0)", entrySize: isX86 ? ($0 == 3 ? 16 : 8) : 16, hasLines: true) }
            + [
                SpecialSection(name: ".ex_table", entrySize: 8, hasLines: false),
                SpecialSection(name: ".ex_table.pre", entrySize: 8, hasLines: false),
                SpecialSection(name: ".altinstructions", entrySize: isX86 ? 14 : 12, hasLines: false),
            ]
    }

    /// The difference of a function that both objects have.
    package func difference(of function: String) -> Difference {
        guard let before = original.functions[function], let after = patched.functions[function] else { return .content("is only in one object") }
        if let difference = difference(before, after, 0) { return .content(difference) }
        var onlyLines = false
        for special in Self.specialSections(patched.file.header.machine) {
            let old = original.entries(of: function, in: special), new = patched.entries(of: function, in: special)
            guard old.count == new.count else { return .content("\(special.name): \(old.count) entries, now \(new.count)") }
            for (old, new) in zip(old, new) {
                if let difference = entryDifference(old, new, special) { return .content("\(special.name): \(difference)") }
                if special.hasLines, !haveSameLines(old, new) { onlyLines = true }
            }
        }
        if onlyLines { return .onlyLines }
        return usesOtherStorage(before, after) ? .onlyStorage : .none
    }

    private func usesOtherStorage(_ before: OracleObject.Item, _ after: OracleObject.Item) -> Bool {
        zip(original.references(in: before), patched.references(in: after)).contains { old, new in
            guard case .variable(let old) = old.meaning, case .variable(let new) = new.meaning,
                let before = original.variables[old], let after = patched.variables[new]
            else { return false }
            return original.isConstant(before) != patched.isConstant(after)
        }
    }

    // MARK: Content

    /// The first difference of two ranges, with all that they refer to and that does not change at run time; nil if there is none.
    package func difference(_ before: OracleObject.Item, _ after: OracleObject.Item, _ depth: Int) -> String? {
        guard depth < 12 else { return nil }
        guard before.size == after.size else { return "\(before.size) bytes, now \(after.size)" }
        guard original.bytes(of: before) == patched.bytes(of: after) else { return "other bytes" }
        return referenceDifference(original.references(in: before), patched.references(in: after), before, after, depth, lines: false)
    }

    private func referenceDifference(
        _ old: [OracleObject.Reference], _ new: [OracleObject.Reference], _ before: OracleObject.Item, _ after: OracleObject.Item, _ depth: Int, lines: Bool
    ) -> String? {
        guard old.count == new.count else { return "\(old.count) references, now \(new.count)" }
        for (old, new) in zip(old, new) {
            let place = old.offset - before.place.offset
            guard place == new.offset - after.place.offset, OracleObject.isSameKind(old.type, new.type, patched.file.header.machine) else {
                return "another reference at \(place)"
            }
            let mask: Int64 = lines ? 0xff_ffff : -1
            guard old.addend & mask == new.addend & mask else { return "another distance at \(place)" }
            if let difference = difference(old.meaning, new.meaning, depth) { return "at \(place): \(difference)" }
        }
        return nil
    }

    private func difference(_ old: OracleObject.Meaning, _ new: OracleObject.Meaning, _ depth: Int) -> String? {
        switch (old, new) {
        case (.content(let old), .content(let new)):
            return difference(original.extent(of: old), patched.extent(of: new), depth + 1)
        case (.block(let old), .block(let new)):
            return original.name(of: old) == patched.name(of: new) ? nil : "\(original.name(of: old)), now \(patched.name(of: new))"
        case (.variable(let old), .variable(let new)):
            guard let before = original.variables[old], let after = patched.variables[new] else { return "\(old), now \(new)" }
            // Of a constant only the content counts.
            guard original.isConstant(before), patched.isConstant(after) else { return old == new || twins[new] == old ? nil : "\(old), now \(new)" }
            return difference(before, after, depth + 1).map { "\(old): \($0)" }
        default:
            return old.name == new.name ? nil : "\(old.name), now \(new.name)"
        }
    }

    // MARK: Special sections

    private func entryDifference(_ old: OracleObject.Item, _ new: OracleObject.Item, _ special: SpecialSection) -> String? {
        var before = original.bytes(of: old), after = patched.bytes(of: new)
        if special.hasLines, special.entrySize == 16, patched.file.header.machine != ELF.Machine.x86_64 {
            // ARM has the line number in two bytes of its own.
            for index in 12..<14 where index < min(before.count, after.count) { (before[index], after[index]) = (0, 0) }
        }
        guard before == after else { return "other bytes" }
        let isX86 = patched.file.header.machine == ELF.Machine.x86_64
        return referenceDifference(original.references(in: old), patched.references(in: new), old, new, 0, lines: special.hasLines && isX86)
    }

    private func haveSameLines(_ old: OracleObject.Item, _ new: OracleObject.Item) -> Bool {
        original.bytes(of: old) == patched.bytes(of: new)
            && original.references(in: old).map(\.addend) == patched.references(in: new).map(\.addend)
    }
}

extension OracleObject.Meaning {
    /// For comparing and for messages: variables, functions and what is outside have names.
    var name: String {
        switch self {
        case .variable(let name), .outside(let name), .function(let name): name
        case .content: "a constant"
        case .block(let section): "section \(section)"
        }
    }
}

extension OracleObject {
    /// The names of the constants that a function refers to.
    func constants(of function: String) -> Set<String> { variables(of: function).filter { variables[$0].map(isConstant) ?? false } }

    /// The names of the variables and constants that a function refers to.
    func variables(of function: String) -> Set<String> {
        Set((functions[function].map(references) ?? []).compactMap { if case .variable(let name) = $0.meaning { name } else { nil } })
    }

    func name(of section: Int) -> String { file.sections.indices.contains(section) ? file.sections[section].name : "?" }

    /// The entries of a special section that lead into a function, in their order.
    package func entries(of function: String, in special: OracleDiff.SpecialSection) -> [Item] {
        file.sections.indices.filter { file.sections[$0].name == special.name }.flatMap { section in
            stride(from: 0, to: file.sections[section].size, by: UInt64.Stride(special.entrySize)).map {
                Item(place: Place(section: section, offset: $0), size: special.entrySize)
            }.filter { references(in: $0).first?.meaning == .function(function) }
        }
    }
}

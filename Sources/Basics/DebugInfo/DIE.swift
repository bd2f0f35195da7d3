import CLibdw
import ELFModel

/// A debugging information entry: a node of DWARF's tree.
///
/// Valid as long as the `DwarfFile` that it came from.
struct DIE {
    private var raw: Dwarf_Die
    let kind: Kind

    /// What an entry stands for, as far as it matters here.
    enum Kind { case function, variable, block, inlinedCopy, parameter, moreParameters, other }

    init(_ raw: Dwarf_Die) {
        self.raw = raw
        kind =
            switch Int(dwarf_tag(&self.raw)) {
            case DW_TAG_subprogram: .function
            case DW_TAG_variable: .variable
            case DW_TAG_lexical_block: .block
            case DW_TAG_inlined_subroutine: .inlinedCopy
            case DW_TAG_formal_parameter: .parameter
            case DW_TAG_unspecified_parameters: .moreParameters
            default: .other
            }
    }

    /// What distinguishes the entry from all others of the file: where it is in memory. Offsets would not do, as units are in several sections
    /// and files.
    var identity: UInt64 { UInt64(UInt(bitPattern: raw.addr)) }

    /// The name of the entry, or of the entry that it completes or repeats.
    var name: String? { withRaw { dwarf_diename($0) }.map { SymbolName.distinctText($0) } }

    func has(_ attribute: Int) -> Bool { withRaw { dwarf_hasattr($0, UInt32(attribute)) } != 0 }

    var linkageName: String? { string(DW_AT_linkage_name) ?? string(DW_AT_MIPS_linkage_name) }

    /// Whether other objects can refer to it.
    var isExternal: Bool { flag(DW_AT_external) }

    /// Whether the entry is only a declaration. Looks at this entry alone, because a definition may complete a declaration.
    var isDeclaration: Bool { has(DW_AT_declaration) }

    var inlining: DebugInfo.Inlining {
        switch number(DW_AT_inline).map({ Int(truncatingIfNeeded: $0) }) {
        case DW_INL_inlined: .byCompiler
        case DW_INL_declared_not_inlined: .declaredOnly
        case DW_INL_declared_inlined: .declared
        default: .none
        }
    }

    func string(_ attribute: Int) -> String? {
        withAttribute(attribute) { dwarf_formstring($0) }?.map { SymbolName.distinctText($0) }
    }

    func number(_ attribute: Int) -> UInt64? {
        withAttribute(attribute) { attribute -> UInt64? in
            var value: Dwarf_Word = 0
            return dwarf_formudata(attribute, &value) == 0 ? value : nil
        } ?? nil
    }

    func flag(_ attribute: Int) -> Bool {
        withAttribute(attribute) { attribute -> Bool in
            var value = false
            return dwarf_formflag(attribute, &value) == 0 && value
        } ?? false
    }

    /// The entry that a reference attribute of this very entry points to.
    func reference(_ attribute: Int) -> DIE? {
        withRaw { die -> DIE? in
            var found = Dwarf_Attribute()
            var target = Dwarf_Die()
            guard dwarf_attr(die, UInt32(attribute), &found) != nil, dwarf_formref_die(&found, &target) != nil else {
                return nil
            }
            return DIE(target)
        }
    }

    /// The abstract entry that a concrete instance repeats; the entry itself when it is not an instance.
    var abstract: DIE {
        var current = self
        // Two steps are usual (an instance of an instance). The limit keeps a damaged file from causing an endless loop.
        for _ in 0..<16 {
            guard let origin = current.reference(DW_AT_abstract_origin) else { break }
            current = origin
        }
        return current
    }

    /// The type's size in bytes.
    var typeSize: UInt64? {
        withAttribute(DW_AT_type) { attribute -> UInt64? in
            var type = Dwarf_Die()
            var size: Dwarf_Word = 0
            guard dwarf_formref_die(attribute, &type) != nil, dwarf_aggregate_size(&type, &size) == 0 else { return nil }
            return size
        } ?? nil
    }

    /// The path of the declaring file as libdw composes it; the pointer lives as long as the file is open.
    ///
    /// `dwarf_decl_file` won't do: it takes file 0 for none, which DWARF 5 (6.2.4) gives to the unit's main file, and ends the process for a unit
    /// whose table of files is missing.
    var declarationFile: UnsafePointer<CChar>? {
        withAttribute(DW_AT_decl_file) { attribute -> UnsafePointer<CChar>? in
            var index: Dwarf_Word = 0
            var version: Dwarf_Half = 0
            var unit = Dwarf_Die()
            var files: OpaquePointer?
            var count = 0
            guard dwarf_formudata(attribute, &index) == 0, let cu = attribute.pointee.cu,
                dwarf_cu_info(cu, &version, nil, &unit, nil, nil, nil, nil) == 0, index > 0 || version >= 5,
                dwarf_getsrcfiles(&unit, &files, &count) == 0, let files, index < UInt64(count)
            else { return nil }
            return dwarf_filesrc(files, Int(index), nil, nil)
        } ?? nil
    }

    var declarationLine: Int? {
        withRaw { die -> Int? in
            var line: Int32 = 0
            return dwarf_decl_line(die, &line) == 0 ? Int(line) : nil
        }
    }

    /// The address of a variable that has one before the program runs; nil for others.
    var staticAddress: UInt64? {
        guard has(DW_AT_location) else { return nil }
        return withAttribute(DW_AT_location) { attribute -> UInt64? in
            var operations: UnsafeMutablePointer<Dwarf_Op>?
            var count = 0
            guard dwarf_getlocation(attribute, &operations, &count) == 0, let operations, count == 1 else { return nil }
            switch Int(operations[0].atom) {
            case DW_OP_addr:
                return operations[0].number
            case DW_OP_addrx, DW_OP_GNU_addr_index:
                var indirect = Dwarf_Attribute()
                var address: Dwarf_Addr = 0
                guard dwarf_getlocation_attr(attribute, operations, &indirect) == 0,
                    dwarf_formaddr(&indirect, &address) == 0
                else { return nil }
                return address
            default:
                return nil
            }
        } ?? nil
    }

    /// Whether the whole location is somewhere else at run time: on the stack or in registers, and no part of it at an address.
    var isAutomatic: Bool {
        guard has(DW_AT_location) else { return false }
        return withAttribute(DW_AT_location) { attribute -> Bool in
            var operations: UnsafeMutablePointer<Dwarf_Op>?
            var count = 0
            guard dwarf_getlocation(attribute, &operations, &count) == 0, let operations else { return true }
            return !(0..<count).contains { [DW_OP_addr, DW_OP_addrx, DW_OP_GNU_addr_index].contains(Int(operations[$0].atom)) }
        } ?? true
    }

    /// The address ranges of a function's code, in DWARF's order.
    var codeRanges: [Range<UInt64>] {
        withRaw { die in
            var ranges: [Range<UInt64>] = []
            var base: Dwarf_Addr = 0
            var start: Dwarf_Addr = 0
            var end: Dwarf_Addr = 0
            var position = dwarf_ranges(die, 0, &base, &start, &end)
            while position > 0 {
                if start <= end { ranges.append(start..<end) }
                let next = dwarf_ranges(die, position, &base, &start, &end)
                if next == position { break }
                position = next
            }
            return ranges
        }
    }

    /// The children of the entry, in order.
    var children: Children { Children(parent: raw) }

    /// The tree is damaged; `reason` says how.
    struct Damaged: Error {
        var reason: String
    }

    /// Visits the children one after the other.
    struct Children {
        private var current: Dwarf_Die
        private var started = false

        fileprivate init(parent: Dwarf_Die) { current = parent }

        /// The next child, or nil after the last.
        mutating func next() throws(Damaged) -> DIE? {
            var found = Dwarf_Die()
            let previous = started ? dwarf_dieoffset(&current) : 0
            let status = started ? dwarf_siblingof(&current, &found) : dwarf_child(&current, &found)
            guard status >= 0 else { throw Damaged(reason: DwarfFile.dwarfReason) }
            guard status == 0 else { return nil }
            // A sibling attribute that leads back would make an endless loop.
            guard dwarf_dieoffset(&found) > previous else { throw Damaged(reason: "entries in a circle") }
            let die = DIE(found)
            current = die.raw
            started = true
            return die
        }
    }

    private func withRaw<R>(_ body: (UnsafeMutablePointer<Dwarf_Die>) -> R) -> R {
        var copy = raw
        return body(&copy)
    }

    /// The attribute of this entry, or of the one that it completes or repeats.
    private func withAttribute<R>(_ name: Int, _ body: (UnsafeMutablePointer<Dwarf_Attribute>) -> R) -> R? {
        withRaw { die in
            var attribute = Dwarf_Attribute()
            guard dwarf_attr_integrate(die, UInt32(name), &attribute) != nil else { return nil }
            return body(&attribute)
        }
    }
}

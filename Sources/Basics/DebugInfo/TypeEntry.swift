import CLibdw

/// An entry with all of its own attributes that matter for types. One pass gathers them, because there are many entries.
///
/// Valid as long as the `DwarfFile` that it came from.
struct TypeEntry {
    private(set) var raw: Dwarf_Die
    let tag: Int
    private(set) var name: UnsafePointer<CChar>?
    private(set) var byteSize: UInt64?
    private(set) var bitSize: UInt64?
    /// In bits from the start of the containing type, counted from the least significant bit.
    private(set) var dataBitOffset: UInt64?
    /// DWARF 2 to 4: in bits from the most significant bit of the storage unit.
    private(set) var bitOffset: UInt64?
    /// The offset of a member, in bytes.
    private(set) var memberLocation: UInt64?
    private(set) var constant: Int64?
    private(set) var upperBound: Int64?
    private(set) var count: UInt64?
    /// Offsets of other entries.
    private(set) var type: UInt64?
    private(set) var origin: UInt64?
    private(set) var isDeclaration = false
    private(set) var isVector = false
    private(set) var hasCode = false
    /// Whether the variable has one address during the whole run.
    private(set) var isStatic = false

    init(_ die: Dwarf_Die) {
        raw = die
        tag = Int(dwarf_tag(&raw))
        var copy = raw
        withUnsafeMutablePointer(to: &self) { entry in
            _ = dwarf_getattrs(
                &copy,
                { attribute, context in
                    guard let attribute, let entry = context?.assumingMemoryBound(to: TypeEntry.self) else { return CInt(DWARF_CB_ABORT) }
                    entry.pointee.note(attribute)
                    return CInt(DWARF_CB_OK)
                }, entry, 0)
        }
    }

    var offset: UInt64 {
        var copy = raw
        return dwarf_dieoffset(&copy)
    }

    private mutating func note(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) {
        switch Int(attribute.pointee.code) {
        case DW_AT_name: name = dwarf_formstring(attribute)
        case DW_AT_byte_size: byteSize = Self.number(attribute)
        case DW_AT_bit_size: bitSize = Self.number(attribute)
        case DW_AT_data_bit_offset: dataBitOffset = Self.number(attribute)
        case DW_AT_bit_offset: bitOffset = Self.number(attribute)
        case DW_AT_data_member_location: memberLocation = Self.number(attribute) ?? Self.addedConstant(attribute)
        case DW_AT_const_value: constant = Self.number(attribute).map { Int64(bitPattern: $0) }
        case DW_AT_upper_bound: upperBound = Self.number(attribute).map { Int64(bitPattern: $0) }
        case DW_AT_count: count = Self.number(attribute)
        case DW_AT_type: type = Self.reference(attribute)
        case DW_AT_abstract_origin, DW_AT_specification: origin = Self.reference(attribute)
        case DW_AT_declaration: isDeclaration = true
        case DW_AT_GNU_vector: isVector = true
        case DW_AT_low_pc, DW_AT_ranges: hasCode = true
        case DW_AT_location: isStatic = Self.startsWithAddress(attribute)
        default: break
        }
    }

    private static func number(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> UInt64? {
        var value: Dwarf_Word = 0
        return dwarf_formudata(attribute, &value) == 0 ? value : nil
    }

    /// Nil for a type unit: it is in another section, with offsets of its own. Compilers make type units only when asked to.
    private static func reference(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> UInt64? {
        guard Int(attribute.pointee.form) != DW_FORM_ref_sig8 else { return nil }
        var target = Dwarf_Die()
        return dwarf_formref_die(attribute, &target) == nil ? nil : dwarf_dieoffset(&target)
    }

    /// DWARF 2 gives a member's place as an expression that adds a constant.
    private static func addedConstant(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> UInt64? {
        var operations: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        guard dwarf_getlocation(attribute, &operations, &count) == 0, let operations, count == 1,
            Int(operations[0].atom) == DW_OP_plus_uconst
        else { return nil }
        return operations[0].number
    }

    private static func startsWithAddress(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> Bool {
        var block = Dwarf_Block()
        guard dwarf_formblock(attribute, &block) == 0, block.length > 0, let data = block.data else { return false }
        return [DW_OP_addr, DW_OP_addrx, DW_OP_GNU_addr_index].contains(Int(data[0]))
    }
}

/// Visits the entries directly below an entry, in order.
struct TypeEntryChildren {
    private var current: Dwarf_Die
    private var started = false

    init(of parent: Dwarf_Die) { current = parent }

    /// The next entry and its tag, or nil after the last.
    mutating func next() throws(DIE.Damaged) -> (die: Dwarf_Die, tag: Int)? {
        var found = Dwarf_Die()
        let previous = dwarf_dieoffset(&current)
        let status = started ? dwarf_siblingof(&current, &found) : dwarf_child(&current, &found)
        guard status >= 0 else { throw DIE.Damaged(reason: DwarfFile.dwarfReason) }
        guard status == 0 else { return nil }
        // A sibling attribute that leads back would make an endless loop.
        guard dwarf_dieoffset(&found) > previous else { throw DIE.Damaged(reason: "entries in a circle") }
        current = found
        started = true
        return (found, Int(dwarf_tag(&found)))
    }
}

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
    /// How a base type's bits are to be read: a `DW_ATE` number.
    private(set) var encoding: UInt64?
    /// Whether a base type's bytes come in the other order than the processor's (`scalar_storage_order`). All that Xen runs on are
    /// little-endian.
    private(set) var isBigEndian = false
    /// Other entries, by their identities.
    private(set) var type: UInt64?
    private(set) var origin: UInt64?
    /// The entry in a type unit that describes the type; this one then counts as a declaration.
    private(set) var signature: UInt64?
    /// Whether the entry has a type, but nothing in the file describes that.
    private(set) var isTypeMissing = false
    private(set) var isPrototyped = false
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

    /// Distinguishes the entry from all others of the file, as in `DIE`.
    var identity: UInt64 { UInt64(UInt(bitPattern: raw.addr)) }

    /// Whether an entry's type is described in another unit or file that can't be found. Faster than to read the whole entry.
    static func hasTypeElsewhere(_ die: Dwarf_Die) -> Bool {
        var die = die
        var attribute = Dwarf_Attribute()
        guard dwarf_attr(&die, UInt32(DW_AT_type), &attribute) != nil else { return false }
        let outside = [DW_FORM_ref_sig8, DW_FORM_GNU_ref_alt, DW_FORM_ref_sup4, DW_FORM_ref_sup8]
        return outside.contains(Int(attribute.form)) && reference(&attribute) == nil
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
        case DW_AT_encoding: encoding = Self.number(attribute)
        case DW_AT_endianity: isBigEndian = Self.number(attribute) == UInt64(DW_END_big)
        case DW_AT_type:
            type = Self.reference(attribute)
            isTypeMissing = type == nil
        case DW_AT_signature:
            signature = Self.reference(attribute)
            isDeclaration = true
            if signature == nil { isTypeMissing = true }
        case DW_AT_prototyped: isPrototyped = true
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

    /// Nil when the file does not have the entry, such as a type unit that is elsewhere.
    private static func reference(_ attribute: UnsafeMutablePointer<Dwarf_Attribute>) -> UInt64? {
        var target = Dwarf_Die()
        return dwarf_formref_die(attribute, &target) == nil ? nil : UInt64(UInt(bitPattern: target.addr))
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

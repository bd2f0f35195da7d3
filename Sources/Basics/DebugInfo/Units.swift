import CLibdw

/// Goes through the compilation units of a file, one after the other.
struct Units {
    private let dwarf: OpaquePointer
    private var current: OpaquePointer?

    init(_ dwarf: OpaquePointer) { self.dwarf = dwarf }

    /// The next unit's entry, and the version of the DWARF format that it is written in; nil after the last.
    mutating func next() throws(DIE.Damaged) -> (entry: Dwarf_Die, version: Int)? {
        while true {
            var next: OpaquePointer?
            var version: Dwarf_Half = 0
            var type: UInt8 = 0
            var die = Dwarf_Die()
            let status = dwarf_get_units(dwarf, current, &next, &version, &type, &die, nil)
            if status == 1 { return nil }
            guard status == 0, let next else { throw DIE.Damaged(reason: DwarfFile.dwarfReason) }
            current = next
            if Int(type) == DW_UT_compile { return (die, Int(version)) }
        }
    }
}

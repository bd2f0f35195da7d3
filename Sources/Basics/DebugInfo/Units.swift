import CLibdw
import Diagnostics

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Goes through the units of a file, one after the other.
struct Units {
    /// A unit's own entry, and what is known about the unit.
    struct Unit {
        var entry: Dwarf_Die
        /// The version of the DWARF format that it is written in.
        var version: Int
        var kind: Kind
        /// The folder that the compiler ran in. Nil when the unit does not say so: type units need not.
        var directory: String?
        /// The handle of the file that the entry is in, if that is not the file itself. It may have type units, too.
        var splitFile: OpaquePointer?
    }

    enum Kind: Equatable {
        case compile
        /// Part of what several units have in common; those import it.
        case partial
        /// One type, for whatever units refer to it by its signature.
        case type
        /// All but the addresses is in another file, which is missing or was written by another run of the compiler.
        case split(missing: String)
    }

    private let dwarf: OpaquePointer
    private var current: OpaquePointer?

    init(_ dwarf: OpaquePointer) { self.dwarf = dwarf }

    /// The next compilation unit; nil after the last.
    mutating func next() throws(DIE.Damaged) -> Unit? {
        while let unit = try nextOfAnyKind() {
            if unit.kind == .compile { return unit }
        }
        return nil
    }

    /// The next unit; nil after the last.
    mutating func nextOfAnyKind() throws(DIE.Damaged) -> Unit? {
        while true {
            var next: OpaquePointer?
            var version: Dwarf_Half = 0
            var type: UInt8 = 0
            var die = Dwarf_Die()
            let status = dwarf_get_units(dwarf, current, &next, &version, &type, &die, nil)
            if status == 1 { return nil }
            guard status == 0, let next else { throw DIE.Damaged(reason: DwarfFile.dwarfReason) }
            current = next
            let directory = DIE(die).string(DW_AT_comp_dir)
            func unit(_ kind: Kind, _ entry: Dwarf_Die) -> Unit { Unit(entry: entry, version: Int(version), kind: kind, directory: directory) }
            switch Int(type) {
            case DW_UT_compile: return unit(.compile, die)
            case DW_UT_partial: return unit(.partial, die)
            case DW_UT_type, DW_UT_split_type: return unit(.type, die)
            case DW_UT_skeleton:
                if let entry = Self.splitUnit(of: next, DIE(die), directory: directory) {
                    var found = unit(.compile, entry)
                    found.splitFile = dwarf_cu_getdwarf(entry.cu)
                    return found
                }
                return unit(.split(missing: Self.splitName(DIE(die)) ?? "?"), die)
            default: continue
            }
        }
    }

    private static func splitName(_ skeleton: DIE) -> String? { skeleton.string(DW_AT_dwo_name) ?? skeleton.string(DW_AT_GNU_dwo_name) }

    /// The unit that a skeleton stands for (`-gsplit-dwarf`), in the file that the skeleton names. libdw opens it, and takes it only if it
    /// was written together with the object.
    private static func splitUnit(of unit: OpaquePointer, _ skeleton: DIE, directory: String?) -> Dwarf_Die? {
        guard let name = splitName(skeleton) else { return nil }
        let path = name.hasPrefix("/") ? name : "\(directory ?? "")/\(name)"
        // libdw would wait for ever for what is no regular file, such as a pipe without a writer.
        var status = stat()
        guard path.hasPrefix("/"), stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var entry = Dwarf_Die()
        guard dwarf_cu_info(unit, nil, nil, nil, &entry, nil, nil, nil) == 0, entry.addr != nil else { return nil }
        return entry
    }
}

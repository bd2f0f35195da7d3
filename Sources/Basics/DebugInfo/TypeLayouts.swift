import CLibdw

/// Computes the footprints of types: what they contain by value, through typedefs, arrays and nested types. Pointers are leaves.
struct TypeLayouts {
    struct Layout {
        var footprint: Footprint
        /// Where pointers are, and what they point to by name. Nothing else counts.
        var targets = Footprint.empty
        /// How the bits are to be read, if the type is a single scalar.
        var representation: Footprint.Representation?
    }

    /// By type. Nil for a type that is not described completely.
    private var known: [UInt64: Layout?] = [:]
    private var members: [UInt64: [TypeEntry]] = [:]

    /// The members of a struct or union, in order.
    mutating func members(of aggregate: TypeEntry) throws(DIE.Damaged) -> [TypeEntry] {
        if let known = members[aggregate.identity] { return known }
        var found: [TypeEntry] = []
        var children = TypeEntryChildren(of: aggregate.raw)
        while let (die, tag) = try children.next() {
            if tag == DW_TAG_member { found.append(TypeEntry(die)) }
        }
        members[aggregate.identity] = found
        return found
    }

    /// The layout of a type; nil when the file does not describe it completely.
    ///
    /// - Parameter shapes: knows sizes and spellings.
    mutating func layout(of type: UInt64, _ shapes: inout TypeShapes) throws(DIE.Damaged) -> Layout? {
        if let known = known[type] { return known }
        guard let entry = shapes.entry(at: type) else { return nil }
        if try parts(of: entry).allSatisfy({ known[$0] != nil }) {
            let layout = try layout(of: entry, &shapes)
            known[type] = .some(layout)
            known[entry.identity] = .some(layout)
            return layout
        }
        // Types may contain each other many thousands deep, so this keeps its own stack.
        var waiting = [type]
        var begun: Set<UInt64> = []
        while let next = waiting.last {
            guard known[next] == nil, let entry = shapes.entry(at: next) else {
                if known[next] == nil { known[next] = .some(nil) }
                waiting.removeLast()
                continue
            }
            let parts = try parts(of: entry)
            let missing = parts.filter { known[$0] == nil }
            // What is missing still at the second visit contains itself: the file is damaged.
            if !missing.isEmpty, begun.insert(next).inserted {
                waiting += missing.filter { !begun.contains($0) }
                continue
            }
            known[next] = .some(try layout(of: entry, &shapes))
            // A declaration leads to the entry of a type unit.
            if entry.identity != next { known[entry.identity] = known[next] }
            waiting.removeLast()
        }
        return known[type] ?? nil
    }

    /// The types that a type contains by value.
    private mutating func parts(of entry: TypeEntry) throws(DIE.Damaged) -> [UInt64] {
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_class_type:
            return entry.isDeclaration ? [] : try members(of: entry).compactMap(\.type)
        case DW_TAG_pointer_type, DW_TAG_reference_type, DW_TAG_base_type, DW_TAG_subroutine_type: return []
        default: return entry.type.map { [$0] } ?? []
        }
    }

    private mutating func layout(of entry: TypeEntry, _ shapes: inout TypeShapes) throws(DIE.Damaged) -> Layout? {
        switch entry.tag {
        case DW_TAG_base_type:
            return Self.scalar(Self.representation(entry.encoding), bytes: entry.byteSize, detail: entry)
        case DW_TAG_pointer_type, DW_TAG_reference_type:
            let target = Footprint.target(shapes.spelling(of: entry.type, isCanonical: true))
            return Self.scalar(.pointer, bytes: entry.byteSize ?? entry.addressSize, target: target)
        case DW_TAG_enumeration_type:
            guard !entry.isDeclaration else { return nil }
            if let base = entry.type, let layout = known[base] ?? nil { return layout }
            return Self.scalar(Self.hasNegativeValues(entry) ? .signed : .unsigned, bytes: entry.byteSize)
        case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type:
            return entry.type.flatMap { known[$0] ?? nil }
        case DW_TAG_array_type: return array(entry, &shapes)
        case DW_TAG_structure_type, DW_TAG_class_type: return try aggregate(entry, isUnion: false, &shapes)
        case DW_TAG_union_type: return try aggregate(entry, isUnion: true, &shapes)
        default: return nil
        }
    }

    // MARK: Scalars

    private static func scalar(
        _ representation: Footprint.Representation, bytes: UInt64?, target: Footprint = .empty, detail: TypeEntry? = nil
    ) -> Layout? {
        guard let bytes else { return nil }
        let encoding = representation == .other ? detail?.encoding ?? 0 : 0
        let order: UInt64 = bytes > 1 && detail?.isBigEndian == true ? 1 << 32 : 0
        let footprint = Footprint(representation, bits: bits(bytes), detail: encoding | order)
        return Layout(footprint: footprint, targets: target, representation: representation)
    }

    private static func representation(_ encoding: UInt64?) -> Footprint.Representation {
        switch encoding.map({ Int(truncatingIfNeeded: $0) }) {
        case DW_ATE_signed, DW_ATE_signed_char: .signed
        case DW_ATE_unsigned, DW_ATE_unsigned_char, DW_ATE_UTF: .unsigned
        case DW_ATE_boolean: .boolean
        case DW_ATE_float: .float
        case DW_ATE_complex_float: .complex
        default: .other
        }
    }

    private static func hasNegativeValues(_ type: TypeEntry) -> Bool {
        var children = TypeEntryChildren(of: type.raw)
        while let (die, tag) = try? children.next() {
            if tag == DW_TAG_enumerator, let value = TypeEntry(die).constant, value < 0 { return true }
        }
        return false
    }

    // MARK: Aggregates

    private func array(_ entry: TypeEntry, _ shapes: inout TypeShapes) -> Layout? {
        guard let type = entry.type, let element = known[type] ?? nil else { return nil }
        let size = shapes.shape(of: type).size
        let count = shapes.elementCount(of: entry)
        guard let size, let count, count > 0 else {
            // Without elements, what the array is for lies behind the object.
            return Layout(footprint: .openEnd(of: element.footprint), targets: element.targets)
        }
        let stride = Self.bits(size)
        return Layout(
            footprint: element.footprint.repeated(count, stride: stride), targets: element.targets.repeated(count, stride: stride),
            representation: count == 1 ? element.representation : nil)
    }

    private mutating func aggregate(_ entry: TypeEntry, isUnion: Bool, _ shapes: inout TypeShapes) throws(DIE.Damaged) -> Layout? {
        guard !entry.isDeclaration else { return nil }
        let members = try members(of: entry)
        var whole = Layout(footprint: .empty)
        var seen: Set<TypeInfo.Layout> = []
        for member in members {
            guard let type = member.type, let layout = known[type] ?? nil else { return nil }
            let part = Self.placed(layout, of: member, size: shapes.shape(of: type).size)
            if members.count == 1 { whole.representation = part.representation }
            if isUnion, !seen.insert(TypeInfo.Layout(footprint: part.footprint, targets: part.targets)).inserted { continue }
            whole.footprint += part.footprint
            whole.targets += part.targets
        }
        guard isUnion, seen.count > 1 else { return whole }
        // Different members of a union may have some scalars in common.
        var cells = UnionCells()
        guard try collect(entry, at: 0, into: &cells, depth: 0, &shapes) else { return whole }
        (whole.footprint, whole.targets) = cells.sums
        return whole
    }

    /// Collects the scalars of a type.
    ///
    /// - Returns: false if there are too many.
    private mutating func collect(
        _ entry: TypeEntry, at place: UInt64, into cells: inout UnionCells, depth: Int, _ shapes: inout TypeShapes
    ) throws(DIE.Damaged) -> Bool {
        guard cells.step(), depth < UnionCells.maximumDepth else { return false }
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_class_type:
            for member in try members(of: entry) {
                guard let type = member.type, let part = shapes.entry(at: type) else { return false }
                let place = place &+ member.bitPlace(size: shapes.shape(of: type).size)
                if member.bitSize != nil {
                    guard let layout = known[type] ?? nil else { return false }
                    cells.add(Self.ofMember(member, layout), at: place)
                } else if try !collect(part, at: place, into: &cells, depth: depth + 1, &shapes) {
                    return false
                }
            }
        case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type:
            guard let inner = entry.type.flatMap({ shapes.entry(at: $0) }) else { return false }
            return try collect(inner, at: place, into: &cells, depth: depth + 1, &shapes)
        case DW_TAG_array_type where (shapes.elementCount(of: entry) ?? 0) > 0:
            guard let type = entry.type, let element = shapes.entry(at: type), let size = shapes.shape(of: type).size else { return false }
            for index in 0..<(shapes.elementCount(of: entry) ?? 0) {
                guard try collect(element, at: place &+ index &* Self.bits(size), into: &cells, depth: depth + 1, &shapes) else { return false }
            }
        default:
            guard let layout = known[entry.identity] ?? nil else { return false }
            cells.add(layout, at: place)
        }
        return true
    }

    /// What a member adds to its type.
    private static func placed(_ layout: Layout, of member: TypeEntry, size: UInt64?) -> Layout {
        let place = member.bitPlace(size: size)
        var layout = ofMember(member, layout)
        layout.footprint = layout.footprint.shifted(by: place)
        layout.targets = layout.targets.shifted(by: place)
        return layout
    }

    /// The layout of a member from that of its type: a bit field has its own size.
    static func ofMember(_ member: TypeEntry, _ layout: Layout) -> Layout {
        guard let bits = member.bitSize else { return layout }
        return Layout(footprint: Footprint(layout.representation ?? .other, bits: bits), representation: layout.representation)
    }

    /// A damaged file may have any number here; the limit prevents an overflow.
    static func bits(_ bytes: UInt64) -> UInt64 { min(bytes, 1 << 56) * 8 }
}

/// The scalars of a small union. Those that lie at the same bits with the same representation count once, whichever members they belong to.
private struct UnionCells {
    private struct Cell: Equatable {
        /// In bits.
        var place: UInt64
        var footprint: Footprint
    }

    private var scalars: [Cell] = []
    private var targets: [Cell] = []
    private var steps = 0

    static let maximumDepth = 24
    private static let maximumSteps = 64

    /// Counts a step; false if it is one too many.
    mutating func step() -> Bool {
        steps += 1
        return steps <= Self.maximumSteps
    }

    mutating func add(_ layout: TypeLayouts.Layout, at place: UInt64) {
        let (scalar, target) = (Cell(place: place, footprint: layout.footprint), Cell(place: place, footprint: layout.targets))
        if !scalars.contains(scalar) { scalars.append(scalar) }
        if layout.targets != .empty, !targets.contains(target) { targets.append(target) }
    }

    var sums: (footprint: Footprint, targets: Footprint) {
        func sum(_ cells: [Cell]) -> Footprint { cells.reduce(.empty) { $0 + $1.footprint.shifted(by: $1.place) } }
        return (sum(scalars), sum(targets))
    }
}

extension TypeEntry {
    /// Where a member lies, in bits from the start of the type that has it.
    ///
    /// - Parameter size: of the member's type, in bytes.
    func bitPlace(size: UInt64?) -> UInt64 {
        if let dataBitOffset { return dataBitOffset }
        let place = TypeLayouts.bits(memberLocation ?? 0)
        guard let bitSize, let bitOffset, let storage = byteSize ?? size else { return place }
        return place &+ TypeLayouts.bits(storage) &- bitOffset &- bitSize
    }

    /// The size of an address, in bytes, in the unit that has the entry. Clang does not repeat it for each pointer.
    var addressSize: UInt64? {
        var size: UInt8 = 0
        guard let unit = raw.cu, dwarf_cu_info(unit, nil, nil, nil, nil, nil, &size, nil) == 0 else { return nil }
        return UInt64(size)
    }
}

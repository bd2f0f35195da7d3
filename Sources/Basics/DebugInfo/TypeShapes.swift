import CLibdw

/// What remains of types when typedefs, qualifiers, arrays and pointers are followed, and how C spells them.
struct TypeShapes {
    /// A type by the named type that it contains, or that its pointers lead to. Both are offsets of entries.
    struct Shape {
        /// In bytes.
        var size: UInt64?
        var held: UInt64?
        var pointed: UInt64?
        var isArray = false
    }

    private(set) var walker: TypeWalker
    private var shapes: [UInt64: Shape] = [:]
    private var spellings: [Spelling: String] = [:]

    private struct Spelling: Hashable {
        var offset: UInt64
        var isCanonical: Bool
    }

    /// More steps than any declaration takes. A chain that leads back to itself ends here.
    private static let maximumDepth = 48
    /// In characters; enough for any type that is not a function with dozens of parameters.
    private static let maximumLength = 400

    init(_ walker: TypeWalker) { self.walker = walker }

    mutating func shape(of offset: UInt64) -> Shape { shape(of: offset, depth: 0) }

    private mutating func shape(of offset: UInt64, depth: Int) -> Shape {
        if let known = shapes[offset] { return known }
        guard depth < Self.maximumDepth, let entry = walker.entry(at: offset) else { return Shape() }
        let shape = self.shape(of: entry, at: offset, depth: depth + 1)
        shapes[offset] = shape
        return shape
    }

    private mutating func shape(of entry: TypeEntry, at offset: UInt64, depth: Int) -> Shape {
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_class_type, DW_TAG_enumeration_type:
            walker.adopt(entry, at: offset)
            return Shape(size: entry.byteSize, held: offset)
        case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type:
            return entry.type.map { shape(of: $0, depth: depth) } ?? Shape()
        case DW_TAG_pointer_type, DW_TAG_reference_type:
            let target = entry.type.map { shape(of: $0, depth: depth) } ?? Shape()
            return Shape(size: entry.byteSize, pointed: target.held ?? target.pointed)
        case DW_TAG_array_type:
            var shape = entry.type.map { self.shape(of: $0, depth: depth) } ?? Shape()
            shape.isArray = true
            for bound in bounds(of: entry) {
                guard let bound, let size = shape.size else {
                    shape.size = nil
                    break
                }
                let (product, overflow) = size.multipliedReportingOverflow(by: bound)
                shape.size = overflow ? nil : product
            }
            if let size = entry.byteSize { shape.size = size }
            return shape
        default:
            return Shape(size: entry.byteSize)
        }
    }

    /// The number of elements in each dimension; nil when it is open or not constant.
    private func bounds(of array: TypeEntry) -> [UInt64?] {
        var result: [UInt64?] = []
        var children = TypeEntryChildren(of: array.raw)
        while let (die, tag) = try? children.next() {
            guard tag == DW_TAG_subrange_type, result.count < 16 else { continue }
            let entry = TypeEntry(die)
            // An array without elements has an upper bound of -1.
            result.append(entry.count ?? entry.upperBound.flatMap { $0 >= -1 && $0 < Int64.max ? UInt64($0 + 1) : nil })
        }
        return result
    }

    // MARK: Spelling

    /// - Parameter isCanonical: whether to follow typedefs and leave out qualifiers, so that only what matters to the layout is left.
    mutating func spelling(of offset: UInt64?, isCanonical: Bool) -> String {
        spell(offset, around: "", isCanonical: isCanonical, depth: 0)
    }

    /// C writes a type around the name that it declares: `inner` is the text in the middle.
    private mutating func spell(_ offset: UInt64?, around inner: String, isCanonical: Bool, depth: Int) -> String {
        guard let offset else { return Self.join("void", inner) }
        guard depth < Self.maximumDepth, let entry = walker.entry(at: offset) else { return Self.join("…", inner) }
        guard inner.isEmpty else { return spell(entry, at: offset, around: inner, isCanonical: isCanonical, depth: depth + 1) }
        let key = Spelling(offset: offset, isCanonical: isCanonical)
        if let known = spellings[key] { return known }
        // If spelling the type leads back to it, this text ends the circle.
        spellings[key] = "…"
        let whole = spell(entry, at: offset, around: "", isCanonical: isCanonical, depth: depth + 1)
        let text = whole.utf8.count > Self.maximumLength ? String(whole.prefix(Self.maximumLength)) + "…" : whole
        spellings[key] = text
        return text
    }

    private mutating func spell(
        _ entry: TypeEntry, at offset: UInt64, around inner: String, isCanonical: Bool, depth: Int
    ) -> String {
        func name() -> String { entry.name.map { String(cString: $0) } ?? "…" }
        func target(_ inner: String) -> String {
            spell(entry.type, around: inner, isCanonical: isCanonical, depth: depth)
        }
        func grouped() -> String { inner.hasPrefix("*") ? "(\(inner))" : inner }
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_class_type: return Self.join(aggregate("struct", entry, offset), inner)
        case DW_TAG_union_type: return Self.join(aggregate("union", entry, offset), inner)
        case DW_TAG_enumeration_type: return Self.join(aggregate("enum", entry, offset), inner)
        case DW_TAG_typedef:
            return isCanonical ? target(inner) : Self.join(name(), inner)
        case DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type:
            return isCanonical ? target(inner) : qualified(entry, around: inner, depth: depth)
        case DW_TAG_pointer_type, DW_TAG_reference_type:
            return target("*" + inner)
        case DW_TAG_array_type:
            return target(grouped() + bounds(of: entry).map { "[\($0.map { String($0) } ?? "")]" }.joined())
        case DW_TAG_subroutine_type:
            return target(grouped() + "(\(parameters(of: entry, isCanonical: isCanonical, depth: depth)))")
        default:
            return Self.join(name(), inner)
        }
    }

    private mutating func qualified(_ entry: TypeEntry, around inner: String, depth: Int) -> String {
        let word =
            switch entry.tag {
            case DW_TAG_const_type: "const"
            case DW_TAG_volatile_type: "volatile"
            case DW_TAG_restrict_type: "restrict"
            default: "_Atomic"
            }
        // A pointer's qualifiers come after its star.
        let isPointer = entry.type.flatMap { walker.entry(at: $0)?.tag } == DW_TAG_pointer_type
        return isPointer
            ? spell(entry.type, around: inner.isEmpty ? word : "\(word) \(inner)", isCanonical: false, depth: depth)
            : "\(word) " + spell(entry.type, around: inner, isCanonical: false, depth: depth)
    }

    private func aggregate(_ word: String, _ entry: TypeEntry, _ offset: UInt64) -> String {
        if let name = entry.name { return "\(word) \(String(cString: name))" }
        return walker.typedefs[offset]?.first ?? "\(word) {…}"
    }

    private mutating func parameters(of function: TypeEntry, isCanonical: Bool, depth: Int) -> String {
        var list: [String] = []
        var children = TypeEntryChildren(of: function.raw)
        while let (die, tag) = try? children.next(), list.count < 64 {
            if tag == DW_TAG_formal_parameter {
                list.append(spell(TypeEntry(die).type, around: "", isCanonical: isCanonical, depth: depth))
            } else if tag == DW_TAG_unspecified_parameters {
                list.append("...")
            }
        }
        return list.isEmpty ? "void" : list.joined(separator: ", ")
    }

    private static func join(_ name: String, _ inner: String) -> String {
        inner.isEmpty ? name : inner.hasPrefix("[") ? name + inner : "\(name) \(inner)"
    }
}

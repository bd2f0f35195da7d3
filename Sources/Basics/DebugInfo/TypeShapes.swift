import CLibdw
import ELFModel

/// What remains of types when typedefs, qualifiers, arrays and pointers are followed, and how C spells them.
struct TypeShapes {
    /// A type by the named type that it contains, or that its pointers lead to. Both are identities of entries.
    struct Shape {
        /// In bytes.
        var size: UInt64?
        var held: UInt64?
        var pointed: UInt64?
        var isArray = false
    }

    private(set) var walker: TypeWalker
    private var shapes: [UInt64: Shape] = [:]
    private var entries: [UInt64: TypeEntry] = [:]
    private var spellings: [Spelling: String] = [:]

    private struct Spelling: Hashable {
        var offset: UInt64
        var isCanonical: Bool
    }

    /// More steps than any declaration takes. A chain that leads back to itself ends here.
    private static let maximumChain = 4096
    /// A spelling that is nested deeper is cut.
    private static let maximumDepth = 48
    /// In characters; enough for any type that is not a function with dozens of parameters.
    private static let maximumLength = 400

    init(_ walker: TypeWalker) { self.walker = walker }

    /// As `TypeWalker.entry(at:)`, but reads each entry once.
    mutating func entry(at identity: UInt64) -> TypeEntry? {
        if let known = entries[identity] { return known }
        let entry = walker.entry(at: identity)
        if let entry { entries[identity] = entry }
        return entry
    }

    mutating func note(_ gap: TypeInfo.Gap) { walker.note(gap) }

    /// Follows typedefs, qualifiers, pointers and arrays, however many there are.
    mutating func shape(of type: UInt64) -> Shape {
        var chain: [(identity: UInt64, entry: TypeEntry)] = []
        var shape = Shape()
        var next: UInt64? = type
        while let identity = next {
            if let known = shapes[identity] {
                shape = known
                break
            }
            guard chain.count < Self.maximumChain, let entry = entry(at: identity) else {
                walker.note(.typesElsewhere)
                break
            }
            chain.append((identity, entry))
            if entry.isTypeMissing { walker.note(.typesElsewhere) }
            next = Self.isLink(entry) ? entry.type : nil
        }
        for (identity, entry) in chain.reversed() {
            shape = self.shape(of: entry, around: shape)
            shapes[identity] = shape
        }
        return shape
    }

    /// Whether the type is made of the one that it refers to.
    private static func isLink(_ entry: TypeEntry) -> Bool {
        switch entry.tag {
        case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type, DW_TAG_pointer_type,
            DW_TAG_reference_type, DW_TAG_array_type:
            true
        default: false
        }
    }

    private mutating func shape(of entry: TypeEntry, around inner: Shape) -> Shape {
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_class_type, DW_TAG_enumeration_type:
            walker.adopt(entry, at: entry.identity)
            return Shape(size: entry.byteSize, held: entry.identity)
        case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type: return inner
        case DW_TAG_pointer_type, DW_TAG_reference_type:
            return Shape(size: entry.byteSize ?? entry.addressSize, pointed: inner.held ?? inner.pointed)
        case DW_TAG_array_type:
            var shape = inner
            shape.isArray = true
            shape.size = entry.byteSize
            if shape.size == nil, let size = inner.size, let count = elementCount(of: entry) {
                let (product, overflow) = size.multipliedReportingOverflow(by: count)
                shape.size = overflow ? nil : product
            }
            return shape
        default:
            return Shape(size: entry.byteSize)
        }
    }

    /// The number of elements of all dimensions together; nil when it is open, not constant, or beyond all measure.
    func elementCount(of array: TypeEntry) -> UInt64? {
        var count: UInt64 = 1
        let bounds = bounds(of: array)
        for bound in bounds {
            guard let bound, case (let product, let overflow) = count.multipliedReportingOverflow(by: bound), !overflow else { return nil }
            count = product
        }
        return bounds.isEmpty ? nil : count
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
        guard depth < Self.maximumDepth, let entry = entry(at: offset) else { return Self.join("…", inner) }
        guard inner.isEmpty else { return spell(entry, around: inner, isCanonical: isCanonical, depth: depth + 1) }
        let key = Spelling(offset: offset, isCanonical: isCanonical)
        if let known = spellings[key] { return known }
        // If spelling the type leads back to it, this text ends the circle.
        spellings[key] = "…"
        let whole = spell(entry, around: "", isCanonical: isCanonical, depth: depth + 1)
        let text =
            whole.utf8.count > Self.maximumLength ? String(whole.prefix(Self.maximumLength)) + "…" + (isCanonical ? "\(Footprint.target(whole))" : "") : whole
        spellings[key] = text
        return text
    }

    private mutating func spell(
        _ entry: TypeEntry, around inner: String, isCanonical: Bool, depth: Int
    ) -> String {
        func name() -> String { entry.name.map { SymbolName.distinctText($0) } ?? "…" }
        func target(_ inner: String) -> String {
            spell(entry.type, around: inner, isCanonical: isCanonical, depth: depth)
        }
        func grouped() -> String { inner.hasPrefix("*") ? "(\(inner))" : inner }
        switch entry.tag {
        case DW_TAG_structure_type, DW_TAG_class_type: return Self.join(aggregate("struct", entry), inner)
        case DW_TAG_union_type: return Self.join(aggregate("union", entry), inner)
        case DW_TAG_enumeration_type: return Self.join(aggregate("enum", entry), inner)
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
        case DW_TAG_base_type where isCanonical:
            let order = entry.isBigEndian && entry.byteSize != 1 ? "big-endian " : ""
            return Self.join(order + (Self.canonicalName(of: entry) ?? name()), inner)
        default:
            return Self.join(name(), inner)
        }
    }

    /// One name for all base types that are the same to the processor: `long int` and `long long int` are, where both have 64 bits.
    private static func canonicalName(of base: TypeEntry) -> String? {
        switch (base.encoding.map { Int(truncatingIfNeeded: $0) }, base.byteSize) {
        case (DW_ATE_signed, 8), (DW_ATE_signed_char, 8): "long int"
        case (DW_ATE_signed, 4), (DW_ATE_signed_char, 4): "int"
        case (DW_ATE_signed, 2), (DW_ATE_signed_char, 2): "short int"
        case (DW_ATE_signed, 1), (DW_ATE_signed_char, 1): "char"
        case (DW_ATE_unsigned, 8), (DW_ATE_unsigned_char, 8), (DW_ATE_UTF, 8): "long unsigned int"
        case (DW_ATE_unsigned, 4), (DW_ATE_unsigned_char, 4), (DW_ATE_UTF, 4): "unsigned int"
        case (DW_ATE_unsigned, 2), (DW_ATE_unsigned_char, 2), (DW_ATE_UTF, 2): "short unsigned int"
        case (DW_ATE_unsigned, 1), (DW_ATE_unsigned_char, 1), (DW_ATE_UTF, 1): "unsigned char"
        default: nil
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
        let isPointer = entry.type.flatMap { self.entry(at: $0)?.tag } == DW_TAG_pointer_type
        return isPointer
            ? spell(entry.type, around: inner.isEmpty ? word : "\(word) \(inner)", isCanonical: false, depth: depth)
            : "\(word) " + spell(entry.type, around: inner, isCanonical: false, depth: depth)
    }

    private func aggregate(_ word: String, _ entry: TypeEntry) -> String {
        if let name = entry.name { return "\(word) \(SymbolName.distinctText(name))" }
        return walker.typedefs[entry.identity]?.first ?? "\(word) {…}"
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

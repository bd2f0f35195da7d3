/// What a patch changed in the preprocessed source of one object, and whether that can reach what the compiler emits.
///
/// The parts of both sources are held against each other. What is the same needs no understanding. Each part that differs must be a plain
/// declaration; and what it declares, directly or through others, must not be named by anything but plain declarations. Then the compiler makes
/// code that means the same from both, for nothing that it emits has to do with what differs.
///
/// Two objects that mean the same may still differ in bytes: the compiler numbers some local symbols, and knows of an unused function that it
/// takes a variable's address.
package enum SourceDifference {
    /// Whether the objects of both sources mean the same, as far as that can be shown.
    package static func isWithoutEffect(_ original: SourceParts, _ patched: SourceParts) -> Bool {
        guard let difference = patched.digests.difference(from: original.digests, limit: 400) else { return false }
        let before = PlainParts(original, differing: difference.removed), after = PlainParts(patched, differing: difference.inserted)
        var tainted: [Int32] = []
        func taint(_ part: Int, of plain: PlainParts) -> Bool {
            guard let names = plain.names(of: part) else { return false }
            for name in names { tainted += patched.source.mentions(of: plain.source.source.names.name(name)) }
            return true
        }
        guard difference.removed.allSatisfy({ taint($0, of: before) }), difference.inserted.allSatisfy({ taint($0, of: after) }) else { return false }
        return spread(tainted, over: Array(zip(before.common, after.common)), before, after)
    }

    /// Follows names from part to part.
    ///
    /// - Parameter common: the parts that are the same, by their indices on both sides. What differs may give their words another meaning, so they
    ///   have to be plain on both.
    /// - Returns: false when the names come to something that is not plain.
    private static func spread(_ names: [Int32], over common: [(before: Int, after: Int)], _ before: PlainParts, _ after: PlainParts) -> Bool {
        let patched = after.source
        var isTainted = [Bool](repeating: false, count: patched.source.names.count)
        for name in names { isTainted[Int(name)] = true }
        var waiting = common, hasSpread = !names.isEmpty
        while hasSpread {
            hasSpread = false
            var rest: [(before: Int, after: Int)] = []
            for part in waiting {
                let isNamed =
                    patched.quoted[part.after].contains { isTainted[Int($0)] }
                    || patched.source.tokens[patched.parts[part.after]].contains { $0.kind == .identifier && isTainted[Int($0.value)] }
                guard isNamed else {
                    rest.append(part)
                    continue
                }
                guard let one = before.names(of: part.before), let other = after.names(of: part.after) else { return false }
                for name in one.map({ before.source.source.names.name($0) }) + other.map({ patched.source.names.name($0) }) {
                    for mention in patched.source.mentions(of: name) where !isTainted[Int(mention)] {
                        isTainted[Int(mention)] = true
                        hasSpread = true
                    }
                }
            }
            waiting = rest
        }
        return true
    }
}

extension SourceTokens {
    /// The names in this source that may mean a function of some name: itself, and the compiler's own function that may become a call of it.
    fileprivate func mentions(of name: ArraySlice<UInt8>) -> [Int32] {
        [names.existing(name), names.existing(Array("__builtin_".utf8) + name)].compactMap(\.self)
    }
}

/// The parts of a source, read as plain declarations when somebody asks.
private struct PlainParts {
    let source: SourceParts
    /// The parts that the other side has as well, in order.
    let common: [Int]
    private let types: TypeNames
    private let harmless: Set<Int32>
    /// The first part that declares or calls a function of each name, outside all brackets; and the first common one that mentions each tag there.
    private var firstFunction: [Int32], firstTag: [Int32]

    /// - Parameter differing: the parts that the other side does not have.
    init(_ source: SourceParts, differing: [Int]) {
        self.source = source
        let differing = Set(differing)
        common = source.parts.indices.filter { !differing.contains($0) }
        harmless = Set(Attributes.harmless.compactMap { source.source.names.existing($0.utf8) })
        types = TypeNames(source.source, source.parts, harmless: harmless)
        firstFunction = [Int32](repeating: .max, count: source.source.names.count)
        firstTag = firstFunction
        for (index, part) in source.parts.enumerated() { note(part, Int32(index), isCommon: !differing.contains(index)) }
    }

    private mutating func note(_ part: Range<Int>, _ number: Int32, isCommon: Bool) {
        let tokens = source.source.tokens
        var depth = 0, hasGroup = false
        for index in part {
            let token = tokens[index]
            switch token.kind {
            case .punctuator:
                switch UInt8(truncatingIfNeeded: token.value) {
                case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    hasGroup = true
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
            case .identifier where depth == 0 && index + 1 < part.upperBound:
                let next = tokens[index + 1]
                if token.word == nil, next.isPunctuator(UInt8(ascii: "(")) {
                    firstFunction[Int(token.value)] = min(firstFunction[Int(token.value)], number)
                } else if isCommon, !hasGroup, token.word?.isAggregate == true, next.kind == .identifier {
                    // Behind parentheses it could be a parameter's, as C was written before 1989.
                    firstTag[Int(next.value)] = min(firstTag[Int(next.value)], number)
                }
            default: break
            }
        }
    }

    /// The names that a part declares; nil if it is not plain, or if the compiler may use what it declares by itself.
    func names(of part: Int) -> [Int32]? {
        let context = PlainDeclaration.Context(isFunction: { firstFunction[Int($0)] < Int32(part) }, isTag: { firstTag[Int($0)] < Int32(part) })
        let plain = try? PlainDeclaration(source.parts[part], of: source.source, types: types, harmless: harmless, in: context)
        guard let plain, !plain.symbols.contains(where: { ImpliedNames.contains(source.source.names.name($0)) }) else { return nil }
        return plain.names
    }
}

extension [SourceParts.Digest] {
    /// Which elements have to go from the original and to come into this array, with as few as possible.
    ///
    /// - Parameter limit: the largest number of both together.
    /// - Returns: nil when there are more.
    fileprivate func difference(from original: Self, limit: Int) -> (removed: [Int], inserted: [Int])? {
        let start = zip(original, self).prefix { $0 == $1 }.count
        let end = zip(original.dropFirst(start).reversed(), dropFirst(start).reversed()).prefix { $0 == $1 }.count
        let (a, b) = (original[start..<original.count - end], self[start..<count - end])
        // What one side has more often than the other differs in any case, whatever belongs together.
        var balance: [Element: Int] = [:]
        for digest in a { balance[digest, default: 0] += 1 }
        for digest in b { balance[digest, default: 0] -= 1 }
        guard balance.values.reduce(0, { $0 + abs($1) }) <= limit else { return nil }
        let changes = b.difference(from: a)
        guard changes.count <= limit else { return nil }
        return (
            changes.removals.map { change in if case .remove(let offset, _, _) = change { start + offset } else { start } },
            changes.insertions.map { change in if case .insert(let offset, _, _) = change { start + offset } else { start } }
        )
    }
}

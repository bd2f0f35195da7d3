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
        let difference = patched.digests.difference(from: original.digests, limit: 400)
        guard let difference else { return false }
        let before = PlainParts(original), after = PlainParts(patched)
        var tainted: [Int32] = []
        func taint(_ part: Int, of plain: PlainParts) -> Bool {
            guard let names = plain.names(of: part) else { return false }
            for name in names { tainted += patched.source.mentions(of: plain.source.source.names.name(name)) }
            return true
        }
        guard difference.removed.allSatisfy({ taint($0, of: before) }), difference.inserted.allSatisfy({ taint($0, of: after) }) else { return false }
        return spread(tainted, over: after, besides: Set(difference.inserted))
    }

    /// Follows names from part to part.
    ///
    /// - Returns: false when they come to something that is not plain.
    private static func spread(_ names: [Int32], over plain: PlainParts, besides seen: Set<Int>) -> Bool {
        let patched = plain.source
        var isTainted = [Bool](repeating: false, count: patched.source.names.count)
        for name in names { isTainted[Int(name)] = true }
        var waiting = patched.parts.indices.filter { !seen.contains($0) }, hasSpread = !names.isEmpty
        while hasSpread {
            hasSpread = false
            var rest: [Int] = []
            for part in waiting {
                let isNamed =
                    patched.quoted[part].contains { isTainted[Int($0)] }
                    || patched.source.tokens[patched.parts[part]].contains { $0.kind == .identifier && isTainted[Int($0.value)] }
                guard isNamed else {
                    rest.append(part)
                    continue
                }
                guard let names = plain.names(of: part) else { return false }
                for name in names where !isTainted[Int(name)] {
                    for mention in patched.source.mentions(of: patched.source.names.name(name)) { isTainted[Int(mention)] = true }
                    hasSpread = true
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
    private let types: TypeNames
    private let harmless: Set<Int32>
    /// The first part that mentions each name.
    private let firstMention: [Int32]

    init(_ source: SourceParts) {
        self.source = source
        harmless = Set(Attributes.harmless.compactMap { source.source.names.existing($0.utf8) })
        types = TypeNames(source.source, source.parts, harmless: harmless)
        var first = [Int32](repeating: .max, count: source.source.names.count)
        for (index, part) in source.parts.enumerated() {
            for token in source.source.tokens[part] where token.kind == .identifier && first[Int(token.value)] == .max {
                first[Int(token.value)] = Int32(index)
            }
        }
        firstMention = first
    }

    /// The names that a part declares; nil if it is not plain, or if the compiler may use what it declares by itself.
    func names(of part: Int) -> [Int32]? {
        let plain = try? PlainDeclaration(
            source.parts[part], of: source.source, types: types, harmless: harmless, isKnown: { firstMention[Int($0)] < Int32(part) })
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

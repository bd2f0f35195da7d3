/// The typedef names of a source.
struct TypeNames {
    /// Those that certainly stand for a type of objects, not of functions.
    private var objects: Set<Int32> = []
    /// All names in parts that have the word `typedef`.
    private var mentioned: Set<Int32> = []

    /// Types that GCC knows without a declaration.
    private static let builtIn = ["__builtin_va_list", "__int128_t", "__uint128_t"]

    init(_ source: SourceTokens, _ parts: [Range<Int>], harmless: Set<Int32>) {
        for name in Self.builtIn { if let number = source.names.existing(name.utf8) { objects.insert(number) } }
        mentioned = objects
        for part in parts where source.tokens[part].contains(where: { $0.isWord(.typedef) }) {
            for token in source.tokens[part] where token.kind == .identifier && token.word == nil { mentioned.insert(token.value) }
            objects.formUnion(typedefs(part, source, harmless))
        }
    }

    /// The declaration must be gone before the set changes: it has a copy.
    private func typedefs(_ part: Range<Int>, _ source: SourceTokens, _ harmless: Set<Int32>) -> [Int32] {
        (try? PlainDeclaration(part, of: source, types: self, harmless: harmless, in: .anything).typedefs) ?? []
    }

    func areObjects(_ name: Int32) -> Bool { objects.contains(name) }
    func isMentioned(_ name: Int32) -> Bool { mentioned.contains(name) }
}

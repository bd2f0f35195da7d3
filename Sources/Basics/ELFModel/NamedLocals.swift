/// Local symbols that an object exports only so that its relocations name them.
///
/// An assembler turns a reference to a local variable into its section and an offset, and forgets the name. In a section with several
/// variables the offset alone does not say which one is meant: `array[-1]` lies in the variable before the array. A global symbol
/// keeps its name in relocations. So the build may make local symbols global, and list them in a section of the object that is not loaded.
package enum NamedLocals {
    /// The section with the list: each name with a zero byte behind it.
    package static let section = ".xsplice.named_locals"

    /// Assembly that makes the symbols global and lists them, to be put behind the text that defines them.
    ///
    /// - Parameter names: of local symbols. Names that an assembler does not read as one symbol are left out.
    package static func assembly(for names: [String]) -> String {
        let names = names.filter(isPlain)
        // `%progbits` means the same as `@progbits`, which is a comment for 32-bit ARM.
        return names.reduce("\n\t.section \(section),\"\",%progbits\n") { $0 + "\t.globl \($1)\n\t.asciz \"\($1)\"\n" }
    }

    /// Whether an assembler reads the name as one symbol without quotes.
    package static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

extension ELFFile {
    /// The local symbols that the object lists; see `NamedLocals`. Empty for an object without the list.
    package var namedLocals: Set<String> {
        guard let list = sections.first(where: { $0.name == NamedLocals.section }) else { return [] }
        return Set(list.data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    /// The same object with its named locals local again. Its relocations still refer to them.
    ///
    /// The symbols keep their indices, so locals may come after globals.
    package func withLocalsRestored() -> ELFFile {
        let names = namedLocals
        guard !names.isEmpty else { return self }
        var result = self
        for index in result.symbols.indices where result.symbols[index].sectionIndex != nil && names.contains(result.symbols[index].name) {
            result.symbols[index].binding = ELF.Binding.local
        }
        return result
    }
}

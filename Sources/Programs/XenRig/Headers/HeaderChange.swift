import SystemPackage
import TestDrive
import WorkFiles

/// A random change of a header.
struct HeaderChange: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case inlineAdded = "inline function added"
        case inlineChanged = "inline function changed"
        case macroAdded = "macro added"
        case macroChanged = "macro changed"
        case constantChanged = "constant changed"
        case prototypeAdded = "prototype added"
        case attributeAdded = "attribute added to a prototype"
        case enumeratorAdded = "enumerator added"
        case memberAdded = "member added"
        case includeAdded = "include added"
        case conditionAdded = "lines under a condition added"
        case variableDeclared = "extern variable declared"
    }

    let kind: Kind
    /// Relative to `xen/`.
    let header: String
    let before: String
    let after: String

    /// The lines of a header, and where a kind of change can be made in them.
    private struct Sites {
        var lines: [String]

        init(_ text: String) { lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }

        /// The indices of lines for which a condition holds, and none of which is continued or continues another.
        func indices(_ condition: (Int) -> Bool) -> [Int] {
            lines.indices.filter { !lines[$0].hasSuffix("\\") && ($0 == 0 || !lines[$0 - 1].hasSuffix("\\")) && condition($0) }
        }

        /// The last `#endif` as a rule ends the header's guard: before it is file scope.
        var end: Int? { lines.lastIndex { $0.hasPrefix("#endif") } }

        func isDefinition(_ index: Int, parameters: Bool) -> Bool {
            let words = lines[index].split(whereSeparator: \.isWhitespace)
            guard words.count > 2, words[0] == "#define", !lines[index].contains("//"), !lines[index].contains("/*") else { return false }
            return parameters == words[1].contains("(")
        }
    }

    /// A change of that kind at a random place; nil if the header has none for it.
    init?(_ kind: Kind, of header: String, text: String, _ random: inout TortureRandom) {
        self.kind = kind
        self.header = header
        before = text
        var sites = Sites(text)
        let name = "one_more_\(random.below(1000))"

        /// Puts lines before the header's end.
        func append(_ new: String...) -> Bool {
            guard let end = sites.end else { return false }
            sites.lines.insert(contentsOf: new, at: end)
            return true
        }
        func change(_ places: [Int], _ body: (Int) -> Void) -> Bool {
            guard let place = random.pick(places) else { return false }
            body(place)
            return true
        }

        let isChanged: Bool
        switch kind {
        case .inlineAdded: isChanged = append("#ifndef __ASSEMBLY__", "static inline int \(name)(int a) { return a + \(random.below(100)); }", "#endif")
        case .prototypeAdded: isChanged = append("#ifndef __ASSEMBLY__", "int \(name)(int a, const char *b);", "#endif")
        case .variableDeclared: isChanged = append("#ifndef __ASSEMBLY__", "extern unsigned long \(name)[4];", "#endif")
        case .macroAdded: isChanged = append("#define \(name)(x) ((x) + \(random.below(100)))")
        case .conditionAdded: isChanged = append("#ifdef CONFIG_HVM", "#define \(name) 1", "#else", "#define \(name) 0", "#endif")
        case .includeAdded:
            isChanged = append(
                "#ifndef __ASSEMBLY__", "#include <xen/\(random.pick(["lib", "types", "list", "errno", "cache", "const"]) ?? "lib").h>", "#endif")
        case .inlineChanged:
            // A body begins with a brace of its own line, behind a head that is inline.
            let bodies = sites.indices { index in
                guard sites.lines[index] == "{" else { return false }
                return sites.lines[..<index].suffix(3).contains { $0.contains("inline") }
            }
            isChanged = change(bodies) { sites.lines.insert("    int __attribute__((unused)) \(name) = ({ asm volatile ( \"nop\" ); 0; });", at: $0 + 1) }
        case .macroChanged:
            isChanged = change(sites.indices { sites.isDefinition($0, parameters: true) && sites.lines[$0].hasSuffix(")") }) { index in
                guard let close = sites.lines[index].firstIndex(of: ")") else { return }
                let (head, body) = (sites.lines[index][...close], sites.lines[index][sites.lines[index].index(after: close)...])
                sites.lines[index] = "\(head) (\(body.drop { $0 == " " || $0 == "\t" }))"
            }
        case .constantChanged:
            let places = sites.indices { index in
                sites.isDefinition(index, parameters: false)
                    && sites.lines[index].split(whereSeparator: \.isWhitespace).dropFirst(2).allSatisfy { Int($0) != nil }
            }
            isChanged = change(places) { index in
                let words = sites.lines[index].split(whereSeparator: \.isWhitespace)
                if let number = words.last.flatMap({ Int($0) }) { sites.lines[index] = "#define \(words[1]) \(number + 1)" }
            }
        case .attributeAdded:
            let places = sites.indices { index in
                let line = sites.lines[index]
                return line.hasSuffix(");") && (line.hasPrefix("int ") || line.hasPrefix("void ") || line.hasPrefix("extern ")) && !line.contains("__")
            }
            isChanged = change(places) { sites.lines[$0] = String(sites.lines[$0].dropLast()) + " __attribute__((cold));" }
        case .enumeratorAdded:
            let places = sites.indices { sites.lines[$0].hasPrefix("enum ") && sites.lines[$0].hasSuffix("{") }
            isChanged = change(places) { sites.lines.insert("    \(name),", at: $0 + 1) }
        case .memberAdded:
            let places = sites.indices { index in
                let line = sites.lines[index]
                guard line.hasPrefix("struct "), !line.contains("("), !line.contains(";") else { return false }
                return line.hasSuffix("{") || index + 1 < sites.lines.count && sites.lines[index + 1] == "{"
            }
            isChanged = change(places) { sites.lines.insert("    unsigned long \(name);", at: $0 + (sites.lines[$0].hasSuffix("{") ? 1 : 2)) }
        }
        after = sites.lines.joined(separator: "\n")
        guard isChanged, after != before else { return nil }
    }

    /// A random change of one of the headers.
    ///
    /// - Parameter headers: relative to `xen/`.
    static func random(in xen: FilePath, headers: [String], _ random: inout TortureRandom) throws -> HeaderChange {
        while true {
            guard let kind = random.pick(Kind.allCases), let header = random.pick(headers) else { throw StepError("\(xen) has no headers") }
            if let change = HeaderChange(kind, of: header, text: try WorkFiles.readText(xen.appending(header)), &random) { return change }
        }
    }
}

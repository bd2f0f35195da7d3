import Diagnostics

/// One instruction of a function, as people read it.
package struct ListedInstruction: Sendable, Equatable, Codable {
    /// From the start of the function, in bytes.
    package var offset: Int
    /// With what it refers to by name: `call sink`, `lea "hello"(%rip),%rdi`. A place in the function itself is written as its offset: `jne +0x2a`.
    package var text: String
    /// `text` without that offset, which moves with the code before it.
    package var shape: String
    /// The place in the function that it leads to or reads from, as an offset from the function's start.
    package var target: Int?
    /// What it calls or jumps to by name, outside the function: `sink`.
    package var callee: String?
    /// The line of the source that it came from.
    package var location: SourceLocation?
    /// The text of that line, for the first instruction that is shown of it.
    package var source: String?

    /// What it does: `call`.
    var mnemonic: Substring { text.prefix { $0 != " " } }

    package init(offset: Int, text: String, shape: String? = nil, target: Int? = nil, callee: String? = nil, location: SourceLocation? = nil) {
        self.offset = offset
        self.text = text
        self.shape = shape ?? text
        self.target = target
        self.callee = callee
        self.location = location
    }
}

/// Where a relocation in an instruction leads.
struct NamedReference: Sendable {
    /// In words that are the same on both sides only if it leads to the same.
    var name: String
    /// Whether its field is the end of the instruction. An immediate value on x86 always is, and a displacement before one never (Intel SDM,
    /// volume 2, 2.1).
    var isLast: Bool
}

/// Turns a disassembler's line into words: addresses that only the linker knows become the names of what lies there.
struct InstructionWording {
    /// The function's place in its section, in bytes. A line's addresses count from the section's start.
    var function: Range<Int>
    /// What stands for an offset in the function in an instruction's shape.
    static let place = "·"

    /// - Parameters:
    ///   - line: as GNU `objdump` writes it, in AT&T syntax on x86.
    ///   - references: what relocations fill in, in the order of their places.
    func instruction(at offset: Int, _ line: String, references: [NamedReference]) -> ListedInstruction {
        let (text, comment) = Self.split(line)
        let own = offset - function.lowerBound
        // A relocation's target counts, not the number that stands in its place.
        if references.isEmpty, let (words, address) = placeInCode(text, comment) {
            guard function.contains(address) else {
                let name = Self.targetName(text)
                return ListedInstruction(offset: own, text: name.map { Self.branch(text, to: $0) } ?? text, callee: name)
            }
            let target = address - function.lowerBound
            return ListedInstruction(
                offset: own, text: words + "+0x" + String(target, radix: 16), shape: words + Self.place, target: target)
        }
        if let only = references.first, references.count == 1, Self.targetName(text) != nil {
            // ADR and ADRP take an address; all others with a place behind them go there.
            return ListedInstruction(offset: own, text: Self.branch(text, to: only.name), callee: text.hasPrefix("adr") ? nil : only.name)
        }
        return ListedInstruction(offset: own, text: Self.filled(text, with: references))
    }

    /// The instruction with one space between words, and the disassembler's comment.
    private static func split(_ line: String) -> (text: String, comment: String) {
        var text = line[...], comment = ""
        for mark in ["#", "//", "@", ";"] {
            // Immediate values begin with the same sign: only one behind a gap begins a comment.
            for gap in [" ", "\t"] {
                guard let range = text.firstRange(of: gap + mark), range.lowerBound > text.startIndex else { continue }
                let before = text[..<range.lowerBound]
                guard gap == "\t" || mark == "//" || before.hasSuffix(" ") else { continue }
                comment = String(text[range.upperBound...])
                text = before
            }
        }
        return (text.split { $0 == " " || $0 == "\t" }.joined(separator: " "), comment)
    }

    /// The address in code that an instruction names, and the words before it: of `jne 2a <f+0x2a>`, `jne ` and 0x2a; of `ldr r0, [pc, #108]`
    /// with the address in its comment, `ldr r0, `.
    private func placeInCode(_ text: String, _ comment: String) -> (words: String, address: Int)? {
        if text.hasSuffix(">"), let open = text.firstRange(of: " <") {
            let before = text[..<open.lowerBound], word = before.split(separator: " ").last ?? ""
            guard let address = Int(word, radix: 16) else { return nil }
            return (String(before.dropLast(word.count)), address)
        }
        if let counter = text.firstRange(of: "[pc, "), let word = comment.split(whereSeparator: { $0 == " " }).first, comment.contains("<"),
            let address = Int(word, radix: 16)
        {
            return (String(text[..<counter.lowerBound]), address)
        }
        return nil
    }

    /// The name in `call 40 <g+0x10>`: `g+0x10`; nil for an instruction that does not end with one.
    private static func targetName(_ text: String) -> String? {
        guard text.hasSuffix(">"), let open = text.firstRange(of: " <") else { return nil }
        return String(text[open.upperBound...].dropLast())
    }

    /// `call 40 <g+0x10>` with another name: `call sink`.
    private static func branch(_ text: String, to name: String) -> String {
        let words = text.prefix(upTo: text.firstRange(of: " <")?.lowerBound ?? text.endIndex)
        return words.split(separator: " ").dropLast().joined(separator: " ") + " " + name
    }

    /// The instruction with names in the places that relocations fill. Names whose place does not show stand behind it.
    private static func filled(_ text: String, with references: [NamedReference]) -> String {
        var text = text, rest: [String] = []
        let hasImmediate = text.contains("$")
        // The immediate value first: behind it, a name that was filled in could look like the other place.
        for reference in references.sorted(by: { $0.isLast && !$1.isLast }) {
            let isImmediate = hasImmediate && reference.isLast
            let places = isImmediate ? text.ranges(of: "$0x0").filter { $0.upperBound == text.endIndex || text[$0.upperBound] == "," } : text.ranges(of: "0x0(")
            guard places.count == 1, let place = places.first else {
                rest.append(reference.name)
                continue
            }
            text.replaceSubrange(place, with: isImmediate ? "$" + reference.name : reference.name + "(")
        }
        return rest.isEmpty ? text : "\(text)  [\(rest.joined(separator: ", "))]"
    }
}

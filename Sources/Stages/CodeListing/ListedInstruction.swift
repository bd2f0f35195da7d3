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
    /// The line of the source that it came from.
    package var location: SourceLocation?
    /// The text of that line, for the first instruction that is shown of it.
    package var source: String?

    package init(offset: Int, text: String, shape: String? = nil, target: Int? = nil, location: SourceLocation? = nil) {
        self.offset = offset
        self.text = text
        self.shape = shape ?? text
        self.target = target
        self.location = location
    }
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
    func instruction(at offset: Int, _ line: String, references: [String]) -> ListedInstruction {
        var (text, comment) = Self.split(line)
        let own = offset - function.lowerBound
        // A relocation's target counts, not the number that stands in its place.
        if references.isEmpty, let (words, address) = placeInCode(text, comment) {
            guard function.contains(address) else { return ListedInstruction(offset: own, text: Self.branchByName(text)) }
            let target = address - function.lowerBound
            return ListedInstruction(
                offset: own, text: words + "+0x" + String(target, radix: 16), shape: words + Self.place, target: target)
        }
        if references.count == 1, let filled = Self.filled(text, with: references[0]) {
            text = filled
        } else if !references.isEmpty {
            text += "  [" + references.joined(separator: ", ") + "]"
        }
        return ListedInstruction(offset: own, text: text)
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

    /// `call 40 <g+0x10>` to another function of the same section: `call g+0x10`.
    private static func branchByName(_ text: String) -> String {
        guard let open = text.firstRange(of: " <"), text.hasSuffix(">") else { return text }
        let words = text[..<open.lowerBound].split(separator: " ").dropLast().joined(separator: " ")
        return words + " " + text[open.upperBound...].dropLast()
    }

    /// The instruction with a name in the place that the relocation fills; nil if it does not show which place that is.
    private static func filled(_ text: String, with name: String) -> String? {
        if text.hasSuffix(">"), let open = text.firstRange(of: " <") {
            return text[..<open.lowerBound].split(separator: " ").dropLast().joined(separator: " ") + " " + name
        }
        for (zero, rest) in [("0x0(%rip)", "(%rip)"), ("$0x0", ""), ("0x0(", "(")] {
            let found = text.ranges(of: zero).filter { range in
                range.upperBound == text.endIndex || zero.hasSuffix(")") || zero.hasSuffix("(") || text[range.upperBound] == ","
            }
            guard found.count == 1 else { continue }
            return text.replacingCharacters(in: found[0], with: (zero == "$0x0" ? "$" : "") + name + rest)
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

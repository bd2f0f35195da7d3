import ArchX86_64
import SystemPackage
import TestTools
import Testing

/// Contiguous machine code with the instruction boundaries that binutils' objdump sees in it.
struct Disassembly {
    /// From the first instruction to the last of a symbol.
    var code: [UInt8] = []
    /// Lengths of the instructions, in order; they add up to `code.count`.
    var lengths: [Int] = []
    var texts: [Substring] = []
    var name: Substring = ""

    /// All code of an object, one value for each symbol.
    static func of(_ object: FilePath) async throws -> [Disassembly] {
        let text = try await run("objdump", ["-d", "-z", "-w", "--insn-width=15", object.string])
        var all: [Disassembly] = []
        for line in text.split(separator: "\n") {
            if line.hasSuffix(">:") {
                all.append(Disassembly(name: line.dropFirst(17)))
            } else if line.first == " " || line.utf8.first == UInt8(ascii: " ") {
                let fields = line.split(separator: "\t", maxSplits: 2)
                guard fields.count == 3, !all.isEmpty else { continue }
                let bytes = fields[1].split(separator: " ").compactMap { UInt8($0, radix: 16) }
                // objdump tells data of an object symbol without a mnemonic.
                guard !bytes.isEmpty else { continue }
                all[all.count - 1].code += bytes
                all[all.count - 1].lengths.append(bytes.count)
                all[all.count - 1].texts.append(fields[2])
            }
        }
        return all
    }

    /// An instruction that is cut short is none.
    func expectThatNoBeginningDecodes() {
        var position = 0
        for length in lengths {
            for cut in 0..<length { #expect(decodeInstruction(code[position..<position + cut]) == nil, "\(name)+\(position), \(cut) bytes") }
            position += length
        }
    }

    /// Where our decoder and objdump part, in words; empty when they agree to the end.
    func differences() -> (wrong: [String], unknown: [String]) {
        var wrong: [String] = []
        var unknown: [String] = []
        var position = 0
        for (length, text) in zip(lengths, texts) {
            let where_ = "\(name)+\(position): \(code[position..<position + length].map { String($0, radix: 16) }) \(text)"
            if let decoded = decodeInstruction(code[position...]) {
                if decoded.length != length { wrong.append("\(where_): \(decoded.length)") }
            } else {
                unknown.append(where_)
            }
            position += length
        }
        return (wrong, unknown)
    }
}

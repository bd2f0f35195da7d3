import SystemPackage

/// The code of objects as the target's own `objdump` shows it. It comes with the assembler that made them.
package struct Disassembler: Sendable {
    /// One line of a listing.
    package struct Line: Sendable, Equatable {
        /// From the start of the section, in bytes.
        package var offset: Int
        /// `call   15 <foo+0x15>`, with the comment that `objdump` adds.
        package var text: String

        package init(offset: Int, text: String) { (self.offset, self.text) = (offset, text) }
    }

    /// The program, as `PATH` finds it.
    package let program: String
    private let runner: CommandRunner

    /// In bytes. The listing of the largest object of Xen has 4 MB.
    private static let outputLimit = 256 << 20
    /// With more sections than this, all are listed: command lines are limited.
    private static let namedSections = 200

    /// - Parameters:
    ///   - crossPrefix: of the names of the target's tools: `aarch64-linux-gnu-`, or empty.
    ///   - environment: the caller's.
    package init(crossPrefix: String, environment: [String: String]) {
        program = crossPrefix + "objdump"
        runner = CommandRunner(caller: environment)
    }

    /// Lists the code of some sections of an object.
    ///
    /// - Returns: for each name, the listings of the sections that have it and are not empty, in the file's order.
    /// - Throws: `BuildError` when there is no such program, or it can't list that file; `CancellationError`.
    package func lines(of object: FilePath, sections: Set<String>) async throws -> [String: [[Line]]] {
        guard !sections.isEmpty else { return [:] }
        let chosen = sections.count > Self.namedSections ? [] : sections.sorted().flatMap { ["-j", $0] }
        let words = [program, "-d", "-w", "-z", "--no-show-raw-insn"] + chosen + ["--", object.string]
        guard let text = try await runner.output(words, limit: Self.outputLimit) else {
            throw BuildError("\(program) can't list the code of \(object)", help: "'\(shellWords(words))' says why")
        }
        return Self.parse(text).filter { sections.contains($0.key) }
    }

    /// Reads the output of `objdump -d -w --no-show-raw-insn`. Lines that are no instructions are passed over.
    static func parse(_ text: String) -> [String: [[Line]]] {
        let heading = "Disassembly of section "
        var result: [String: [[Line]]] = [:], section = "", lines: [Line] = []
        func close(_ result: inout [String: [[Line]]]) { if !lines.isEmpty { result[section, default: []].append(lines) } }
        for line in text.utf8.split(separator: UInt8(ascii: "\n")).map({ Substring($0) }) {
            if line.hasPrefix(heading) {
                close(&result)
                (section, lines) = (String(line.dropFirst(heading.count).dropLast(line.hasSuffix(":") ? 1 : 0)), [])
            } else if line.first == " ", let colon = line.firstIndex(of: ":"), let offset = Int(line[..<colon].drop { $0 == " " }, radix: 16) {
                lines.append(Line(offset: offset, text: String(line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " })))
            }
        }
        close(&result)
        return result
    }
}

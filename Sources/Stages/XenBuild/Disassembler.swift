import SystemPackage

/// The code of objects as the target's own `objdump` shows it. It comes with the assembler that made them.
package struct Disassembler: Sendable {
    /// One line of a listing.
    package struct Line: Sendable, Equatable {
        /// From the start of the section, in bytes.
        package var offset: Int
        /// What lies there, in the section's order.
        package var bytes: [UInt8]
        /// `call   15 <foo+0x15>`, with the comment that `objdump` adds.
        package var text: String

        package init(offset: Int, bytes: [UInt8], text: String) { (self.offset, self.bytes, self.text) = (offset, bytes, text) }

        /// Whether lines show the whole content of a section, in order.
        package static func are(_ lines: [Line], of content: [UInt8]) -> Bool {
            var rest = content[...]
            for line in lines {
                guard line.offset == rest.startIndex, !line.bytes.isEmpty, rest.starts(with: line.bytes) else { return false }
                rest = rest.dropFirst(line.bytes.count)
            }
            return rest.isEmpty
        }
    }

    /// The program, as `PATH` finds it.
    package let program: String
    private let runner: CommandRunner

    /// In bytes. The listing of the largest object of Xen has 4 MB.
    private static let outputLimit = 256 << 20
    /// The largest object of Xen takes half a second.
    private static let timeLimit = Duration.seconds(300)
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
        let words = [program, "-d", "-w", "-z", "--show-raw-insn"] + chosen + ["--", object.string]
        let output = try await within(Self.timeLimit) { try await runner.output(words, limit: Self.outputLimit) }
        guard let output else { throw BuildError("\(program) takes longer than \(Self.timeLimit.components.seconds) s for \(object)") }
        guard let text = output else {
            throw BuildError("\(program) can't list the code of \(object)", help: "'\(shellWords(words))' says why")
        }
        return Self.parse(text).filter { sections.contains($0.key) }
    }

    /// Reads the output of `objdump -d -w --show-raw-insn`. Lines that are no instructions are passed over.
    static func parse(_ text: String) -> [String: [[Line]]] {
        let heading = "Disassembly of section "
        var result: [String: [[Line]]] = [:], section = "", lines: [Line] = []
        func close(_ result: inout [String: [[Line]]]) { if !lines.isEmpty { result[section, default: []].append(lines) } }
        for line in text.utf8.split(separator: UInt8(ascii: "\n")).map({ Substring($0) }) {
            if line.hasPrefix(heading) {
                close(&result)
                (section, lines) = (String(line.dropFirst(heading.count).dropLast(line.hasSuffix(":") ? 1 : 0)), [])
            } else if let line = instruction(line) {
                lines.append(line)
            }
        }
        close(&result)
        return result
    }

    /// Reads `   4:\t48 8b 05 00 00 00 00 \tmov    0x0(%rip),%rax`; nil for a line of another form.
    private static func instruction(_ line: Substring) -> Line? {
        guard line.first == " ", let colon = line.firstIndex(of: ":"), let offset = Int(line[..<colon].drop { $0 == " " }, radix: 16) else { return nil }
        let fields = line[line.index(after: colon)...].drop { $0 == "\t" }.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = fields.first.flatMap(bytes) else { return nil }
        return Line(offset: offset, bytes: bytes, text: fields.count > 1 ? String(fields[1].drop { $0 == "\t" || $0 == " " }) : "")
    }

    /// Reads `48 8b 05`, or `52800000` for a word: all processors that Xen runs on store its lowest byte first.
    private static func bytes(_ field: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        for word in field.split(separator: " ") {
            let digits = Array(word.utf8)
            guard digits.count.isMultiple(of: 2) else { return nil }
            for start in stride(from: digits.count - 2, through: 0, by: -2) {
                guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else { return nil }
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// The result of some work; nil if it takes longer than a limit. The work is cancelled then.
private func within<Result: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async throws -> Result) async throws -> Result? {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}

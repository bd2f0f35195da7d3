/// The serial console of a booted Xen, separated into the lines of the hypervisor and those of the dom0.
///
/// Xen begins each of its lines with `(XEN) `. Both use the same serial line, so Xen's lines may interrupt the dom0's.
/// If a dom0 prints Xen's log (`xl dmesg`), those lines look like Xen's own.
package struct Console: Sendable, Equatable {
    package enum Line: Sendable, Equatable {
        /// The line without its `(XEN) `.
        case hypervisor(String)
        case dom0(String)
    }

    package var lines: [Line] = []

    /// Reads the bytes of the serial line. A last line without a line break counts.
    package init(_ bytes: some Sequence<UInt8>) {
        // The beginning of a dom0 line that Xen interrupted.
        var begun: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            var line = line[...]
            while line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            if let start = Self.start(of: Self.prefix, in: line) {
                begun += line[..<start]
                lines.append(.hypervisor(Self.text(line[(start + Self.prefix.count)...])))
            } else {
                lines += Self.dom0Lines(Self.text(begun + line))
                begun = []
            }
        }
        if !begun.isEmpty { lines += Self.dom0Lines(Self.text(begun)) }
    }

    /// Splits the text of a dom0 line. A kernel message, which begins with `[`, may follow a mark before the mark's line ends. No mark has a bracket.
    private static func dom0Lines(_ text: String) -> [Line] {
        guard text.hasPrefix("@@step ") || text.hasPrefix("@@scenario "), let start = text.firstIndex(of: "[") else { return [.dom0(text)] }
        return [.dom0(String(text[..<start])), .dom0(String(text[start...]))]
    }

    private static let prefix = Array("(XEN) ".utf8)

    private static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func start(of pattern: [UInt8], in line: ArraySlice<UInt8>) -> Int? {
        guard line.count >= pattern.count else { return nil }
        return (line.startIndex...(line.endIndex - pattern.count)).first { line[$0...].starts(with: pattern) }
    }

    // MARK: What it means

    /// The result of one step of a scenario.
    package struct StepResult: Sendable, Equatable {
        package var id: String
        /// The shell's exit code; nil if the step did not end, or did not even begin.
        package var exitCode: Int?
        /// The step's output, without the lines that Xen logged meanwhile and without line breaks at the end.
        package var output: String
        /// The lines that Xen logged while the step ran, without their `(XEN) `.
        package var xenLog: [String]

        package init(id: String, exitCode: Int? = nil, output: String = "", xenLog: [String] = []) {
            self.id = id
            self.exitCode = exitCode
            self.output = output
            self.xenLog = xenLog
        }

        /// Whether the step ran to its end, with exit code 0.
        package var succeeded: Bool { exitCode == 0 }
    }

    /// The steps that began, in order.
    package var steps: [StepResult] {
        var steps: [StepResult] = []
        var running: StepResult?
        var output: [String] = []
        for line in lines {
            switch line {
            case .hypervisor(let text):
                running?.xenLog.append(text)
            case .dom0(let text):
                let words = text.split(separator: " ")
                if words.count == 3, words[0] == "@@step", words[2] == "begin" {
                    running = StepResult(id: String(words[1]))
                    output = []
                } else if words.count == 4, words[0] == "@@step", words[2] == "end", var step = running, words[1] == step.id {
                    step.exitCode = Int(words[3])
                    step.output = Self.joined(output)
                    steps.append(step)
                    running = nil
                } else {
                    output.append(text)
                }
            }
        }
        if var step = running {
            step.output = Self.joined(output)
            steps.append(step)
        }
        return steps
    }

    private static func joined(_ lines: [String]) -> String {
        lines[..<(lines.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0)].joined(separator: "\n")
    }

    /// Whether the dom0 reached the end of its scenario.
    package var cameToTheEnd: Bool { lines.contains(.dom0("@@scenario end")) }

    /// Whether the dom0 ended before its scenario because its kernel has no /dev/xen/privcmd. Without it the host tool would complain and end
    /// with 0.
    package var lacksPrivcmd: Bool { lines.contains(.dom0("@@scenario without /dev/xen/privcmd")) }

    /// The error for a dom0 with `lacksPrivcmd`.
    static let noPrivcmd = "the dom0 has no /dev/xen/privcmd, through which its tools reach the hypervisor"

    /// Why the hypervisor or the dom0's kernel died, in its own words; nil while both live.
    package var panic: String? {
        for (index, line) in lines.enumerated() {
            switch line {
            case .hypervisor(let text):
                guard Self.isDeadly(text) else { continue }
                // The reason for "Panic on CPU 0:" is on the next line of Xen.
                guard text.hasSuffix(":") else { return text }
                let next = lines[(index + 1)...].lazy.compactMap { line in
                    if case .hypervisor(let text) = line { text } else { nil }
                }.first
                return next.map { "\(text) \($0)" } ?? text
            case .dom0(let text):
                guard let start = text.firstRange(of: "Kernel panic - not syncing") else { continue }
                return "dom0: \(text[start.lowerBound...])"
            }
        }
        return nil
    }

    static func isDeadly(_ text: String) -> Bool { deadly.contains { text.contains($0) } }

    /// Words that Xen writes when it can't go on. If the panic code itself faults, the panic's own words never appear: Xen faults again and
    /// again, and reports each fault.
    private static let deadly = ["Panic on CPU", "FATAL TRAP", "FATAL PAGE FAULT", "DOUBLE FAULT", "Xen BUG at", "Hardware Dom0 crashed"]
}

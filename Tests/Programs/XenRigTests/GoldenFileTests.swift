import Testing
import XenRig

@Suite("what all fixtures of a hypervisor came to, as a file and compared")
struct GoldenFileTests {
    private let file = GoldenFile(
        tools: ["gcc (Debian 12.2.0-14) 12.2.0", "GNU assembler version 2.40"],
        lines: [
            "F1-global": .init(exit: "0", payload: String(repeating: "ab", count: 32), diagnostics: ""),
            "B5-asm": .init(exit: "4", payload: "-", diagnostics: "hunk-offset init-code init-code"), "S1": .init(exit: "3", payload: "-", diagnostics: ""),
        ])

    @Test("the text has a line a tool and a line a fixture, by name, in columns")
    func text() {
        #expect(
            file.text == """
                # gcc (Debian 12.2.0-14) 12.2.0
                # GNU assembler version 2.40
                B5-asm    4 - hunk-offset init-code init-code
                F1-global 0 \(String(repeating: "ab", count: 32))
                S1        3 -

                """)
    }

    @Test("what is written is what is read")
    func roundTrip() {
        #expect(GoldenFile(text: file.text) == file)
        let empty = GoldenFile(tools: [], lines: [:])
        #expect(GoldenFile(text: empty.text) == empty)
    }

    @Test("a text with lines that say nothing") func oddText() {
        let read = GoldenFile(text: "# one\n\nshort 0\nF1   0  - a b\n#two\n")
        #expect(read.tools == ["one"])
        #expect(read.lines == ["F1": .init(exit: "0", payload: "-", diagnostics: "a b")])
    }

    @Test("the same differs in nothing") func same() {
        #expect(file.differences(to: file).lines == [] && file.differences(to: file).remark == "")
    }

    /// The file with a fixture that came out as another one.
    private func changed(_ name: String, _ change: (inout GoldenFile.Line?) -> Void) -> GoldenFile {
        var new = file
        change(&new.lines[name])
        return new
    }

    @Test("each way to come out as another one is said")
    func differences() {
        func lines(_ name: String, _ change: (inout GoldenFile.Line?) -> Void) -> [String] { file.differences(to: changed(name, change)).lines }
        #expect(lines("F1-global") { $0 = nil } == ["F1-global: is gone"])
        #expect(lines("F2") { $0 = .init(exit: "0", payload: "cd", diagnostics: "") } == ["F2: is new"])
        #expect(lines("S1") { $0?.exit = "4" } == ["S1: exit code 3, now 4"])
        #expect(lines("B5-asm") { $0?.diagnostics = "init-code" } == ["B5-asm: [hunk-offset init-code init-code], now [init-code]"])
        #expect(lines("F1-global") { $0?.payload = String(repeating: "0", count: 64) } == ["F1-global: payload abababababab, now 000000000000"])
        #expect(
            lines("F1-global") { $0 = .init(exit: "4", payload: "-", diagnostics: "x") }
                == ["F1-global: exit code 0, now 4", "F1-global: [], now [x]", "F1-global: payload abababababab, now -"])
    }

    @Test("payloads for another build of the hypervisor have other bytes") func otherHypervisor() {
        var new = changed("F1-global") { $0?.payload = String(repeating: "0", count: 64) }
        new.tools.append("hypervisor 0123abcd")
        #expect(file.differences(to: new).lines == [])
        #expect(!file.differences(to: new).remark.isEmpty)
    }

    @Test("payloads of other tools have other bytes; that there is none is a difference all the same")
    func otherTools() {
        var new = changed("F1-global") { $0?.payload = String(repeating: "0", count: 64) }
        new.tools[1] = "GNU assembler version 2.44"
        #expect(file.differences(to: new).lines == [])
        #expect(file.differences(to: new).remark == "; another compiler, assembler or build of the hypervisor: digests of payloads were not compared")
        new.lines["F1-global"]?.payload = "-"
        #expect(file.differences(to: new).lines == ["F1-global: payload abababababab, now -"])
    }
}

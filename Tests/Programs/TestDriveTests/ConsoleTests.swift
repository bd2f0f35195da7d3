import TestDrive
import Testing

@Suite("the console is split into the lines of hypervisor, dom0 and steps")
struct ConsoleTests {
    private func console(_ text: String) -> Console { Console(text.utf8) }

    @Test("a step has its exit code, its output and Xen's lines meanwhile")
    func step() {
        let console = console(
            """
            (XEN) Dom0 has maximum 2 VCPUs\r
            @@scenario begin\r
            @@step load begin\r
            Uploading hello.livepatch... completed\r
            (XEN) livepatch: hello: Applying 1 functions\r
            (XEN) livepatch: hello finished APPLY with rc=0\r
            Applying hello... completed\r
            \r
            @@step load end 0\r
            (XEN) between\r
            @@step fails begin\r
            \r
            @@step fails end 3\r
            @@scenario end\r

            """)
        #expect(console.cameToTheEnd)
        #expect(console.panic == nil)
        #expect(
            console.steps == [
                .init(
                    id: "load", exitCode: 0, output: "Uploading hello.livepatch... completed\nApplying hello... completed",
                    xenLog: ["livepatch: hello: Applying 1 functions", "livepatch: hello finished APPLY with rc=0"]),
                .init(id: "fails", exitCode: 3),
            ])
    }

    @Test("a line of Xen in the middle of a line of the dom0 breaks neither")
    func interleaved() {
        let console = console(
            "@@step a begin\r\nHello (XEN) one\r\n(XEN) two\r\nWorld\r\n@@st(XEN) three\r\nep a end 0\r\n")
        #expect(console.steps == [.init(id: "a", exitCode: 0, output: "Hello World", xenLog: ["one", "two", "three"])])
    }

    @Test("a message of the dom0's kernel behind a mark breaks neither")
    func kernelBehindAMark() {
        let console = console(
            "@@step a begin[    9.1] WARNING: CPU: 0\r\n\r\nout\r\n\r\n@@step a end 0[   10.0] late\r\n\r\n@@scenario end[   10.1] later\r\n\r\n")
        #expect(console.steps == [.init(id: "a", exitCode: 0, output: "[    9.1] WARNING: CPU: 0\n\nout")])
        #expect(console.cameToTheEnd && console.lines.contains(.dom0("[   10.0] late")))
    }

    @Test("output without a line break at its end does not swallow the mark")
    func noLineBreak() {
        #expect(console("@@step a begin\n.5\n@@step a end 0\n").steps == [.init(id: "a", exitCode: 0, output: ".5")])
    }

    @Test("empty lines within the output stay, those at its end go")
    func emptyLines() {
        #expect(console("@@step a begin\n\none\n\ntwo\n\n\n@@step a end 0\n").steps.first?.output == "\none\n\ntwo")
    }

    @Test("a step that prints another's mark does not end it")
    func otherMark() {
        let steps = console("@@step a begin\n@@step b end 0\n\n@@step a end 4\n").steps
        #expect(steps == [.init(id: "a", exitCode: 4, output: "@@step b end 0")])
    }

    @Test("a step that did not end has no exit code, and what it printed so far")
    func unfinished() {
        let console = console("@@step a begin\nstill here\n(XEN) and Xen")
        #expect(console.steps == [.init(id: "a", exitCode: nil, output: "still here", xenLog: ["and Xen"])])
        #expect(!console.cameToTheEnd)
    }

    @Test("bytes that are no UTF-8 do no harm")
    func binary() {
        let bytes: [UInt8] = Array("@@step a begin\n".utf8) + [0xff, 0x00, 0xc3] + Array("\n@@step a end 0\n".utf8)
        #expect(Console(bytes).steps.first?.exitCode == 0)
    }

    @Test(
        "every way of dying is seen, with its reason",
        arguments: [
            ("(XEN) ****\n(XEN) Panic on CPU 0:\n(XEN) FATAL TRAP: vec 7, #NM[0000]\n", "Panic on CPU 0: FATAL TRAP: vec 7, #NM[0000]"),
            ("dom0 says (XEN) Panic on CPU 1:\nsomething\n(XEN) GENERAL PROTECTION FAULT\n", "Panic on CPU 1: GENERAL PROTECTION FAULT"),
            ("(XEN) Xen BUG at common/livepatch.c:123\n(XEN) ----[ Xen-4.17 ]----\n", "Xen BUG at common/livepatch.c:123"),
            ("(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.\n", "Hardware Dom0 crashed: rebooting machine in 5 seconds."),
            ("[    1.2] Kernel panic - not syncing: Attempted to kill init!\n", "dom0: Kernel panic - not syncing: Attempted to kill init!"),
            ("(XEN) Panic on CPU 0:\n", "Panic on CPU 0:"),
            ("(XEN) *** DOUBLE FAULT ***\n(XEN) *** DOUBLE FAULT ***\n", "*** DOUBLE FAULT ***"),
        ])
    func panics(text: String, reason: String) {
        #expect(console(text).panic == reason)
    }

    @Test(
        "what only sounds like a panic is none",
        arguments: [
            "Panic on CPU 0: in a dom0's own words\n", "(XEN) Xen WARN at common/domain.c:7\n", "(XEN) livepatch: Kernel panic - not syncing\n",
        ])
    func noPanic(text: String) {
        #expect(console(text).panic == nil)
    }
}

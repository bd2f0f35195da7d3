import Report
import Testing

@Suite struct ReportTextTests {
    let style = TextStyle(width: 100)

    @Test func headingNamesTreeAndHypervisor() {
        #expect(
            ReportText.heading(Examples.written, style: style)
                == "Xen 4.17.5 x86_64, livepatch v2, build-id bb359fb42293…  (xen-syms: /build/xen-syms)")
    }

    @Test func stageLinesComeFromTheReport() throws {
        let report = Examples.written
        #expect(
            ReportText.line(try #require(report.patch), style: style)
                == "xsa-500.patch: 1 file, +15 −0, 2 hunks applied at an offset, 1 file outside xen/ left out")
        #expect(
            ReportText.line(try #require(report.compile)) == "1 of 467 objects concerned, 2 compiled, 0 from cache")
        for (unaffected, words) in [(0, ""), (1, "; 1 more only reads it"), (351, "; 351 more only read it")] {
            var compile = try #require(report.compile)
            compile.unaffected = unaffected
            #expect(ReportText.line(compile) == "1 of 467 objects concerned, 2 compiled, 0 from cache\(words)")
        }
        #expect(
            ReportText.line(try #require(report.comparison)) == "41 functions the same, 1 changed, 1 new, 0 refused")
        #expect(
            ReportText.line(try #require(report.original))
                == "1 of 1 replaced function equals the running hypervisor byte for byte")
        #expect(
            ReportText.linkLine(report)
                == "2 references to the hypervisor resolved, 3 bug frames, 2 exception entries")
    }

    @Test func noHostRunsAHypervisorThatWasBuiltHere() {
        var report = Examples.written
        report.hypervisor?.builtHere = true
        let text = ReportText.summary(report, style: style)
        #expect(text.hasSuffix("(build-id bb359fb422930011223344556677889904ab04ab). For a host give its own hypervisor: --xen-syms FILE"))
        #expect(!text.contains("On the host"))
    }

    @Test func summaryHasTablesFileAndHostCommand() {
        let expected = """
              function                 file                          old     new   change
              acquire_grant_for_copy   common/grant_table.c:2510   1,904 → 2,041   changed
              helper                   common/grant_table.c            – →    96   new

              data    file                   old   new   change
              count   common/grant_table.c     – →   4   new (writable)

            out/xsa-500.livepatch   7,312 bytes   build-id 91c3…07a0   depends on bb35…04ab (the hypervisor)

            On the host:  xen-livepatch load xsa-500.livepatch
            """
        #expect(ReportText.summary(Examples.written, style: style) == expected)
    }

    @Test func asciiWhereTheLocaleHasNoMore() {
        let text = ReportText.summary(Examples.written, style: TextStyle(unicode: false))
        #expect(text.allSatisfy { $0.isASCII })
        #expect(text.contains("1,904 -> 2,041"))
    }

    @Test func narrowTerminalLosesTheBeginningOfPaths() {
        let narrow = ReportText.functionTable(Examples.written.functions, style: TextStyle(width: 75, isTerminal: true))
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 75 })
        #expect(narrow.contains("…") && narrow.contains("grant_table.c:2510"))
    }

    @Test func coloursOnlyWhenAskedFor() {
        #expect(!ReportText.summary(Examples.written, style: TextStyle(colours: false)).contains("\u{1b}"))
        #expect(ReportText.summary(Examples.written, style: TextStyle(colours: true)).contains("\u{1b}[1;33mchanged\u{1b}[0m"))
    }

    @Test(arguments: [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func thousands(number: Int, text: String) { #expect(grouped(number) == text) }

    @Test(arguments: [(1, "entry", "1 entry"), (2, "entry", "2 entries"), (0, "file", "0 files"), (1, "file", "1 file")])
    func nouns(number: Int, noun: String, text: String) { #expect(counted(number, noun) == text) }

    @Test func namesFromFilesCannotSteerTheTerminal() {
        #expect(style.shown("a\u{1b}[31mb\n\u{7f}\u{9b}") == "a\\x1b[31mb\\x0a\\x7f\\x9b")
        #expect(style.shown("x\u{202e}y") == "x\\u202ey")
        // What can't be seen: two texts that differ must not look the same.
        for scalar in ["\u{200b}", "\u{2028}", "\u{ad}", "\u{feff}", "\u{3164}", "\u{e0041}", "\u{fe0f}", "\u{f7cc}", "\u{2003}", "\u{2800}"]
            as [Unicode.Scalar]
        {
            #expect(style.shown("x\(scalar)y") == "x\\u\(String(scalar.value, radix: 16))y")
        }
        #expect(TextStyle(unicode: false).shown("é → …") == "? -> ...")
        #expect(style.shown("é → …") == "é → …")
    }

    @Test func proseIsWrapped() {
        let text = TextStyle(width: 40).wrap(
            "one two three four five six seven eight nine ten", first: "> ", rest: "  ")
        #expect(text == "> one two three four five six seven\n  eight nine ten")
        let word = String(repeating: "x", count: 60)
        #expect(TextStyle(width: 40).wrap("a \(word) b") == "a\n\(word)\nb")
    }
}

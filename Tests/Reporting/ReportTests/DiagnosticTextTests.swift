import Diagnostics
import Report
import Testing

@Suite struct DiagnosticTextTests {
    let style = TextStyle(width: 60)

    @Test func errorWithPlaceAndHelp() {
        let diagnostic = Diagnostic(
            .perCPUAdded, symbol: "last_vector", location: .init(file: "arch/x86/irq.c", line: 52),
            message: "new per-CPU variable 'last_vector', for which a loaded payload gets no area",
            help: "use an array with one element for each possible CPU, indexed by its number")
        #expect(
            DiagnosticText.render(diagnostic, style: style) == """
                error[per-cpu-added]: new per-CPU variable 'last_vector',
                  for which a loaded payload gets no area
                  --> arch/x86/irq.c:52
                  help: use an array with one element for each possible CPU,
                        indexed by its number
                """)
    }

    @Test func symbolAndSectionAreNamedWhereTheMessageDoesNot() {
        let diagnostic = Diagnostic(
            .sectionNotUnderstood, symbol: "foo", section: ".data.special", message: "a section differs")
        #expect(
            DiagnosticText.render(diagnostic, style: style)
                == "error[section-not-understood]: a section differs\n  symbol: foo\n  section: .data.special")
    }

    @Test func worstFirst() {
        let text = DiagnosticText.render(
            [
                Diagnostic(.hunkOffset, .note, message: "n"), Diagnostic(.initOnlyChange, .warning, message: "w"),
                Diagnostic(.assemblyChanged, message: "e"),
            ], style: style)
        #expect(text == "error[assembly-changed]: e\n\nwarning[init-only-change]: w\n\nnote[hunk-offset]: n")
    }

    @Test func paintIsNotCountedAsColumns() {
        let diagnostic = Diagnostic(.assemblyChanged, message: "an assembly file changed, which can't be replaced function by function")
        let plain = DiagnosticText.render(diagnostic, style: style)
        let painted = DiagnosticText.render(diagnostic, style: TextStyle(width: 60, colours: true))
        #expect(painted == plain.replacing("error[assembly-changed]:", with: "\u{1b}[1;31merror[assembly-changed]:\u{1b}[0m"))
    }

    @Test func refusalIsCounted() {
        let error = Diagnostic(.assemblyChanged, message: "e")
        #expect(
            DiagnosticText.refusalSummary([error, Diagnostic(.hunkOffset, .note, message: "n"), error])
                == "2 reasons why this change can't be live-patched as it is. No payload was written.")
    }

    private struct Failure: ExplainedError {
        var message = "/a/b: is missing"
        var help: String? = "first\nsecond"
        var exitCode = ExitStatus.usage
    }

    @Test func errorsOfStages() {
        #expect(
            DiagnosticText.render(Failure(), style: style) == "error: /a/b: is missing\n  help: first\n        second")
        #expect(
            DiagnosticText.render(Failure(message: "line one\nline \u{1b}two", help: nil), style: style)
                == "error: line one\n  line \\x1btwo")
    }
}

import Diagnostics
import Report
import SystemPackage
import Testing
import WorkFiles

@Suite struct DiagnosticCatalogueTests {
    @Test(arguments: DiagnosticID.allCases)
    func everyDiagnosticIsExplained(id: DiagnosticID) {
        let entry = DiagnosticCatalogue.entry(id)
        #expect(entry.id == id)
        for text in [entry.title, entry.meaning, entry.example, entry.advice] { #expect(text.count > 10) }
        #expect(!entry.title.hasSuffix("."))
        #expect(entry.meaning.hasSuffix(".") && entry.advice.hasSuffix("."))
    }

    @Test("each situation is one sentence, and the most severe comes first", arguments: DiagnosticCatalogue.entries)
    func situations(entry: CatalogueEntry) {
        #expect(!entry.situations.isEmpty)
        for situation in entry.situations {
            #expect(situation.seen.count > 10 && situation.seen.hasSuffix(".") && !situation.seen.contains(". "), "\(situation.seen)")
        }
        let order: [Severity] = [.error, .warning, .note]
        #expect(entry.situations.map(\.severity) == order.flatMap { severity in entry.situations.map(\.severity).filter { $0 == severity } })
        #expect(Set(entry.situations.map(\.seen)).count == entry.situations.count)
    }

    @Test func titlesDiffer() {
        #expect(Set(DiagnosticCatalogue.entries.map(\.title)).count == DiagnosticID.allCases.count)
    }

    @Test func aSeverityThatTheEntryLacksIsAComplaint() {
        for severity in [Severity.error, .warning, .note] {
            #expect(DiagnosticCatalogue.complaint(about: Diagnostic(.placementChanged, severity, message: "m")) == nil)
        }
        #expect(
            DiagnosticCatalogue.complaint(about: Diagnostic(.hunkOffset, .error, message: "m"))
                == "error[hunk-offset] is not in the catalogue, which has it as note: m")
        #expect(
            DiagnosticCatalogue.complaint(about: Diagnostic(.outsideHypervisor, message: "m"))
                == "error[outside-hypervisor] is not in the catalogue, which has it as warning, note: m")
    }

    @Test func documentationIsTheCatalogue() throws {
        let document = FilePath(#filePath).removingLastComponent().appending("../../../Docs/Diagnostics.md")
        let text = try WorkFiles.readText(document.lexicallyNormalized())
        #expect(text == DiagnosticCatalogue.markdown(), "run: xsplice-build explain --markdown > Docs/Diagnostics.md")
    }

    @Test func oneEntryOnTheTerminal() {
        #expect(
            DiagnosticCatalogue.text(DiagnosticCatalogue.entry(.outsideHypervisor), style: TextStyle(width: 100)) == """
                outside-hypervisor: the patch also changes files outside the hypervisor

                What was seen
                  warning  The patch changes a file outside xen/ that the hypervisor's build reads, such as
                           Config.mk.
                  note     The patch changes files outside xen/, such as tools, documentation or tests.

                What it means
                  Only the folder xen/ is compiled into the hypervisor. Changes to other files are left out: the
                  payload is built as if they were not in the patch.

                Example
                  A fix for the hypervisor that also corrects a man page under docs/.

                What to do
                  Nothing, if those parts are installed in another way. A payload alone is not enough if the fix
                  also needs a new tool, or a hypervisor that is built differently.
                """)
    }

    @Test func theListHasSeveritiesAndTitles() {
        let lines = DiagnosticCatalogue.list(style: TextStyle()).split(separator: "\n")
        #expect(lines.count == DiagnosticID.allCases.count)
        #expect(lines.contains("placement-changed           error, warning, note  a function or variable lies in another section, or needs more alignment"))
        #expect(lines.contains("hunk-offset                 note                  a hunk applied at another line than it says"))
    }

    /// Scripts go by these names.
    @Test func namesInJSON() throws {
        #expect(
            try JSONText.encode(DiagnosticCatalogue.entry(.perCPUAdded)) == """
                {
                  "advice" : "Use an array with one element for each possible CPU, NR_CPUS long, indexed by smp_processor_id().",
                  "example" : "static DEFINE_PER_CPU(unsigned int, last_vector);",
                  "id" : "per-cpu-added",
                  "meaning" : "The hypervisor lays out the per-CPU areas when it boots. A loaded payload gets none of its own.",
                  "situations" : [
                    {
                      "seen" : "The patch adds a per-CPU variable.",
                      "severity" : "error"
                    }
                  ],
                  "title" : "a new per-CPU variable"
                }

                """)
    }
}

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

    @Test func titlesDiffer() {
        #expect(Set(DiagnosticCatalogue.entries.map(\.title)).count == DiagnosticID.allCases.count)
    }

    @Test func documentationIsTheCatalogue() throws {
        let document = FilePath(#filePath).removingLastComponent().appending("../../../Docs/Diagnostics.md")
        let text = try WorkFiles.readText(document.lexicallyNormalized())
        #expect(text == DiagnosticCatalogue.markdown(), "run: xsplice-build explain --markdown > Docs/Diagnostics.md")
    }

    @Test func oneEntryOnTheTerminal() {
        #expect(
            DiagnosticCatalogue.text(DiagnosticCatalogue.entry(.perCPUAdded), style: TextStyle(width: 100)) == """
                error[per-cpu-added]: a new per-CPU variable

                The per-CPU areas are laid out when the hypervisor boots. A loaded payload gets none of its own.

                Example
                  static DEFINE_PER_CPU(unsigned int, last_vector);

                What to do
                  Use an array with one element for each possible CPU, NR_CPUS long, indexed by smp_processor_id().
                """)
    }
}

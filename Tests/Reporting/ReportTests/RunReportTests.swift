import Diagnostics
import Report
import Testing

/// What is said about several targets at once.
@Suite struct RunReportTests {
    private func report(_ architecture: String, _ outcome: BuildReport.Outcome) -> BuildReport {
        var report = outcome == .written ? Examples.written : BuildReport(tree: Examples.written.tree, outcome: outcome)
        report.tree.architecture = architecture
        report.payload?.path = "out/\(architecture)/xsa-500.livepatch"
        return report
    }

    /// The exit code: 0 only when all went well; else that of the worst.
    @Test(
        arguments: [
            ([], .written), ([.written, .written], .written), ([.compiledOnly, .compiledOnly], .compiledOnly),
            ([.nothingToPatch, .written], .nothingToPatch), ([.refused, .nothingToPatch, .written], .refused),
            ([.written, .originalDiffers, .refused], .originalDiffers), ([.buildFailed, .originalDiffers, .refused], .buildFailed),
        ] as [([BuildReport.Outcome], BuildReport.Outcome)])
    func theWorstOutcomeCounts(outcomes: [BuildReport.Outcome], worst: BuildReport.Outcome) {
        #expect(BuildReport.Outcome.worst(outcomes) == worst)
        #expect(RunReport(outcomes.map { report("arm64", $0) }).outcome == worst)
    }

    @Test func exitCodesFollowOutcomes() {
        let outcomes: [BuildReport.Outcome] = [.written, .compiledOnly, .nothingToPatch, .refused, .originalDiffers, .buildFailed]
        #expect(outcomes.map(\.exitStatus.rawValue) == [0, 0, 3, 4, 6, 5])
    }

    /// The names that scripts rely on, and the number that tells this report from that of one target.
    @Test func fieldNamesAreStable() throws {
        let run = RunReport([])
        #expect(
            try JSONText.encode(run) == """
                {
                  "generator" : "xsplice-build",
                  "outcome" : "written",
                  "schemaVersion" : 5,
                  "targets" : [

                  ]
                }

                """)
        #expect(RunReport.currentSchema > BuildReport.currentSchema)
    }

    @Test func eachTargetIsAReportOfItsOwn() throws {
        let run = RunReport([report("x86_64", .written), report("arm64", .refused)])
        let text = try JSONText.encode(run)
        #expect(try JSONText.decode(RunReport.self, from: Array(text.utf8)) == run)
        #expect(run.targets[0].schemaVersion == BuildReport.currentSchema)
    }

    @Test func headingNamesAllTargets() {
        let trees = [report("x86_64", .written), report("arm64", .refused)].map(\.tree)
        #expect(ReportText.heading(trees, style: TextStyle()) == "Xen 4.17.5, livepatch v2, for x86_64, arm64")
    }

    @Test func overviewHasEveryTarget() {
        let run = RunReport([report("x86_64", .written), report("arm64", .nothingToPatch), report("arm32", .refused)])
        #expect(
            ReportText.overview(run, style: TextStyle()) == """
                  target   outcome            payload
                  x86_64   written            out/x86_64/xsa-500.livepatch
                  arm64    nothing-to-patch   –
                  arm32    refused            –
                """)
    }

    @Test func refusalSummaryNamesTheTarget() {
        let errors = [Diagnostic(.perCPUAdded, .error, message: "m"), Diagnostic(.hunkOffset, .note, message: "n")]
        #expect(DiagnosticText.refusalSummary(errors) == "1 reason why this change can't be live-patched as it is. No payload was written.")
        #expect(
            DiagnosticText.refusalSummary(errors, target: "arm64")
                == "1 reason why this change can't be live-patched for arm64 as it is. No payload was written for arm64.")
    }
}

import Diagnostics
import Testing

@testable import Report

@Suite struct BatchTextTests {
    private func run(_ fix: String, _ hypervisor: String, _ code: Diagnostics.ExitStatus) -> BatchReport.Run {
        BatchReport.Run(fix: fix, hypervisor: hypervisor, exitCode: code, folder: "", payload: nil, milliseconds: 1)
    }

    @Test func aRowForEachFix() {
        let report = BatchReport(
            [run("xsa-1", "prod", .written), run("xsa-1", "arm", .cannotBeLivePatched), run("b", "prod", .patchDoesNotApply)], milliseconds: 9)
        #expect(
            BatchText.table(report, style: TextStyle()).split(separator: "\n").map { $0.trimmingSpaces } == [
                "  fix     prod             arm", "  xsa-1   written          refused", "  b       does not apply   –",
            ])
        #expect(BatchText.line(report) == "3 builds: 1 written, 1 refused, 1 does not apply")
        #expect(report.exitCode == .patchDoesNotApply)
    }

    @Test(
        arguments: [
            ([], 0), ([.written, .written], 0), ([.written, .nothingToPatch], 3), ([.nothingToPatch, .cannotBeLivePatched], 4),
            ([.originalDiffers, .cannotBeLivePatched], 6), ([.originalDiffers, .buildFailed], 5), ([.buildFailed, .patchDoesNotApply], 7),
            ([.usage, .patchDoesNotApply], 64), ([.usage, .internalFault], 1),
        ] as [([Diagnostics.ExitStatus], Int32)])
    func theWorstCounts(codes: [Diagnostics.ExitStatus], worst: Int32) {
        #expect(BatchReport(codes.map { run("a", "b", $0) }, milliseconds: 0).exitCode.rawValue == worst)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

import Report
import Testing

/// What `-v`, `--debug` and `why` say of decisions.
@Suite struct DecisionTests {
    private let compile = BuildReport.Compile(
        objects: 25, concerned: 1, compiled: 2, fromCache: 0, compiler: "gcc", configuration: "xen/.config", preparedWhole: true,
        preparedBecause: "the patch adds xen/common/a.c",
        decisions: [
            .init(object: "common/a.o", spared: false, why: "only the patched tree builds it"),
            .init(object: "common/kernel.o", spared: true, why: "its preprocessed source is the same"),
        ])

    @Test func aLineForEachDecisionWithItsStage() {
        let decisions = Decision.all(compile)
        #expect(
            DecisionText.lines(decisions, upTo: .actions, style: TextStyle()) == [
                "prepare: the whole tree: the patch adds xen/common/a.c", "prepare: the configuration is xen/.config, the compiler gcc",
                "compile: common/a.o  only the patched tree builds it",
            ])
        #expect(
            DecisionText.lines(decisions, upTo: .everything, style: TextStyle()) == [
                "prepare: the whole tree: the patch adds xen/common/a.c", "prepare: the configuration is xen/.config, the compiler gcc",
                "compile: common/a.o       only the patched tree builds it",
                "spare:   common/kernel.o  its preprocessed source is the same",
            ])
    }

    private var report: BuildReport {
        var report = BuildReport(tree: .init(path: "/xen", version: "4.17", architecture: "x86_64", format: "livepatch v2"), outcome: .written)
        let user = BuildReport.WhyStep(name: "do_domctl", file: "common/domctl.c", line: 1017, reason: "changed")
        report.functions = [
            .init(
                name: "do_domctl", file: "common/domctl.c", line: 300, oldSize: 5_000, newSize: 5_010, status: .changed, why: [user],
                firstDifference: .init(
                    offset: 0x2f1, before: "call vnuma_destroy", after: "call vnuma_replace", file: "common/domctl.c", line: 1017,
                    summary: "`call vnuma_destroy` became `call vnuma_replace`")),
            .init(
                name: "vnuma_replace", file: "common/domctl.c", line: 281, oldSize: nil, newSize: 212, status: .new,
                why: [.init(name: "vnuma_replace", file: "common/domctl.c", line: 281, reason: "new"), user]),
        ]
        report.data = [
            .init(
                name: "common/domctl.c#count.3", file: "common/domctl.c", size: 4, writable: true, status: .new,
                why: [.init(name: "count.3", reason: "new"), .init(name: "vnuma_replace", reason: "new"), user])
        ]
        return report
    }

    @Test func theWayOfAnIncludedFunction() {
        #expect(
            WhyText.render(report, symbol: "vnuma_replace", style: TextStyle()) == """
                vnuma_replace   new, 212 bytes, common/domctl.c:281
                  ← do_domctl   changed, common/domctl.c:1017
                """)
    }

    @Test func theFirstDifferenceOfAChangedOne() {
        #expect(
            WhyText.render(report, symbol: "do_domctl", style: TextStyle()) == """
                do_domctl   changed, 5,010 bytes, common/domctl.c:300
                  at +0x2f1 `call vnuma_destroy` became `call vnuma_replace` (common/domctl.c:1017)
                """)
    }

    /// By its whole name, by its own name without the file, and by that without the compiler's number.
    @Test(arguments: ["common/domctl.c#count.3", "count.3", "count"]) func aStaticLocalIsFound(symbol: String) throws {
        let text = try #require(WhyText.render(report, symbol: symbol, style: TextStyle()))
        #expect(text.hasPrefix("common/domctl.c#count.3   new, 4 bytes") && text.hasSuffix("← do_domctl   changed, common/domctl.c:1017"))
    }

    @Test func nothingOfThatNameIsNothing() {
        #expect(WhyText.render(report, symbol: "vnuma", style: TextStyle()) == nil)
        #expect(WhyText.render(report, style: TextStyle())?.split(separator: "\n\n").count == 3)
    }

    /// Names are from outside.
    @Test func hostileNamesAreShownAsText() {
        var report = report
        report.functions[1].name = "vnuma\u{1b}[31m"
        #expect(WhyText.render(report, style: TextStyle())?.contains("\u{1b}") == false)
    }

    @Test func chainsOfTheLink() {
        let lines = DecisionText.lines(Decision.all(report), upTo: .actions, style: TextStyle())
        #expect(lines[1] == "link:    vnuma_replace            new, for do_domctl (changed)")
    }
}

import CodeListing
import Report
import SamplePages
import TestTools
import Testing
import WorkFiles

@testable import SignOff

@Suite struct SignOffPageTests {
    @Test func theOrderIsThatOfSigning() {
        let document = SamplePages.page().document
        let titles = document.split(separator: "<h2 id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(
            titles.map(String.init) == [
                "identity-title", "effect-title", "hooks-title", "source-title", "code-title", "data-title", "layouts-title", "tables-title", "answers-title",
                "drive-title",
                "warnings-title", "making-title",
            ])
        #expect(SamplePages.refused.document.contains("<h2 id=\"errors-title\">Why there is no payload</h2>"))
    }

    /// What a screen reader finds its way by (WCAG 2.2: 1.3.1, 2.1.1, 2.4.6, 4.1.2).
    @Test func thePageHasLandmarksAndNames() throws {
        for document in [SamplePages.page().document, SamplePages.refused.document] {
            func count(_ part: String) -> Int { document.split(separator: part, omittingEmptySubsequences: false).count - 1 }
            for tag in ["header", "nav", "main", "footer", "h1"] { #expect(count("<\(tag)>") + count("<\(tag) ") == 1, "\(tag)") }
            #expect(document.contains("<html lang=\"en\">"))
            #expect(count("<section ") == count("<h2 id=") && count("<section ") == count("aria-labelledby="))
            // Whatever scrolls can be reached with the keyboard, and has a name.
            #expect(count("<div class=\"scroll\"") == count("tabindex=\"0\""))
            #expect(count("<div class=\"scroll\" role=\"region\" aria-label=\"") == count("<div class=\"scroll\""))
            #expect(count("<table") == count("<caption>") && count("<th>") == 0)
            #expect(count("<th ") == count("<th scope=\"col\"") + count("<th scope=\"row\""))
            #expect(count("<svg ") == count("<svg role=\"img\" aria-label=\""))
            // Each place that the navigation leads to is there.
            for link in document.split(separator: "href=\"#").dropFirst() { #expect(document.contains("id=\"\(link.prefix { $0 != "\"" })\"")) }
            // No identifier is there twice.
            let ids = document.split(separator: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
            #expect(Set(ids).count == ids.count)
        }
    }

    /// Only a line feed ends a line of a patch, and within a hunk only the first byte says what it is.
    @Test func everyLineOfAPatchHasItsColour() {
        let text = "--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n keep\n--- gone\n+++i;\n+\u{301}accent\r evil\u{2028}worse\n last\n-- \n2.39\n"
        var page = SamplePages.page()
        page.patches = [.init(name: "x.patch", digest: "0", text: text)]
        let document = page.document
        #expect(document.contains("<span class=\"faint\">--- a/x</span><span class=\"faint\">+++ b/x</span><span class=\"note\">@@ -1,3 +1,4 @@</span>"))
        #expect(document.contains("<span> keep</span><span class=\"removed\">--- gone</span><span class=\"added\">+++i;</span>"))
        #expect(document.contains("<span class=\"added\">+\u{301}accent\\x0d evil\\u2028worse</span><span> last</span><span>-- </span>"))
    }

    @Test func whatIsNotShownIsCounted() {
        let instruction = ListedInstruction(offset: 0, text: "nop")
        var page = SamplePages.page()
        page.code = .init(listings: [
            FunctionListing(name: "f", object: "a.o", isNew: true, rows: (0..<3_010).map { _ in .init(.added, after: instruction) })
        ])
        #expect(page.document.contains("… 10 further lines not shown; 10 of them differ"))
    }

    @Test func theSameInputGivesTheSameBytes() { #expect(SamplePages.page().document == SamplePages.page().document) }

    /// Nothing from outside becomes markup: there are exactly as many elements as with harmless names, and no scripts or images at all.
    @Test func hostileNamesAreText() {
        let plain = SamplePages.page(name: "plain").document, hostile = SamplePages.page(name: SamplePages.hostile).document
        #expect(!hostile.contains("<script") && !hostile.contains("<img") && !hostile.contains("\u{202e}") && !hostile.contains("\u{1b}"))
        #expect(hostile.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"))
        func tags(_ document: String) -> Int { document.count { $0 == "<" } }
        #expect(tags(plain) == tags(hostile))
    }

    @Test func nothingIsFetchedOrRun() {
        let document = SamplePages.page().document
        for word in ["http://", "https://", "src=", "url(", "<script", "javascript:", "style=", "onclick", "<form", "<iframe", "@import"] {
            #expect(!document.contains(word), "\(word)")
        }
        #expect(document.contains("default-src &#39;none&#39;; style-src &#39;sha256-"))
    }

    @Test func aTestDriveTakesItsPlace() throws {
        let page = SamplePages.page().document
        let good = try #require(SamplePages.drive().added(to: page))
        #expect(good.contains("verdict: good") && good.contains(">driven</li>"))
        // Another one takes the place of the first.
        let bad = try #require(SamplePages.drive(name: SamplePages.hostile, isGood: false).added(to: good))
        #expect(!bad.contains("verdict: good") && !bad.contains(">driven</li>") && bad.contains(">drive failed</li>"))
        #expect(!bad.contains("<script"))
        #expect(SamplePages.drive().added(to: "<html></html>") == nil)
        // A refused change has no payload to drive.
        #expect(SamplePages.drive().added(to: SamplePages.refused.document) == nil)
    }

    /// A name that looks like the mark of the place is text, so it can't move the place.
    @Test func noNameIsAPlaceForATestDrive() throws {
        let document = SamplePages.page(name: "<!-- test-drive -->x<!-- end of test-drive -->").document
        #expect(document.split(separator: "<!-- test-drive -->", omittingEmptySubsequences: false).count == 2)
    }

    @Test func pagesOfThisProgramAreKnown() {
        #expect(SignOffPage.isOne(Array(SamplePages.page().document.utf8)))
        #expect(SignOffPage.isOne(Array(SamplePages.refused.document.utf8)))
        #expect(!SignOffPage.isOne(Array("<!DOCTYPE html><html><head></head><body>\(String(repeating: "x", count: 9000))".utf8)))
        #expect(!SignOffPage.isOne([]))
    }

    @Test func sizesStayReasonable() {
        #expect(SamplePages.page(functions: 1).document.utf8.count < 100_000)
        #expect(SamplePages.page(functions: 200).document.utf8.count < 5_000_000)
    }

    @Test func theWaysShareTheirBeginnings() {
        let page = SamplePages.page(functions: 20).document
        // Twenty functions behind four entries, each of which has two occasions at most.
        #expect(page.components(between: "<rect", and: ">").count < 20 * 4)
        #expect(page.contains("aria-label=\"Ways to acquire_grant_for_copy_0"))
    }

    @Test func anOverviewLeadsToThePages() {
        let overview = OverviewPage(
            title: "2 fixes", rowTitle: "fix",
            cells: [
                .init(row: "a", column: "prod", exitCode: .written, outcome: "written", page: ["prod", "a", "report.html"]),
                .init(row: "b", column: "prod", exitCode: .cannotBeLivePatched, outcome: "refused", page: nil),
                .init(
                    row: "../x", column: "javascript:alert(1)", exitCode: .written, outcome: "written", page: ["javascript:alert(1)", "../x", "report.html"]),
            ], program: "0.1.0"
        ).document
        #expect(overview.contains("<a href=\"prod/a/report.html\">"))
        #expect(overview.contains("<a href=\"javascript%3Aalert%281%29/..%2Fx/report.html\">"))
        #expect(overview.contains("2 of 3 builds wrote a payload."))
    }
}

extension String {
    fileprivate func components(between start: String, and end: String) -> [Substring] {
        split(separator: start).dropFirst().map { $0.prefix { String($0) != end } }
    }
}

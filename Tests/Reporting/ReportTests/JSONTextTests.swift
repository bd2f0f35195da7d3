import Report
import Testing

@Suite struct JSONTextTests {
    @Test func reportSurvivesTheWayThroughJSON() throws {
        let text = try JSONText.encode(Examples.written)
        #expect(try JSONText.decode(BuildReport.self, from: Array(text.utf8)) == Examples.written)
        #expect(try JSONText.encode(Examples.written) == text)
        #expect(text.hasSuffix("}\n"))
    }

    /// The names that scripts rely on. Who changes this test raises `BuildReport.currentSchema`.
    @Test func fieldNamesAreStable() throws {
        var report = BuildReport(
            tree: .init(path: "/src/xen", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"),
            outcome: .nothingToPatch)
        report.functions = [
            .init(
                name: "f", file: "common/f.c", line: 3, oldSize: 10, newSize: 12, status: .changed,
                why: [.init(name: "f", file: "common/f.c", line: 3, reason: "changed")],
                firstDifference: .init(offset: 5, before: "call a", after: "call b", file: "common/f.c", line: 4, summary: "`call a` became `call b`"))
        ]
        report.diagnostics = [
            .init(.initOnlyChange, .warning, symbol: "g", location: .init(file: "common/f.c", line: 9), message: "m")
        ]
        #expect(
            try JSONText.encode(report) == """
                {
                  "data" : [

                  ],
                  "diagnostics" : [
                    {
                      "id" : "init-only-change",
                      "location" : {
                        "file" : "common/f.c",
                        "line" : 9
                      },
                      "message" : "m",
                      "severity" : "warning",
                      "symbol" : "g"
                    }
                  ],
                  "functions" : [
                    {
                      "file" : "common/f.c",
                      "firstDifference" : {
                        "after" : "call b",
                        "before" : "call a",
                        "file" : "common/f.c",
                        "line" : 4,
                        "offset" : 5,
                        "summary" : "`call a` became `call b`"
                      },
                      "line" : 3,
                      "name" : "f",
                      "newSize" : 12,
                      "oldSize" : 10,
                      "status" : "changed",
                      "why" : [
                        {
                          "file" : "common/f.c",
                          "line" : 3,
                          "name" : "f",
                          "reason" : "changed"
                        }
                      ]
                    }
                  ],
                  "generator" : "xsplice-build",
                  "hooks" : [

                  ],
                  "layouts" : [

                  ],
                  "outcome" : "nothing-to-patch",
                  "references" : [

                  ],
                  "schemaVersion" : 4,
                  "specialEntries" : [

                  ],
                  "stack" : [

                  ],
                  "timings" : [

                  ],
                  "tree" : {
                    "architecture" : "x86_64",
                    "format" : "livepatch v2",
                    "path" : "/src/xen",
                    "version" : "4.17.5"
                  }
                }

                """)
    }

    @Test func whatIsNoJSONIsExplained() {
        #expect(throws: JSONTextError.self) { try JSONText.decode(BuildReport.self, from: Array("{".utf8)) }
    }
}

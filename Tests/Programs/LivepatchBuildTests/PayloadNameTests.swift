import SystemPackage
import Testing

@testable import LivepatchBuild

@Suite struct PayloadNameTests {
    @Test(arguments: [
        ("xsa-500.patch", "xsa-500"), ("/a/b/test1.diff", "test1"), ("0001-x86: fix it.patch", "0001-x86--fix-it"),
        ("a.b.patch", "a-b"), ("plain", "plain"), ("under_score.patch", "under_score"), (".patch", "payload"),
        ("a.patch.diff", "a-patch"), ("übung.patch", "bung"), ("٣.patch", "payload"), ("fix.PATCH", "fix-PATCH"),
        ("..", "payload"), ("-", "payload"), ("-f.patch", "f"), ("a-.patch", "a-"), ("x.mbox", "x-mbox"), ("", "payload"),
    ])
    func name(path: String, name: String) {
        #expect(PayloadName.name(for: [FilePath(path)]) == name)
    }

    @Test func atMost127Characters() {
        let long = FilePath(String(repeating: "n", count: 200) + ".patch")
        #expect(PayloadName.name(for: [long]).count == 127)
    }

    @Test func seriesIsNamedAfterItsFirst() {
        #expect(PayloadName.name(for: ["1-a.patch", "2-b.patch"]) == "1-a")
    }

    @Test func aNameThatIsGivenWins() throws {
        #expect(try PayloadName.name(for: buildOptions()) == "b")
        #expect(try PayloadName.name(for: buildOptions(["--name", "fix-1"])) == "fix-1")
    }

    @Test func withoutAPatchItIsTheFirstFunctions() throws {
        var fix = BuildOptions.Fix()
        fix.nops = [.init(function: "a.c#f", count: 5), .init(function: "g", count: 5)]
        let options = try BuildOptions(input: .init(source: "a"), fix: fix, work: .init(jobs: 1, cache: "c"))
        #expect(PayloadName.name(for: options) == "nop-f")
    }
}

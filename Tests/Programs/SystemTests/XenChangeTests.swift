import Testing
import XenRig

/// Every change of a real Xen in `Fixtures/changes`, run through the program.
@Suite(.enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct XenChangeTests {
    @Test("comes out as expected: exit code, functions, variables, references, diagnostics", .timeLimit(.minutes(150)), arguments: RealXen.cases)
    func expected(change: ChangeCase) async throws {
        let deviations = try await RealXen.outcome(of: change).deviations(from: change.expected)
        #expect(deviations == [])
    }

    @Test("no payload names the cache, the source or the home folder", .timeLimit(.minutes(150)), arguments: RealXen.cases)
    func places(change: ChangeCase) async throws {
        #expect(try await RealXen.textsWithPlaces(RealXen.outcome(of: change), for: RealXen.hypervisor(debug: change.isForDebugBuild)) == [])
    }

    @Test("no class of changes is missing")
    func classes() {
        let rows = [("F", 19), ("S", 4), ("D", 8), ("X", 7), ("B", 9)].flatMap { letter, count in (1...count).map { "\(letter)\($0)" } }
        let known = Set(RealXen.cases.compactMap { $0.name.split(separator: "-").first.map(String.init) })
        #expect(rows.filter { !known.contains($0) } == [])
    }

    /// For whoever reads the log.
    @Test("the table of change classes") func table() async throws {
        var lines: [String] = []
        for change in RealXen.cases { lines.append(try await RealXen.outcome(of: change).row(of: change)) }
        print(lines.joined(separator: "\n"))
        #expect(lines.count > 47)
    }
}

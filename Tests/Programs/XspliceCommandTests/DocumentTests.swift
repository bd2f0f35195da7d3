import Diagnostics
import SystemPackage
import Testing
import WorkFiles

/// Documents lead their readers to things that exist.
@Suite struct DocumentTests {
    /// All pages, by their paths from the top of the package.
    static let pages: [String] = {
        let names = (try? WorkFiles.names(in: packageFolder.appending("Docs"))) ?? []
        return ["README.md", "CONTRIBUTING.md", "Fixtures/README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "Docs/\($0)" }
    }()

    func text(_ page: String) throws -> String {
        String(decoding: try WorkFiles.read(packageFolder.appending(page)), as: UTF8.self)
    }

    /// The anchors that GitHub makes of a page's headings.
    func anchors(_ page: String) throws -> Set<String> {
        let headings = try text(page).split(separator: "\n").filter { $0.hasPrefix("#") }.map { $0.drop { $0 == "#" }.dropFirst() }
        return Set(headings.map { $0.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }.replacing(" ", with: "-") })
    }

    @Test(arguments: pages) func linksLeadToPagesAndHeadings(page: String) throws {
        for match in try text(page).matches(of: /\]\(([^)\s]+)\)/) where !match.output.1.hasPrefix("http") {
            let parts = match.output.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let target =
                parts[0].isEmpty ? page : FilePath(page).removingLastComponent().appending(parts[0]).lexicallyNormalized().string
            try #require(WorkFiles.isReadableFile(packageFolder.appending(target)), "\(page) leads to \(target)")
            if parts.count == 2 { #expect(try anchors(target).contains(parts[1]), "\(page) leads to \(target)#\(parts[1])") }
        }
    }

    @Test(arguments: pages) func namedFilesExist(page: String) throws {
        for match in try text(page).matches(of: /`((?:Sources|Tests|Docs|Fixtures|Fuzz|Scripts|\.ci)\/[A-Za-z0-9_.\/+-]+)`/) {
            let path = String(match.output.1)
            // These stand for names.
            guard !["NAME", "FLOOR", "MODULE", "HYPERVISOR", "/ID-"].contains(where: path.contains) else { continue }
            #expect(try WorkFiles.kind(of: packageFolder.appending(path)) != nil, "\(page) names \(path)")
        }
    }

    @Test func namedTargetsOfMakeExist() throws {
        let makefile = try text("Makefile")
        // `defconfig` is one of Xen's.
        let targets = Set(makefile.matches(of: /(?m)^([a-z-]+):/).map { String($0.output.1) } + ["defconfig"])
        for page in Self.pages {
            for match in try text(page).matches(of: /(?m)(?:`|^ {4})make ([a-z-]+)/) where !match.output.1.hasPrefix("-") {
                #expect(targets.contains(String(match.output.1)), "\(page) names make \(match.output.1)")
            }
        }
    }

    @Test func namedDiagnosticsExist() throws {
        let known = Set(DiagnosticID.allCases.map(\.rawValue))
        for match in try text("Docs/PatchAuthors.md").matches(of: /\(`([a-z]+(?:-[a-z]+)+)`/) {
            #expect(known.contains(String(match.output.1)), "Docs/PatchAuthors.md names \(match.output.1)")
        }
    }

    @Test func everyPageIsLedTo() throws {
        let all = try Self.pages.map { page in try (page, text(page)) }
        for page in Self.pages where page != "README.md" {
            let name = page.hasPrefix("Docs/") ? String(page.dropFirst("Docs/".count)) : page
            #expect(all.contains { $0.0 != page && $0.1.contains(name) }, "nothing leads to \(page)")
        }
    }
}

import SamplePages
import SignOff
import Subprocess
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#endif

/// The pages in a real browser, which has no network.
@Suite(.serialized) struct BrowserTests {
    /// What the browser did with a document.
    private struct Visit {
        /// The document as the browser understood it.
        var markup: String
        /// What it complained of on its console: markup that the policy forbids, errors in scripts.
        var complaints: [Substring]
        /// The addresses that it asked the network for.
        var requests: Set<Substring>
    }

    private static let options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr", "--hide-scrollbars", "--force-device-scale-factor=1",
    ]

    private func browse(_ document: String, _ more: [String], in folder: FilePath) async throws -> (output: String, errors: String) {
        let page = folder.appending("page.html")
        try WorkFiles.write(Array(document.utf8), to: page)
        let result = try await Subprocess.run(
            .name("chromium"), arguments: Arguments(Self.options + ["--user-data-dir=\(folder.appending("profile"))"] + more + ["file://\(page)"]),
            environment: .inherit.updating(["HOME": folder.string]), input: .none, output: .string(limit: 1 << 26), error: .string(limit: 1 << 24))
        guard result.terminationStatus.isSuccess else { throw ToolFailure(description: "chromium: \(result.standardError)") }
        return (result.standardOutput, result.standardError)
    }

    private func visit(_ document: String) async throws -> Visit {
        try await withTemporaryFolder { folder in
            let log = folder.appending("net.json")
            let (output, errors) = try await browse(document, ["--dump-dom", "--log-net-log=\(log)"], in: folder)
            // The browser itself asks its maker for updates.
            let requests = try WorkFiles.readText(log).split(separator: "\"")
                .filter { ["http://", "https://", "ws://", "wss://"].contains(where: $0.hasPrefix) && !$0.contains("google") && !$0.contains("~notfound") }
            return Visit(markup: output, complaints: errors.split(separator: "\n").filter { $0.contains("CONSOLE") }, requests: Set(requests))
        }
    }

    @Test(arguments: ["plain", SamplePages.hostile]) func nothingIsAskedForAndNothingIsWrong(name: String) async throws {
        let driven = try #require(SamplePages.drive(name: name).added(to: SamplePages.page(name: name).document))
        let visit = try await visit(driven)
        #expect(visit.complaints == [])
        #expect(visit.requests == [])
        #expect(!visit.markup.contains("<script") && !visit.markup.contains("<img"))
        // The browser closes nothing by itself, and moves nothing: it understood the document as it was written.
        for tag in ["<table", "<tr", "<td", "<section", "<details", "<span", "<rect", "<li"] {
            #expect(visit.markup.split(separator: tag).count == driven.split(separator: tag).count, "\(tag)")
        }
    }

    /// The tests above would notice.
    @Test func aPageWithAScriptIsNoticed() async throws {
        let bad = SamplePages.page().document.replacing("<main>", with: "<main><script>document.title = 'x'</script><img src=\"https://example.org/a.png\">")
        let visit = try await visit(bad)
        #expect(visit.complaints.count >= 2)
        let worse = try await self.visit(bad.replacing("Content-Security-Policy", with: "x"))
        #expect(worse.requests.contains { $0.hasPrefix("https://example.org/a.png") }, "\(worse.requests)")
    }

    @Test(arguments: ["plain", SamplePages.hostile]) func theMarkupIsValid(name: String) async throws {
        let driven = try #require(SamplePages.drive(name: name).added(to: SamplePages.page(name: name).document))
        for document in [driven, SamplePages.refused.document] {
            try await withTemporaryFolder { folder in
                let page = folder.appending("page.html")
                try WorkFiles.write(Array(document.utf8), to: page)
                // Its exit code is 1 for warnings and 2 for errors.
                let result = try await Subprocess.run(
                    .name("tidy"), arguments: ["-quiet", "-errors", "--show-info", "no", "-utf8", page.string], input: .none, output: .string(limit: 1 << 20),
                    error: .string(limit: 1 << 20))
                #expect(result.standardError == "")
                #expect(result.terminationStatus.isSuccess)
            }
        }
    }

    // MARK: How it looks

    /// The ways in which somebody looks at a page.
    enum Look: String, CaseIterable, CustomStringConvertible {
        case light, dark, phone, print

        var description: String { rawValue }

        fileprivate var options: [String] {
            switch self {
            case .light, .print: ["--window-size=1000,1600"]
            case .dark: ["--window-size=1000,1600", "--blink-settings=preferredColorScheme=0"]
            case .phone: ["--window-size=500,1600"]
            }
        }
    }

    /// A picture as a grid of mean colours: what a passer-by sees.
    private struct Glance {
        static let columns = 20, rows = 32
        /// Red, green and blue of each field, row by row.
        var values: [Int]

        /// - Parameter picture: as netpbm's raw PPM: `P6 WIDTH HEIGHT 255`, then three bytes a pixel.
        init?(picture: [UInt8]) {
            var fields: [Int] = [], position = 2
            guard picture.starts(with: Array("P6".utf8)) else { return nil }
            while fields.count < 3, position < picture.count {
                position = picture[position...].firstIndex { $0 > 32 } ?? picture.count
                let end = picture[position...].firstIndex { $0 <= 32 } ?? picture.count
                guard let number = Int(String(decoding: picture[position..<end], as: UTF8.self)) else { return nil }
                fields.append(number)
                position = end
            }
            let pixels = picture.dropFirst(position + 1), (width, height) = (fields[0], fields[1])
            guard width >= Self.columns, height >= Self.rows, pixels.count == width * height * 3 else { return nil }
            values = []
            for row in 0..<Self.rows {
                for column in 0..<Self.columns {
                    var sums = [0, 0, 0], count = 0
                    for y in row * height / Self.rows..<(row + 1) * height / Self.rows {
                        for x in column * width / Self.columns..<(column + 1) * width / Self.columns {
                            for channel in 0..<3 { sums[channel] += Int(pixels[pixels.startIndex + (y * width + x) * 3 + channel]) }
                            count += 1
                        }
                    }
                    values += sums.map { $0 / count }
                }
            }
        }

        init(text: String) { values = text.split { $0.isWhitespace }.compactMap { Int($0) } }

        var text: String {
            (0..<Self.rows).map { row in
                values[row * Self.columns * 3..<(row + 1) * Self.columns * 3].map(String.init).joined(separator: " ") + "\n"
            }.joined()
        }

        /// The mean difference of all fields, from 0 to 255.
        func distance(to other: Glance) -> Double {
            guard values.count == other.values.count, !values.isEmpty else { return 255 }
            return Double(zip(values, other.values).reduce(0) { $0 + abs($1.0 - $1.1) }) / Double(values.count)
        }
    }

    private func glance(_ document: String, _ look: Look) async throws -> Glance {
        try await withTemporaryFolder { folder in
            let file = folder.appending("picture"), bytes: [UInt8]
            if look == .print {
                _ = try await browse(document, look.options + ["--print-to-pdf=\(file)", "--no-pdf-header-footer"], in: folder)
                try await run("pdftoppm", ["-r", "50", "-f", "1", "-singlefile", file.string, file.string], in: folder)
                bytes = try WorkFiles.read(folder.appending("picture.ppm"))
            } else {
                _ = try await browse(document, look.options + ["--screenshot=\(file).png"], in: folder)
                try await run("sh", ["-c", "pngtopnm picture.png >picture.ppm"], in: folder)
                bytes = try WorkFiles.read(folder.appending("picture.ppm"))
            }
            return try #require(Glance(picture: bytes))
        }
    }

    /// With XSPLICE_UPDATE_PAGES the glances are written down anew. A newer browser may draw a letter otherwise; another layout or theme is far more.
    @Test(arguments: Look.allCases) func looksAsItDid(look: Look) async throws {
        let page = try #require(SamplePages.drive().added(to: SamplePages.page().document))
        let seen = try await glance(page, look), file = ChangeCase.fixtures.appending("pages/\(look).txt")
        if getenv("XSPLICE_UPDATE_PAGES") != nil { try WorkFiles.write(Array(seen.text.utf8), to: file) }
        let known = Glance(text: try WorkFiles.readText(file))
        #expect(seen.distance(to: known) < 4, "\(look): \(seen.distance(to: known))")
        // The comparison would notice another theme.
        if look == .light { #expect(try await glance(page, .dark).distance(to: known) > 40) }
    }
}

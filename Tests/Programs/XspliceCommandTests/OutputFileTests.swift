import LivepatchBuild
import SamplePages
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XspliceCommand

/// Nothing is destroyed by a name behind an option.
@Suite struct OutputFileTests {
    @Test func aPageReplacesOnlyAPage() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appending("page.html")
            try OutputFile.page(place.string).write(SamplePages.page().document)
            try OutputFile.page(place.string).write(SamplePages.refused.document)
            #expect(try WorkFiles.readText(place) == SamplePages.refused.document)
            _ = try write("precious", to: "notes.html", in: folder)
            try await run("ln", ["-s", "page.html", "link.html"], in: folder)
            try await run("mkfifo", ["pipe.html"], in: folder)
            for name in ["notes.html", "link.html", "pipe.html", "."] {
                #expect(throws: UsageError.self, "\(name)") { _ = try OutputFile.page(folder.appending(name).string) }
            }
            #expect(throws: UsageError.self) { _ = try OutputFile.page("/dev/null") }
            #expect(try WorkFiles.readText(folder.appending("notes.html")) == "precious")
        }
    }

    @Test func aLogReplacesNoProgram() throws {
        try withTemporaryFolder { folder in
            _ = try write("(XEN) booted\n", to: "drive.log", in: folder)
            _ = try write("\u{7f}ELF payload", to: "fix.livepatch", in: folder)
            try OutputFile.log(folder.appending("drive.log")).write("(XEN) again\n")
            #expect(throws: UsageError.self) { _ = try OutputFile.log(folder.appending("fix.livepatch")) }
        }
    }

    @Test func longNamesAreWritten() throws {
        try withTemporaryFolder { folder in
            for name in [String(repeating: "n", count: 255), String(repeating: "é", count: 127)] {
                let place = folder.appending(name)
                try WorkFiles.writeAtomically([1], to: place)
                #expect(try WorkFiles.read(place) == [1])
            }
        }
    }
}

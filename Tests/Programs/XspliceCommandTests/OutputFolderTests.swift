import Diagnostics
import Report
import SamplePages
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XspliceCommand

#if canImport(Glibc)
import Glibc
#endif

@Suite struct OutputFolderTests {
    let folder: TemporaryFolder
    var out: FilePath { folder.path.appending("out") }

    init() throws { folder = try TemporaryFolder() }

    var report: BuildReport {
        BuildReport(
            tree: .init(path: "/xen", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"), outcome: .written)
    }

    /// A whole run: as the pipeline does it.
    func writeOnce(_ name: String, force: Bool = false) throws {
        let output = try OutputFolder.claim(out, force: force)
        try output.prepare()
        var report = report
        report.payload = .init(
            path: out.appending(name).string, size: 3, buildID: "aa", depends: "bb", xenDepends: nil,
            hostTool: "xen-livepatch")
        try output.write(report, payloads: [.init(name, [1, 2, 3])])
    }

    @Test func aReleasedClaimLeavesNothing() throws {
        try OutputFolder.claim(out.pushing("deep/er"), force: false).release()
        #expect(folder.names().isEmpty)
        try WorkFiles.makeFolder(out)
        try OutputFolder.claim(out.appending("deep"), force: false).release()
        try OutputFolder.claim(out, force: false).release()
        #expect(folder.names() == ["out"])
    }

    @Test("of two runs at a time, one has the folder") func twoRuns() throws {
        for force in [false, true] {
            let first = try OutputFolder.claim(out, force: force)
            let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: force) }
            #expect(error?.message.contains("another run is writing to it") == true && error?.exitCode == .usage)
            #expect(first.isLocked)
        }
        try writeOnce("a.livepatch")
    }

    @Test func aLinkToNothingIsAMistake() throws {
        try WorkFiles.makeLink(at: out, to: "nowhere")
        let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: false) }
        #expect(error?.exitCode == .usage && error?.message.contains("is a link to nothing") == true)
    }

    @Test func aRunLeavesPayloadReportAndLogs() throws {
        try writeOnce("a.livepatch")
        #expect(folder.names("out") == ["a.livepatch", "logs", "report.json"])
        #expect(try WorkFiles.read(out.appending("a.livepatch")) == [1, 2, 3])
        _ = try JSONText.decode(BuildReport.self, from: WorkFiles.read(out.appending("report.json")))
    }

    @Test func aPageIsWrittenAndRemovedLikeAReport() throws {
        let page = SamplePages.page().document
        func write(force: Bool, pages: [OutputFolder.PageFile]) throws {
            let output = try OutputFolder.claim(out, force: force)
            try output.prepare()
            try output.write(BuildReport(tree: .init(path: "/xen", version: "4.17.5", architecture: "x86_64", format: "livepatch v2")), pages: pages)
        }
        try write(force: false, pages: [.init(page)])
        #expect(folder.names("out") == ["logs", "report.html", "report.json"])
        #expect(try WorkFiles.readText(out.appending("report.html")) == page)
        try write(force: true, pages: [])
        #expect(folder.names("out") == ["logs", "report.json"])
        // Somebody else's page is not overwritten, and not removed.
        try folder.write("out/report.html", "<p>mine</p>")
        let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        #expect(error?.message.contains("report.html is not of this program") == true)
        #expect(try WorkFiles.readText(out.appending("report.html")) == "<p>mine</p>")
    }

    @Test func foldersAboveAreMade() throws {
        let output = try OutputFolder.claim(out.appending("deep/er"), force: false)
        try output.prepare()
        #expect(folder.names("out/deep/er") == ["logs"])
    }

    @Test func aWorkFolderThatNoRunMadeStaysAsItIs() throws {
        try writeOnce("a.livepatch")
        let work = out.appending("work"), mine = work.appending("mine.txt")
        try WorkFiles.makeFolder(work)
        try WorkFiles.writeAtomically([1], to: mine)
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true, keepsWork: true) }
        try writeOnce("b.livepatch", force: true)
        #expect(try WorkFiles.read(mine) == [1])
        try WorkFiles.remove(out.appending("report.json"))
        try WorkFiles.remove(out.appending("b.livepatch"))
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
    }

    @Test func onlyWhatARunKeptIsRemoved() throws {
        let work = out.appending("work")
        do {
            let first = try OutputFolder.claim(out, force: false, keepsWork: true)
            try first.prepare()
            try WorkFiles.makeFolder(work.appending("objects"))
            #expect(first.keptNames == ["objects"])
            try first.write(report)
        }
        try WorkFiles.writeAtomically([1], to: work.appending("mine.txt"))
        try OutputFolder.claim(out, force: true).prepare()
        #expect(folder.names("out/work") == ["mine.txt"])
    }

    @Test func anEmptyFolderIsTaken() throws {
        mkdir(out.string, 0o755)
        try writeOnce("a.livepatch")
    }

    @Test func anEarlierRunIsReplacedWithForceOnly() throws {
        try writeOnce("a.livepatch")
        try folder.write("out/notes.txt")
        try folder.write("out/logs/others/old.log", Self.log)
        let error = #expect(throws: OutputFolderError.self) { try writeOnce("b.livepatch") }
        #expect(error?.exitCode == .usage && error?.help?.contains("--force") == true)
        #expect(folder.names("out").contains("a.livepatch"))

        try writeOnce("b.livepatch", force: true)
        // What the user put there stays.
        #expect(folder.names("out") == ["b.livepatch", "logs", "notes.txt", "report.json"])
        #expect(folder.names("out/logs").isEmpty)
    }

    private static let log = "cd /xen && make\n\nmade\n"

    @Test("logs that no run wrote stay, and make no folder ours") func foreignLogs() throws {
        try folder.write("out/logs/app.log", "precious\n")
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        try folder.write("out/report.json", #"{"generator": "xsplice-build"}"#)
        try folder.write("out/logs/original/one.o.log", Self.log)
        try folder.write("out/logs/notes.txt", Self.log)
        try writeOnce("a.livepatch", force: true)
        #expect(folder.names("out/logs") == ["app.log", "notes.txt"])
    }

    @Test("a folder that others can write to is refused, and so are its parts") func foreignHands() throws {
        try writeOnce("a.livepatch")
        for name in ["", "logs"] {
            let place = out.appending(name)
            for mode: mode_t in [0o777, 0o1777] {
                try #require(chmod(place.string, mode) == 0)
                let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
                #expect(error?.exitCode == .usage && error?.message.contains("it can be written to by every user") == true)
            }
            try #require(chmod(place.string, 0o755) == 0)
            guard geteuid() == 0 else { continue }
            try #require(chown(place.string, 1, gid_t.max) == 0)
            let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
            #expect(error?.message.contains("it belongs to user daemon") == true)
            try #require(chown(place.string, 0, gid_t.max) == 0)
        }
        try WorkFiles.remove(out.appending("logs"))
        try folder.write("victim/mine.log", Self.log)
        try WorkFiles.makeLink(at: out.appending("logs"), to: "../victim")
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        #expect(folder.names("victim") == ["mine.log"])
    }

    @Test("nobody else can write to a new folder, whatever the umask is") func ownPermissions() throws {
        let before = umask(0o002)
        defer { umask(before) }
        try writeOnce("a.livepatch")
        var status = stat()
        try #require(stat(out.string, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o755)
    }

    @Test("a pipe in the report's place does not stop the program") func pipeForReport() throws {
        try WorkFiles.makeFolder(out)
        try #require(mkfifo(out.appending("report.json").string, 0o600) == 0)
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
    }

    @Test func foreignFoldersAreRefusedEvenWithForce() throws {
        try folder.write("out/precious.txt")
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        try folder.write("out/report.json", "{\"generator\": \"another\"}")
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        try folder.write("out/report.json", "no JSON")
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        #expect(folder.names("out") == ["precious.txt", "report.json"])
    }

    @Test func aReportCannotPointOutOfTheFolder() throws {
        try folder.write("victim.livepatch")
        try folder.write("out/keep.txt")
        try folder.write(
            "out/report.json", #"{"generator": "xsplice-build", "payload": {"path": "../victim.livepatch"}}"#)
        try OutputFolder.claim(out, force: true).prepare()
        try folder.write("out/report.json", #"{"generator": "xsplice-build", "payload": {"path": "keep.txt"}}"#)
        try OutputFolder.claim(out, force: true).prepare()
        #expect(folder.names() == ["out", "victim.livepatch"])
        #expect(folder.names("out") == ["keep.txt", "logs"])
    }

    @Test func whatAKilledRunLeftIsOurs() throws {
        try folder.write("out/logs/build.log", Self.log)
        try folder.write("out/logs/early.log", "")
        try folder.write("out/.a.livepatch.4711.tmp")
        try folder.write("out/.report.json.4711.tmp")
        try writeOnce("a.livepatch", force: true)
        #expect(folder.names("out") == ["a.livepatch", "logs", "report.json"])
    }

    @Test(arguments: [
        (".a.livepatch.12.tmp", true), (".a.xsplice.12.tmp", true), (".report.json.1.tmp", true), (".bashrc", false),
        (".a.txt.12.tmp", false), ("a.livepatch.12.tmp", false), (".a.livepatch.x.tmp", false),
        (".a.livepatch.12.tmp2", false),
    ])
    func temporaryNames(name: String, isOurs: Bool) { #expect(OutputFolder.isTemporary(name) == isOurs) }

    @Test func abandonedFoldersGoAway() throws {
        let output = try OutputFolder.claim(out, force: false)
        try output.prepare()
        try folder.write("out/.a.livepatch.4711.tmp")
        try folder.write("out/logs/build.log", Self.log)
        output.abandon()
        #expect(folder.names().isEmpty)
    }

    @Test func logsMayStay() throws {
        let output = try OutputFolder.claim(out, force: false)
        try output.prepare()
        try folder.write("out/logs/build.log")
        output.abandon(keepLogs: true)
        #expect(folder.names("out/logs") == ["build.log"])
    }

    @Test func aFileInTheWayIsNamed() throws {
        try folder.write("out")
        let error = #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out, force: true) }
        #expect(error?.message.contains(out.string) == true)
        #expect(throws: OutputFolderError.self) { try OutputFolder.claim(out.appending("below"), force: false) }
    }

    /// A file system without writing shows what permissions can't show to root.
    @Test func placesThatCannotBeWrittenAreRefusedEarly() {
        let error = #expect(throws: OutputFolderError.self) {
            try OutputFolder.claim("/proc/xsplice-out", force: false).prepare()
        }
        #expect(error?.message.contains("/proc/xsplice-out") == true)
    }

    @Test func aPayloadThatCannotBeWrittenLeavesNoReport() throws {
        let output = try OutputFolder.claim(out, force: false)
        try output.prepare()
        mkdir(out.appending("a.livepatch").string, 0o755)
        #expect(throws: WorkFileError.self) { try output.write(report, payloads: [.init("a.livepatch", [1])]) }
        #expect(folder.names("out") == ["a.livepatch", "logs"])
    }

    // MARK: Several targets

    /// A whole run for the targets, of which only some have a payload.
    func writeSeveral(_ targets: [String], payloadFor: Set<String>, name: String = "a.livepatch", force: Bool = false) throws {
        let output = try OutputFolder.claim(out, force: force)
        try output.prepare()
        let reports = targets.map { target in
            var report = BuildReport(tree: .init(path: "/xen", version: "4.17.5", architecture: target, format: "livepatch v2"))
            if payloadFor.contains(target) {
                report.outcome = .written
                report.payload = .init(
                    path: output.places.payloadFolder(for: target).appending(name).string, size: 1, buildID: "aa", depends: "bb", xenDepends: nil,
                    hostTool: "xen-livepatch")
            }
            return report
        }
        try output.write(RunReport(reports), payloads: targets.filter(payloadFor.contains).map { .init(name, [7], for: $0) })
    }

    @Test func eachTargetHasAFolder() throws {
        try writeSeveral(["x86_64", "arm64", "arm32"], payloadFor: ["x86_64", "arm32"])
        #expect(folder.names("out") == ["arm32", "logs", "report.json", "x86_64"])
        #expect(folder.names("out/arm32") == ["a.livepatch"] && folder.names("out/x86_64") == ["a.livepatch"])
        let report = try JSONText.decode(RunReport.self, from: WorkFiles.read(out.appending("report.json")))
        #expect(report.outcome == .refused && report.targets.map(\.tree.architecture) == ["x86_64", "arm64", "arm32"])
    }

    @Test func whatSeveralTargetsLeftIsReplacedByOne() throws {
        try writeSeveral(["x86_64", "arm64"], payloadFor: ["x86_64", "arm64"])
        try folder.write("out/x86_64/report.html", SamplePages.refused.document)
        try folder.write("out/arm64/notes.txt")
        try folder.write("out/x86_64/.a.livepatch.4711.tmp")
        #expect(throws: OutputFolderError.self) { try writeOnce("b.livepatch") }
        try writeOnce("b.livepatch", force: true)
        #expect(folder.names("out") == ["arm64", "b.livepatch", "logs", "report.json"])
        #expect(folder.names("out/arm64") == ["notes.txt"])
        try writeSeveral(["arm64"], payloadFor: ["arm64"], force: true)
        #expect(folder.names("out") == ["arm64", "logs", "report.json"])
        #expect(folder.names("out/arm64") == ["a.livepatch", "notes.txt"])
    }

    @Test func aReportOfSeveralTargetsCannotPointOutOfTheFolder() throws {
        try folder.write("victim/a.livepatch")
        try folder.write("out/other/a.livepatch")
        try folder.write("out/keep.txt")
        let targets = ["../victim", "other", "/"].map {
            #"{"tree": {"architecture": "\#($0)"}, "payload": {"path": "../victim/a.livepatch"}}"#
        }.joined(separator: ", ")
        try folder.write("out/report.json", #"{"generator": "xsplice-build", "targets": [\#(targets)]}"#)
        // A link is no folder of ours.
        symlink("../victim", out.appending("arm64").string)
        try OutputFolder.claim(out, force: true).prepare()
        #expect(folder.names("victim") == ["a.livepatch"] && folder.names("out/other") == ["a.livepatch"])
    }

    @Test func oneOfSeveralPayloadsThatCannotBeWrittenLeavesNone() throws {
        try folder.write("out/logs/x")
        try folder.write("out/report.json", #"{"generator": "xsplice-build"}"#)
        mkdir(out.appending("arm64").string, 0o755)
        mkdir(out.appending("arm64/a.livepatch").string, 0o755)
        #expect(throws: WorkFileError.self) { try writeSeveral(["x86_64", "arm64"], payloadFor: ["x86_64", "arm64"], force: true) }
        #expect(folder.names("out") == ["arm64", "logs"])
    }
}

import Diagnostics
import LivepatchBuild
import Report
import SystemPackage
import TestTools
import Testing
import WorkFiles

@testable import XspliceCommand

@Suite struct BatchCommandTests {
    private let folder: TemporaryFolder
    private var out: FilePath { folder.path.appending("out") }
    private let manifest = #"""
        { "hypervisors": [{ "name": "a", "source": "nowhere" }, { "name": "b", "source": "nowhere" }], "fixes": [{ "patches": ["p"] }] }
        """#

    init() throws { folder = try TemporaryFolder() }

    private func batch(_ manifest: String = "m.json", force: Bool = false) async -> (
        status: ProcessExit, output: String, error: String
    ) {
        let top = folder.path
        return await run(
            ["batch", top.appending(manifest).string, "-o", out.string, "--cache-dir", top.appending("cache").string] + (force ? ["--force"] : []))
    }

    private func report() throws -> BatchReport { try JSONText.decode(BatchReport.self, from: WorkFiles.read(out.appending("batch.json"))) }

    @Test(
        "a file called batch.json that no batch wrote is left alone",
        arguments: ["{}", #"{ "generator": "another", "runs": [] }"#, #"{ "generator": "xsplice-build" }"#, "words"])
    func foreignReports(text: String) async throws {
        try folder.write("m.json", manifest)
        try folder.write("out/batch.json", text)
        let ending = await batch(force: true)
        #expect(ending.status == .usage && ending.error.contains("holds no batch.json of this program"), "\(ending.error)")
        #expect(try WorkFiles.read(out.appending("batch.json")) == Array(text.utf8))
    }

    @Test func theManifestIsNeverWrittenTo() async throws {
        try folder.write("out/batch.json", manifest)
        let ending = await batch("out/batch.json", force: true)
        #expect(ending.status == .usage && ending.error.contains("its batch.json is the manifest"), "\(ending.error)")
        #expect(try WorkFiles.read(out.appending("batch.json")) == Array(manifest.utf8))
    }

    @Test("what stands in batch.json until the end is no success, and can be replaced") func interruptedBatches() throws {
        for force in [false, true] {
            _ = try BatchFolder.claim(out, manifest: folder.path.appending("m.json"), force: force)
            let report = try report()
            #expect(report.exitCode == .interrupted && report.runs.isEmpty)
        }
        #expect(throws: UsageError.self) { try BatchFolder.claim(out, manifest: folder.path.appending("m.json"), force: false) }
    }

    @Test("a build that fails leaves no payload of an earlier batch") func earlierPayloads() async throws {
        try folder.write("m.json", manifest)
        _ = try BatchFolder.claim(out, manifest: folder.path.appending("m.json"), force: false)
        var report = BuildReport(tree: .init(path: "x", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"), outcome: .written)
        report.payload = .init(path: "p.livepatch", size: 1, buildID: "00", depends: "00", xenDepends: nil, hostTool: "xen-livepatch")
        do {
            let earlier = try OutputFolder.claim(out.appending("a/p"), force: false)
            try earlier.prepare()
            try earlier.write(report, payloads: [.init("p.livepatch", [1])])
        }
        #expect(folder.names("out/a/p").contains("p.livepatch"))
        _ = await batch(force: true)
        #expect(folder.names("out/a/p") == ["output.txt"])
    }

    @Test("what an earlier batch wrote for other builds is removed, and nothing else") func leftBuilds() async throws {
        try folder.write("m.json", manifest)
        func writeEarlier(_ place: String) throws {
            var report = BuildReport(tree: .init(path: "x", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"), outcome: .written)
            report.payload = .init(path: "q.livepatch", size: 1, buildID: "00", depends: "00", xenDepends: nil, hostTool: "xen-livepatch")
            let earlier = try OutputFolder.claim(out.pushing(FilePath(place)), force: false)
            try earlier.prepare()
            try earlier.write(report, payloads: [.init("q.livepatch", [1])])
            try folder.write("out/\(place)/output.txt")
        }
        for place in ["a/q", "c/q", "d/q"] { try writeEarlier(place) }
        try folder.write("out/c/q/notes.txt")
        try folder.write("victim/q/output.txt")
        try WorkFiles.makeLink(at: out.appending("e"), to: "../victim")
        let runs = [("a", "q"), ("c", "q"), ("e", "q"), ("..", "victim")].map { hypervisor, fix in
            BatchReport.Run(fix: fix, hypervisor: hypervisor, exitCode: .written, folder: "x", payload: nil, milliseconds: 0)
        }
        try folder.write("out/batch.json", try JSONText.encode(BatchReport(runs, milliseconds: 0)))
        _ = await batch(force: true)
        #expect(folder.names("out/a") == ["p"])
        #expect(folder.names("out/c/q") == ["notes.txt"])
        #expect(folder.names("out/d/q").contains("q.livepatch"))
        #expect(folder.names("victim/q") == ["output.txt"])
    }

    @Test("a folder called output.txt is not removed") func folderForText() async throws {
        try folder.write("m.json", manifest)
        _ = try BatchFolder.claim(out, manifest: folder.path.appending("m.json"), force: false)
        try folder.write("out/a/p/output.txt/precious")
        let ending = await batch(force: true)
        #expect(ending.status == .internalFault && ending.error.contains("output.txt"), "\(ending.error)")
        #expect(folder.names("out/a/p/output.txt") == ["precious"])
    }

    @Test("options that do not go together are that build's own fault, and said as 'build' says it") func wrongHypervisors() async throws {
        try folder.write(
            "m.json",
            #"""
            { "hypervisors": [{ "name": "a", "source": "nowhere", "arch": "mips" }, { "name": "b", "source": "nowhere", "cumulative": true }],
              "fixes": [{ "patches": ["p"] }] }
            """#)
        let ending = await batch()
        #expect(ending.status == .usage && ending.error.contains("p for a: error: --arch mips: this version makes payloads for x86_64"), "\(ending.error)")
        #expect(ending.error.contains("p for b: error: payloads are applied to a running hypervisor"), "\(ending.error)")
        let alone = await run(["-s", "nowhere", "-p", "p", "-o", "out", "--arch", "mips"])
        #expect(try WorkFiles.read(out.appending("a/p/output.txt")) == Array(alone.error.utf8))
        #expect(try report().runs.map(\.exitCode) == [.usage, .usage])
    }

    @Test("without a place for the cache nothing begins") func noCache() async throws {
        try folder.write("m.json", manifest)
        let ending = await run(["batch", folder.path.appending("m.json").string, "-o", out.string], environment: [:])
        #expect(ending.status == .usage && ending.error.hasPrefix("error: no place for the cache folder: HOME is not set"), "\(ending.error)")
        #expect(folder.names() == ["m.json"])
    }

    @Test("a build whose folder can't be made stops no other") func aFolderThatCannotBeMade() async throws {
        try folder.write("m.json", manifest)
        _ = try BatchFolder.claim(out, manifest: folder.path.appending("m.json"), force: false)
        // In the way of the first one's folder.
        try folder.write("out/a")
        let ending = await batch(force: true)
        #expect(ending.status == .internalFault, "\(ending.error)")
        #expect(try report().runs.map(\.exitCode) == [.internalFault, .usage])
        #expect(ending.error.contains("p for a: error: cannot make the folder \(out)/a/p"), "\(ending.error)")
        #expect(ending.error.contains("p for b: error: ") && folder.names("out/b/p") == ["output.txt"], "\(ending.error)")
    }
}

import Diagnostics
import SystemPackage
import TestTools
import Testing

@testable import XspliceCommand

@Suite struct BuildSessionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a run that ends before it began to write leaves what is in the folder") func anEarlyEndLeavesAnEarlierRun() async throws {
        try folder.write("tree/xen/Makefile", "XEN_VERSION = 4\nXEN_SUBVERSION = 17\n")
        try folder.write("tree/xen/include/public/sysctl.h", "#define LIVEPATCH_PAYLOAD_VERSION 2\n")
        try folder.write("out/report.json", #"{"generator": "xsplice-build"}"#)
        try folder.write("out/logs/old.log")
        try folder.write("out/.a.livepatch.4711.tmp")
        let top = folder.path
        let arguments = ["-s", "tree", "-p", "fix.patch", "-o", "out", "--cache-dir", "cache"].map { $0.hasPrefix("-") ? $0 : top.appending($0).string }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await run(arguments + ["--force"])
        }
        task.cancel()
        let interrupted = await task.value
        #expect(interrupted.status == .interrupted && interrupted.error == "interrupted: no payload was written\n", "\(interrupted.error)")
        let failed = await run(arguments + ["--force"])
        #expect(failed.status == .usage && failed.error.contains("fix.patch"), "\(failed.error)")
        #expect(failed.error.contains("out still has the output of an earlier run"), "\(failed.error)")
        #expect(folder.names("out") == [".a.livepatch.4711.tmp", "logs", "report.json"] && folder.names("out/logs") == ["old.log"])
    }

    @Test(
        "a patch that does not apply leaves neither payload nor report of an earlier run, and nobody else's files are touched",
        arguments: ["--- a/xen/comon/x.c\n+++ b/xen/comon/x.c\n@@ -1 +1 @@\n-a\n+b\n", "words\n"])
    func aPatchThatDoesNotApply(patch: String) async throws {
        try folder.write("tree/xen/Makefile", "XEN_VERSION = 4\nXEN_SUBVERSION = 17\n")
        try folder.write("tree/xen/include/public/sysctl.h", "#define LIVEPATCH_PAYLOAD_VERSION 2\n")
        let report = #"{"generator": "xsplice-build", "outcome": "written", "payload": {"path": "elsewhere/a.livepatch"}}"#
        for (name, text) in [("report.json", report), ("a.livepatch", "old"), ("mine.txt", "mine"), ("logs/old.log", "")] {
            try folder.write("out/\(name)", text)
        }
        try folder.write("fix.patch", patch)
        let words = ["-s", "tree", "-p", "fix.patch", "-o", "out", "--cache-dir", "cache"].map { $0.hasPrefix("-") ? $0 : folder.path.appending($0).string }
        let refused = await run(words)
        #expect(refused.status == .usage && folder.names("out") == ["a.livepatch", "logs", "mine.txt", "report.json"])
        let failed = await run(words + ["--force"])
        #expect(failed.status == .patchDoesNotApply, "\(failed.error)")
        #expect(folder.names("out") == ["mine.txt"])
    }
}

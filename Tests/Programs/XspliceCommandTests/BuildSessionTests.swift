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
        #expect(folder.names("out") == [".a.livepatch.4711.tmp", "logs", "report.json"] && folder.names("out/logs") == ["old.log"])
    }
}

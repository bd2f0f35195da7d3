import Diagnostics
import Report

/// A run that went well, with figures made up.
enum Examples {
    static var written: BuildReport {
        var report = BuildReport(
            tree: .init(path: "/src/xen", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"),
            outcome: .written)
        report.hypervisor = .init(
            xenSyms: "/build/xen-syms", buildID: "bb359fb422930011223344556677889904ab04ab", builtHere: false)
        report.patch = .init(
            sources: ["/patches/xsa-500.patch"],
            files: [.init(path: "xen/common/grant_table.c", change: .modified, linesAdded: 15, linesRemoved: 0)],
            leftOut: ["docs/misc/grants.md"], movedHunks: 2)
        report.compile = .init(objects: 467, concerned: 1, compiled: 2, fromCache: 0, compiler: "gcc 12.2.0")
        report.comparison = .init(same: 41, changed: 1, new: 1, refused: 0)
        report.original = .init(replaced: 1, equal: 1)
        report.functions = [
            .init(
                name: "acquire_grant_for_copy", file: "common/grant_table.c", line: 2510, oldSize: 1904, newSize: 2041,
                status: .changed),
            .init(name: "helper", file: "common/grant_table.c", oldSize: nil, newSize: 96, status: .new),
        ]
        report.data = [
            .init(name: "count", file: "common/grant_table.c", size: 4, writable: true, status: .new)
        ]
        report.references = ["domain_crash", "printk"]
        report.specialEntries = [
            .init(kind: "bug frame", section: ".bug_frames.0", count: 2),
            .init(kind: "bug frame", section: ".bug_frames.2", count: 1),
            .init(kind: "exception entry", section: ".ex_table", count: 2),
        ]
        report.payload = .init(
            path: "out/xsa-500.livepatch", size: 7312, buildID: "91c30000000000000000000000000000000e07a0",
            depends: "bb359fb422930011223344556677889904ab04ab", xenDepends: "bb359fb422930011223344556677889904ab04ab",
            hostTool: "xen-livepatch")
        report.diagnostics = [
            Diagnostic(.hunkOffset, .note, location: .init(file: "xen/common/grant_table.c", line: 12), message: "moved")
        ]
        report.timings = [.init(stage: "patch", milliseconds: 12)]
        return report
    }
}

import Diagnostics
import LivepatchBuild
import Report
import SystemPackage
import WorkFiles

/// The folder of a batch: `batch.json`, and a folder for each hypervisor.
struct BatchFolder: Sendable {
    static let textName = "output.txt"
    static let reportName = "batch.json"

    let path: FilePath
    /// Keeps other runs out of the folder; nil where the file system has no such locks.
    private let lock: FileLock?

    var report: FilePath { path.appending(Self.reportName) }
    var isLocked: Bool { lock != nil }

    /// Makes the folder and keeps other runs out of it. A folder that is not empty must be that of an earlier batch, and then needs `force`.
    ///
    /// - Parameter manifest: the batch's manifest. A folder whose `batch.json` is this file is refused, so that it is never overwritten.
    static func claim(_ path: FilePath, manifest: FilePath, force: Bool) throws -> BatchFolder {
        let report = path.appending(reportName)
        if let kind = try WorkFiles.kind(of: path) {
            guard kind != .symbolicLink || WorkFiles.exists(path) else { throw UsageError("output folder \(path): is a link to nothing") }
            guard kind == .folder || WorkFiles.isFolder(path) else { throw UsageError("output folder \(path): is not a folder") }
        }
        try WorkFiles.makeFolder(path)
        let lock = try OutputFolder.lock(path)
        let names = try WorkFiles.names(in: path)
        if !names.isEmpty {
            if let report = WorkFiles.resolved(report), report == WorkFiles.resolved(manifest) {
                throw UsageError(
                    "output folder \(path): its \(reportName) is the manifest", help: "name a folder that is empty or does not exist yet")
            }
            guard isOurs(report) else {
                throw UsageError(
                    "output folder \(path): is not empty, and holds no \(reportName) of this program", help: "name a folder that is empty or does not exist yet"
                )
            }
            guard force else {
                throw UsageError("output folder \(path): has the output of an earlier batch", help: "--force replaces it; or name another folder")
            }
        }
        // Written first, so that an interrupted batch can be started again.
        try WorkFiles.writeAtomically(Array(JSONText.encode(BatchReport.begun).utf8), to: report)
        return BatchFolder(path: path, lock: lock)
    }

    /// The fields that identify a report of this program's batches, whatever the schema of the rest.
    private struct Marker: Decodable {
        struct Run: Decodable {}
        var generator: String
        var runs: [Run]
    }

    private static func isOurs(_ report: FilePath) -> Bool {
        guard let bytes = try? WorkFiles.read(report), let marker = try? JSONText.decode(Marker.self, from: bytes) else { return false }
        return marker.generator == BuildReport.generatorName
    }
}

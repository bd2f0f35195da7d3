import Diagnostics
import LivepatchBuild
import Report
import SignOff
import SystemPackage
import WorkFiles

/// The folder of a batch: `batch.json`, and a folder for each hypervisor.
struct BatchFolder: Sendable {
    static let textName = "output.txt"
    static let reportName = "batch.json"
    /// The page that leads to those of the builds.
    static let indexName = "index.html"

    let path: FilePath
    /// Keeps other runs out of the folder; nil where the file system has no such locks.
    private let lock: FileLock?

    var report: FilePath { path.appending(Self.reportName) }
    var index: FilePath { path.appending(Self.indexName) }

    /// Whether a build has left a page in its folder.
    func hasPage(_ run: BatchReport.Run) -> Bool {
        WorkFiles.isReadableFile(path.appending(run.hypervisor).appending(run.fix).appending(SignOffPage.fileName))
    }

    var isLocked: Bool { lock != nil }

    /// Makes the folder and keeps other runs out of it. A folder that is not empty must be that of an earlier batch, and then needs `force`.
    ///
    /// - Parameters:
    ///   - manifest: the batch's manifest. A folder whose `batch.json` is this file is refused, so that it is never overwritten.
    ///   - cells: the folders of its builds. With `force`, what an earlier batch wrote to others is removed.
    static func claim(_ path: FilePath, manifest: FilePath, cells: Set<String> = [], force: Bool) throws -> BatchFolder {
        let report = path.appending(reportName)
        if let kind = try WorkFiles.kind(of: path) {
            guard kind != .symbolicLink || WorkFiles.exists(path) else { throw UsageError("output folder \(path): is a link to nothing") }
            guard kind == .folder || WorkFiles.isFolder(path) else { throw UsageError("output folder \(path): is not a folder") }
        }
        try WorkFiles.makeFolder(path)
        try OutputFolder.checkTrust(path)
        let lock = try OutputFolder.lock(path)
        let names = try WorkFiles.names(in: path)
        if !names.isEmpty {
            if let report = WorkFiles.resolved(report), report == WorkFiles.resolved(manifest) {
                throw UsageError(
                    "output folder \(path): its \(reportName) is the manifest", help: "name a folder that is empty or does not exist yet")
            }
            guard let earlier = marker(report) else {
                throw UsageError(
                    "output folder \(path): is not empty, and holds no \(reportName) of this program", help: "name a folder that is empty or does not exist yet"
                )
            }
            guard force else {
                throw UsageError("output folder \(path): has the output of an earlier batch", help: "--force replaces it; or name another folder")
            }
            for run in earlier.runs { removeOutput(of: run, in: path, unless: cells) }
            let index = path.appending(indexName)
            if OutputFolder.isOurPage(index) { try? WorkFiles.removeFile(index) }
            guard !WorkFiles.exists(index) else {
                throw UsageError("output folder \(path): its \(indexName) is not of this program", help: "rename it, or name another folder")
            }
        }
        // Written first, so that an interrupted batch can be started again.
        try WorkFiles.writeAtomically(Array(JSONText.encode(BatchReport.begun).utf8), to: report)
        return BatchFolder(path: path, lock: lock)
    }

    /// The fields that identify a report of this program's batches, whatever the schema of the rest.
    private struct Marker: Decodable {
        struct Run: Decodable {
            var fix, hypervisor: String
        }
        var generator: String
        var runs: [Run]
    }

    /// nil for a file that is not this program's.
    private static func marker(_ report: FilePath) -> Marker? {
        guard let bytes = try? WorkFiles.read(report, limit: OutputFolder.reportLimit), let marker = try? JSONText.decode(Marker.self, from: bytes),
            marker.generator == BuildReport.generatorName
        else { return nil }
        return marker
    }

    /// Removes what a build of an earlier batch wrote: this batch does not replace it, and its payload would pass for one of this batch.
    private static func removeOutput(of run: Marker.Run, in path: FilePath, unless cells: Set<String>) {
        guard !cells.contains("\(run.hypervisor)/\(run.fix)"), BatchManifest.isFolderName(run.hypervisor), BatchManifest.isFolderName(run.fix) else { return }
        let hypervisor = path.appending(run.hypervisor), fix = hypervisor.appending(run.fix)
        for folder in [hypervisor, fix] {
            guard case .folder? = try? WorkFiles.kind(of: folder) else { return }
        }
        try? WorkFiles.removeFile(fix.appending(textName))
        OutputFolder.removeEarlierOutput(in: fix)
        try? WorkFiles.removeEmptyFolder(hypervisor)
    }
}

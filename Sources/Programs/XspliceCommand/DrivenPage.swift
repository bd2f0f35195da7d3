import LivepatchBuild
import Report
import SignOff
import SystemPackage
import TestDrive
import WorkFiles

/// The page of a build, to which a test drive adds what it showed.
struct DrivenPage: Sendable {
    private let path: FilePath
    private let document: String
    private let payloads: [(name: String, digest: String)]

    /// Reads the page of a build, before anything boots: a mistake here must not cost the drive.
    ///
    /// - Parameters:
    ///   - folder: the build's output folder.
    ///   - payloads: the payloads that will be driven. The build's own must be among them, byte for byte.
    /// - Throws: `UsageError` when the folder has no such page, or its payload is not driven; `InputError` for a file that can't be read.
    init(in folder: FilePath, payloads: [String]) throws {
        let driven = try payloads.map { (name: $0, bytes: try InputFile.read(FilePath($0))) }
        let reports = try BuildReport.readAll(of: folder), places = OutputPlaces(top: folder)
        let own = try reports.compactMap { report -> FilePath? in
            guard let name = report.payload.flatMap({ FilePath($0.path).lastComponent?.string }) else { return nil }
            let place = places.payloadFolder(for: reports.count > 1 ? report.tree.architecture : nil), bytes = try InputFile.read(place.appending(name))
            return driven.contains { $0.bytes == bytes } ? place : nil
        }
        guard let place = own.first else {
            throw UsageError("--report \(folder): none of the payloads to drive is the one that this build made", help: "give the payload of that folder")
        }
        path = place.appending(SignOffPage.fileName)
        guard WorkFiles.isReadableFile(path) else {
            throw UsageError("--report \(folder): has no \(SignOffPage.fileName)", help: "build it again, without --no-html")
        }
        document = String(decoding: try WorkFiles.read(path, limit: OutputFolder.reportLimit), as: UTF8.self)
        self.payloads = driven.map { ($0.name, Metadata.digest(of: $0.bytes)) }
        guard section(nil).added(to: document) != nil else { throw UsageError("\(path): is not a page of this version of xsplice-build") }
    }

    /// Writes the page with the result on it.
    ///
    /// - Throws: `WorkFileError`.
    func add(_ result: TestDriveResult) throws {
        guard let driven = section(result).added(to: document) else { return }
        try WorkFiles.writeAtomically(Array(driven.utf8), to: path)
    }

    private func section(_ result: TestDriveResult?) -> TestDriveSection {
        let steps = result?.steps ?? []
        return TestDriveSection(
            isGood: result?.verdict == .good, verdict: result.map { TestDriveText.words($0.verdict) } ?? "",
            steps: steps.filter { $0.question == nil }.map { ($0.title, $0.isGood) },
            answers: steps.compactMap { step in step.question.map { ($0.command, $0.moment, step.output) } }, payloads: payloads, console: result?.log ?? "")
    }
}

import LivepatchBuild
import Report
import SignOff
import SystemPackage
import TestDrive
import WorkFiles

/// The page of a build, to which a test drive adds what it showed.
struct DrivenPage: Sendable {
    private let folder: FilePath
    private let driven: [(name: String, bytes: [UInt8])]

    /// Reads the page of a build, before anything boots: a mistake here must not cost the drive.
    ///
    /// - Parameters:
    ///   - folder: the build's output folder.
    ///   - payloads: the payloads that will be driven. The build's own must be among them, byte for byte.
    /// - Throws: `UsageError` when the folder has no such page, or its payload is not driven; `InputError` for a file that can't be read.
    init(in folder: FilePath, payloads: [String]) throws {
        self.folder = folder
        driven = try payloads.map { (name: $0, bytes: try InputFile.read(FilePath($0))) }
        _ = try page(with: nil)
    }

    /// Writes the page with the result on it.
    ///
    /// - Throws: the errors of `init`, when another build took the folder in the meantime; `WorkFileError`.
    func add(_ result: TestDriveResult) throws {
        let page = try page(with: result)
        try WorkFiles.writeAtomically(Array(page.document.utf8), to: page.path)
    }

    /// The page as it is now, with a result.
    private func page(with result: TestDriveResult?) throws -> (path: FilePath, document: String) {
        let reports = try BuildReport.readAll(of: folder), places = OutputPlaces(top: folder)
        let own = try reports.compactMap { report -> FilePath? in
            guard let name = report.payload.flatMap({ FilePath($0.path).lastComponent?.string }) else { return nil }
            let place = places.payloadFolder(for: reports.count > 1 ? report.tree.architecture : nil), bytes = try InputFile.read(place.appending(name))
            return driven.contains { $0.bytes == bytes } ? place : nil
        }
        guard let place = own.first else {
            throw UsageError("--report \(folder): none of the payloads to drive is the one that this build made", help: "give the payload of that folder")
        }
        let path = place.appending(SignOffPage.fileName)
        guard WorkFiles.isReadableFile(path) else {
            throw UsageError("--report \(folder): has no \(SignOffPage.fileName)", help: "build it again, without --no-html")
        }
        let document = String(decoding: try WorkFiles.read(path, limit: OutputFolder.reportLimit), as: UTF8.self)
        guard let added = section(result).added(to: document) else { throw UsageError("\(path): is not a page of this version of xsplice-build") }
        return (path, added)
    }

    private func section(_ result: TestDriveResult?) -> TestDriveSection {
        let steps = result?.steps ?? []
        return TestDriveSection(
            isGood: result?.verdict == .good, verdict: result.map { TestDriveText.words($0.verdict) } ?? "",
            steps: steps.filter { $0.question == nil }.map { ($0.title, $0.isGood) },
            answers: steps.compactMap { step in step.question.map { ($0.command, $0.moment, step.output) } },
            payloads: driven.map { ($0.name, Metadata.digest(of: $0.bytes)) }, console: result?.log ?? "")
    }
}

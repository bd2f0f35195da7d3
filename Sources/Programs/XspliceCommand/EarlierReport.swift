import ELFModel
import LivepatchBuild
import Report
import SystemPackage
import WorkFiles

extension BuildReport {
    /// Reads the reports of all targets that an earlier run left.
    ///
    /// - Parameter path: the run's output folder, or its `report.json`.
    /// - Throws: `InputError` for a file that can't be read; `UsageError` for one that is no report of this version.
    static func readAll(of path: FilePath) throws -> [BuildReport] {
        let file = WorkFiles.isFolder(path) ? OutputFolder.report(in: path) : path
        let bytes = try InputFile.read(file)
        if let one = try? JSONText.decode(BuildReport.self, from: bytes), one.isOfThisVersion { return [one] }
        if let several = try? JSONText.decode(RunReport.self, from: bytes), several.targets.allSatisfy(\.isOfThisVersion) { return several.targets }
        if bytes.starts(with: ELF.magic) {
            throw UsageError("\(file) is a payload, not a report", help: "name the output folder of the run that made it")
        }
        throw UsageError(
            "\(file) is no report.json of this version of the program", help: "name the output folder of a run; an older run has to be made again")
    }

    private var isOfThisVersion: Bool { generator == Self.generatorName && schemaVersion == Self.currentSchema }
}

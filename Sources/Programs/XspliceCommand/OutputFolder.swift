import Diagnostics
import LivepatchBuild
import Report
import SignOff
import SystemPackage
import WorkFiles
import XenBuild
import XenVersions

/// An output folder that can't be used.
package struct OutputFolderError: ExplainedError, Equatable {
    package var message: String
    package var help: String?
    package var exitCode: ExitStatus

    init(_ message: String, help: String? = nil, exitCode: ExitStatus = .usage) {
        self.message = message
        self.help = help
        self.exitCode = exitCode
    }
}

/// The folder of option `-o`: the payload, `report.json`, `logs/`; with several targets as `OutputPlaces` names them.
///
/// A folder that is not empty is refused, unless an earlier run made it and `--force` is given. Even then the program removes only the
/// files that the earlier run wrote. Each file appears whole or not at all, and the payload last.
package struct OutputFolder: Sendable {
    package let places: OutputPlaces
    /// The folders that this run made for itself, the deepest first; empty when the output folder was there.
    private let made: [FilePath]
    /// Keeps other runs out of the folder; nil where the file system has no such locks.
    private let lock: FileLock?
    /// Whether this run keeps what it works with in `work/`.
    private let keepsWork: Bool

    private var path: FilePath { places.top }
    package var report: FilePath { path.appending(Self.reportName) }

    /// The run's page: that of its target, or one that leads to those of several.
    package var page: FilePath { path.appending(SignOffPage.fileName) }

    private static let reportName = "report.json"
    /// In bytes.
    static let reportLimit = 256 << 20
    /// A file in `work/` that shows that a run of this program made that folder.
    private static let workMarker = "made-by-xsplice-build"
    /// Everything that a run puts there.
    private static let workNames = ["original", "patched", "objects"]

    /// The path of a run's report in that folder.
    static func report(in folder: FilePath) -> FilePath { folder.appending(reportName) }

    /// Whether this run has the folder alone.
    var isLocked: Bool { lock != nil }

    /// What to say of a folder that can't be locked.
    static func unlocked(_ path: FilePath, style: TextStyle) -> String {
        "\(style.shown(path.string)) can't be locked on its file system: make sure that no other run writes there"
    }

    /// Checks whether the folder may be used, makes it if it is missing, and keeps other runs out of it. Writes nothing into it.
    package static func claim(_ path: FilePath, force: Bool, keepsWork: Bool = false) throws(OutputFolderError) -> OutputFolder {
        var missing: [FilePath] = []
        if !WorkFiles.exists(path) {
            if case .symbolicLink? = try? WorkFiles.kind(of: path) {
                throw OutputFolderError("output folder \(path): is a link to nothing", help: "remove the link, make what it leads to, or name another folder")
            }
            // Check the deepest existing folder above: the new folders are made in it.
            missing = missingFolders(path)
            let parent = missing.last?.removingLastComponent() ?? "", above = parent.isEmpty ? "." : parent
            guard WorkFiles.isFolder(above) else {
                throw OutputFolderError("cannot make the output folder \(path): \(above) is not a folder")
            }
            try checkWritable(above, for: path)
            try makeFolders(path)
        }
        guard WorkFiles.isFolder(path) else { throw OutputFolderError("output folder \(path): is not a folder") }
        try checkTrust(path)
        try checkWritable(path, for: path)
        let lock = try lock(path)
        let names = try listing(path)
        for name in [OutputPlaces.logsName, OutputPlaces.workName] where names.contains(name) { try checkPart(path.appending(name)) }
        guard names.isEmpty || isOurs(path, names: names) else {
            throw OutputFolderError(
                "output folder \(path): is not empty, and holds no report.json of this program",
                help: "name a folder that is empty or does not exist yet")
        }
        guard names.isEmpty || force else {
            throw OutputFolderError(
                "output folder \(path): has the output of an earlier run",
                help: "--force replaces it; or name another folder")
        }
        // A page of somebody else's has that name only by chance.
        guard !names.contains(SignOffPage.fileName) || isOurPage(path.appending(SignOffPage.fileName)) else {
            throw OutputFolderError(
                "output folder \(path): its \(SignOffPage.fileName) is not of this program", help: "rename it, or name another output folder")
        }
        let places = OutputPlaces(top: path)
        guard !keepsWork || !names.contains(OutputPlaces.workName) || isOurWork(places.work) else {
            throw OutputFolderError(
                "output folder \(path): no run of this program made its 'work'", help: "rename it, name another output folder, or leave out --keep-work")
        }
        // Another run may have made the folder at the same moment, and ended. Then it is not this run's to remove.
        return OutputFolder(places: places, made: names.isEmpty ? missing : [], lock: lock, keepsWork: keepsWork)
    }

    /// Refuses an output folder that somebody else can change: he could put a link in a file's place, and another payload in this run's.
    static func checkTrust(_ path: FilePath) throws(OutputFolderError) {
        let access: ForeignAccess?
        do throws(WorkFileError) {
            access = try WorkFiles.foreignAccess(to: WorkFiles.resolved(path) ?? path)
        } catch {
            throw OutputFolderError(error.message, help: error.help, exitCode: error.exitCode)
        }
        guard let access else { return }
        throw OutputFolderError("output folder \(path): it \(access)", help: "name a folder of your own that nobody else can write to")
    }

    /// The same for a folder in an output folder, which must be a folder and no link to one.
    static func checkPart(_ folder: FilePath) throws(OutputFolderError) {
        switch try? WorkFiles.kind(of: folder) {
        case .folder: try checkTrust(folder)
        case .symbolicLink: throw OutputFolderError("\(folder): is a link", help: "remove it, or name another output folder")
        default: break
        }
    }

    /// Keeps other runs out of an output folder, for as long as the lock lives.
    ///
    /// - Returns: nil where folders can't be locked.
    /// - Throws: `OutputFolderError` when another run has the folder.
    static func lock(_ path: FilePath) throws(OutputFolderError) -> FileLock? {
        do throws(WorkFileError) {
            switch try FolderLock.tryAcquire(path) {
            case .taken(let lock): return lock
            case .notPossible: return nil
            case .busy: break
            }
        } catch {
            throw OutputFolderError(error.message, help: error.help, exitCode: error.exitCode)
        }
        throw OutputFolderError("output folder \(path): another run is writing to it", help: "wait until it has ended, or name another folder")
    }

    /// The folder and those above it that do not exist, the deepest first.
    private static func missingFolders(_ path: FilePath) -> [FilePath] {
        var missing: [FilePath] = [], folder = path.lexicallyNormalized()
        while !folder.isEmpty, !WorkFiles.exists(folder) {
            missing.append(folder)
            guard folder.removeLastComponent() else { break }
        }
        return missing
    }

    /// Removes the folders that `claim` made, where they are empty: for a run that ends before it wrote anything.
    func release() { for folder in made { try? WorkFiles.removeEmptyFolder(folder) } }

    /// Prepares the folder: removes the files of an earlier run, and creates the folder and its `logs/`.
    ///
    /// From here on the folder never holds a payload of another run, however this run ends.
    package func prepare() throws(OutputFolderError) {
        try removeEarlierOutput()
        try Self.makeFolders(path)
        try Self.makeFolders(places.logs)
        try Self.checkPart(places.logs)
        if keepsWork {
            try Self.makeFolders(places.work)
            try Self.checkPart(places.work)
            do throws(WorkFileError) {
                try WorkFiles.writeAtomically([], to: places.work.appending(Self.workMarker))
            } catch {
                throw OutputFolderError(error.message, help: error.help, exitCode: error.exitCode)
            }
        }
    }

    /// Whether the report of an earlier run is there.
    var hasEarlierOutput: Bool { made.isEmpty && WorkFiles.isReadableFile(report) }

    /// Removes what an earlier run wrote. `claim` has made sure that the user wants that.
    package func removeEarlierOutput() throws(OutputFolderError) {
        let names = made.isEmpty ? try Self.listing(path) : []
        if names.contains(Self.reportName) { try Self.removeEarlierFiles(in: path) }
        for name in names where Self.isTemporary(name) { try? WorkFiles.removeFile(path.appending(name)) }
        removeLogs()
        removeWork()
        // Remove the report last: it identifies the folder as ours.
        if names.contains(Self.reportName) { try? WorkFiles.removeFile(report) }
    }

    /// Removes the logs that runs wrote, and the folders that are empty then. Leaves files that somebody else put there.
    private func removeLogs() {
        guard case .folder? = try? WorkFiles.kind(of: places.logs) else { return }
        var folders = [places.logs]
        try? WorkFiles.walk(places.logs) { path, kind in
            if kind == .folder { folders.append(places.logs.appending(path)) }
            if CommandLog.isOne(places.logs.appending(path), kind) { try? WorkFiles.removeFile(places.logs.appending(path)) }
            return true
        }
        for folder in folders.reversed() { try? WorkFiles.removeEmptyFolder(folder) }
    }

    /// Whether `logs/` holds nothing but what runs wrote.
    private static func areOurLogs(_ logs: FilePath) -> Bool {
        var areOurs = true
        do {
            guard case .folder? = try WorkFiles.kind(of: logs) else { return false }
            try WorkFiles.walk(logs) { path, kind in
                if kind != .folder, !CommandLog.isOne(logs.appending(path), kind) { areOurs = false }
                return areOurs
            }
        } catch {
            return false
        }
        return areOurs
    }

    /// Removes what an earlier run wrote to a folder, and the folder if it is empty then. Does nothing to a folder that is not ours.
    static func removeEarlierOutput(in path: FilePath) {
        guard case .folder? = try? WorkFiles.kind(of: path), let earlier = try? claim(path, force: true) else { return }
        try? earlier.removeEarlierOutput()
        try? WorkFiles.removeEmptyFolder(path)
    }

    /// Removes what a run kept in `work/`. Leaves a `work` that no run made, and files that somebody else put into it.
    private func removeWork() {
        guard Self.isOurWork(places.work) else { return }
        for name in Self.workNames { try? WorkFiles.remove(places.work.appending(name)) }
        try? WorkFiles.removeFile(places.work.appending(Self.workMarker))
        try? WorkFiles.removeEmptyFolder(places.work)
    }

    private static func isOurWork(_ work: FilePath) -> Bool {
        guard case .folder? = try? WorkFiles.kind(of: work), case .regular? = try? WorkFiles.kind(of: work.appending(workMarker)) else { return false }
        return true
    }

    /// The names of what this run kept in `work/`.
    var keptNames: [String] { keepsWork ? Self.workNames.filter { WorkFiles.isFolder(places.work.appending($0)) } : [] }

    /// One payload file of a run.
    package struct PayloadFile: Sendable, Equatable {
        /// The architecture in a run for several targets; see `OutputPlaces.payloadFolder`.
        package var target: String?
        package var name: String
        package var bytes: [UInt8]

        package init(_ name: String, _ bytes: [UInt8], for target: String? = nil) {
            self.target = target
            self.name = name
            self.bytes = bytes
        }
    }

    /// A page to write. Its target is the architecture in a run for several targets; nil in a run for one.
    package struct PageFile: Sendable, Equatable {
        package var target: String?
        package var document: String

        package init(_ document: String, for target: String? = nil) { (self.document, self.target) = (document, target) }
    }

    /// Writes the report first, then the pages, and then the payloads.
    ///
    /// - Throws: `WorkFileError`, `JSONTextError`, `OutputFolderError`. After an error nothing of these is there.
    package func write(_ report: some Encodable, payloads: [PayloadFile] = [], pages: [PageFile] = []) throws {
        let text = try JSONText.encode(report)
        let files =
            pages.map { (target: $0.target, name: SignOffPage.fileName, bytes: Array($0.document.utf8)) }
            + payloads.map { (target: $0.target, name: $0.name, bytes: $0.bytes) }
        try WorkFiles.writeAtomically(Array(text.utf8), to: self.report)
        var written: [FilePath] = []
        do {
            for file in files {
                let folder = places.payloadFolder(for: file.target)
                try Self.makeFolders(folder)
                try WorkFiles.writeAtomically(file.bytes, to: folder.appending(file.name))
                written.append(folder.appending(file.name))
            }
        } catch {
            for file in written + [self.report] { try? WorkFiles.removeFile(file) }
            for target in files.compactMap(\.target) { try? WorkFiles.removeEmptyFolder(places.payloadFolder(for: target)) }
            throw error
        }
    }

    /// After an interruption or a fault: removes temporary files and empty logs. Removes the folders that this run made, where they are empty.
    package func abandon(keepLogs: Bool = false) {
        for name in (try? Self.listing(path)) ?? [] where Self.isTemporary(name) { try? WorkFiles.removeFile(path.appending(name)) }
        if !keepLogs {
            removeLogs()
            removeWork()
        }
        try? WorkFiles.removeEmptyFolder(places.logs)
        release()
    }

    // MARK: Looking

    private static func checkWritable(_ folder: FilePath, for path: FilePath) throws(OutputFolderError) {
        do throws(WorkFileError) {
            try WorkFiles.checkWritable(folder)
        } catch {
            throw OutputFolderError(
                "cannot write to the output folder \(path): \(error.errno.description)", help: "name a folder that you may write to")
        }
    }

    private static func listing(_ path: FilePath) throws(OutputFolderError) -> [String] {
        do {
            return try WorkFiles.names(in: path)
        } catch {
            throw OutputFolderError("cannot read the output folder \(path)")
        }
    }

    /// A folder is ours if it has our report, or if it has only the files that a killed run leaves.
    private static func isOurs(_ path: FilePath, names: [String]) -> Bool {
        if names.contains(reportName) { return earlierReport(in: path) != nil }
        return names.allSatisfy {
            ($0 == OutputPlaces.logsName && areOurLogs(path.appending($0))) || ($0 == OutputPlaces.workName && isOurWork(path.appending($0))) || isTemporary($0)
        }
    }

    /// The fields that identify a report as ours, whatever the schema of the rest.
    private struct Marker: Decodable {
        struct Payload: Decodable { var path: String }
        struct Tree: Decodable { var architecture: String }
        struct Target: Decodable {
            var tree: Tree
            var payload: Payload?
        }
        var generator: String
        var payload: Payload?
        /// Only in the report of a run for several targets.
        var targets: [Target]?
    }

    private static func earlierReport(in path: FilePath) -> Marker? {
        guard let bytes = try? WorkFiles.read(path.appending(reportName), limit: reportLimit),
            let marker = try? JSONText.decode(Marker.self, from: bytes), marker.generator == BuildReport.generatorName
        else { return nil }
        return marker
    }

    /// Removes the pages and payloads that an earlier report names. Only the last component of each path counts, and only known architectures have a
    /// folder, so that no report can make the program delete other files.
    private static func removeEarlierFiles(in path: FilePath) throws(OutputFolderError) {
        guard let report = earlierReport(in: path) else { return }
        try? WorkFiles.removeFile(path.appending(SignOffPage.fileName))
        func remove(_ payload: Marker.Payload?, in folder: FilePath) {
            guard let name = payload.flatMap({ FilePath($0.path).lastComponent?.string }), isPayloadName(name) else { return }
            try? WorkFiles.removeFile(folder.appending(name))
        }
        remove(report.payload, in: path)
        for target in report.targets ?? [] {
            guard let architecture = Architectures.named(target.tree.architecture) else { continue }
            let folder = path.appending(architecture.name)
            guard case .folder? = try? WorkFiles.kind(of: folder) else { continue }
            remove(target.payload, in: folder)
            if isOurPage(folder.appending(SignOffPage.fileName)) { try? WorkFiles.removeFile(folder.appending(SignOffPage.fileName)) }
            for name in try listing(folder) where isTemporary(name) { try? WorkFiles.removeFile(folder.appending(name)) }
            try? WorkFiles.removeEmptyFolder(folder)
        }
    }

    /// Whether a page was made by this program; false for a file that is not there.
    static func isOurPage(_ page: FilePath) -> Bool {
        guard let bytes = try? WorkFiles.read(page, limit: reportLimit) else { return false }
        return SignOffPage.isOne(bytes)
    }

    private static func isPayloadName(_ name: String) -> Bool {
        PayloadABI.Format.allCases.contains { name.hasSuffix("." + $0.rawValue) }
    }

    /// Whether a file has a name as `WorkFiles.writeAtomically` makes it, `.NAME.NUMBER.tmp`, and NAME is a report's or a payload's.
    static func isTemporary(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts[0].isEmpty, parts[parts.count - 1] == "tmp",
            Int(parts[parts.count - 2]) != nil
        else { return false }
        let original = parts[1..<parts.count - 2].joined(separator: ".")
        return original == reportName || original == SignOffPage.fileName || isPayloadName(original)
    }

    // MARK: Changing

    private static func makeFolders(_ path: FilePath) throws(OutputFolderError) {
        // If something else has this name, the next write fails and names it.
        guard !WorkFiles.exists(path) else { return }
        do throws(WorkFileError) {
            // Nobody else may write there, whatever the umask is: the next run would refuse the folder.
            try WorkFiles.makeFolder(path)
        } catch {
            throw OutputFolderError(error.message, exitCode: error.exitCode)
        }
    }
}

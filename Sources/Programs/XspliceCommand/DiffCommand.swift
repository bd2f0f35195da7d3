import ArgumentParser
import Diagnostics
import LivepatchBuild
import ObjectDiff
import Report
import SignOff
import SystemPackage
import WorkFiles
import XenBuild
import XenVersions

/// `diff`: shows the differences between two objects, or between the objects of two folders, and makes no payload.
struct DiffCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say which functions and data differ between two objects, or two folders of objects.",
        discussion: """
            Objects of two folders are paired by their paths. Files of other kinds, and objects that a linker has put together from \
            several, are not looked at.

            The exit code is \(ProcessExit.same.code) when nothing differs, \(ProcessExit.different.code) when something does, \
            \(ProcessExit.cannotBeLivePatched.code) when a difference can't be live-patched or an object has no machine code to compare, \
            \(ExitStatus.usage.rawValue) for files that are no objects, and \(ProcessExit.trouble.code) for any other trouble.
            """)

    @Argument(help: ArgumentHelp("The object compiled from the original source, or a folder.", valueName: "original"))
    var original: String

    @Argument(help: ArgumentHelp("The object compiled from the patched source, or a folder.", valueName: "patched"))
    var patched: String

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Also show the instructions of the functions that differ, side by side, with what they refer to by name.")
    var show = false

    @Option(help: ArgumentHelp("Also write a page with all of it.", valueName: "file"))
    var html: String?

    @Option(
        help: ArgumentHelp(
            "The version of Xen that the objects belong to: it decides the layout of special sections.", valueName: "version"))
    var xenVersion = "4.17"

    @Option(name: .shortAndLong, help: ArgumentHelp("How many objects to compare at a time.", valueName: "n"))
    var jobs: Int?

    func validate() throws {
        try checkJobs(jobs)
        if json, show { throw ValidationError("--show is for people: it can't be used with --json") }
        if html?.isEmpty == true { throw ValidationError("--html is given an empty name") }
    }

    func run(on console: Console) async throws -> ProcessExit {
        guard let version = XenVersion(text: xenVersion) else {
            throw UsageError("--xen-version takes two numbers, as in 4.17, not '\(xenVersion)'")
        }
        let page = try html.map(OutputFile.page)
        var comparer = DiffComparer(version: version)
        let (from, to) = (FilePath(original), FilePath(patched))
        switch (WorkFiles.isFolder(from), WorkFiles.isFolder(to)) {
        case (true, true):
            // Some of a hypervisor's boot code may be for another machine than the hypervisor itself.
            comparer.foreign = Architectures.known.first
            return try await compareFolders(from, to, with: comparer, page, on: console)
        case (false, false):
            let compared = try comparer.compare(from, to), comparison = compared.comparison
            let text = json ? try JSONText.encode(comparison, subject: original) : ListingText.render(comparison, style: console.outputStyle)
            try await conclude([compared], text, page, on: console)
            return Self.ending([comparison])
        default:
            // The one that is no folder may not be there at all.
            _ = try InputFile.read(WorkFiles.isFolder(from) ? to : from)
            throw UsageError("\(original) and \(patched): compare two objects, or two folders")
        }
    }

    var fault: ProcessExit { .trouble }

    /// The exit code for these objects. Differences that do not run, and notes, are no differences.
    static func ending(_ objects: [ObjectComparison]) -> ProcessExit {
        if objects.contains(where: { $0.diagnostics.contains { $0.severity == .error } }) { return .cannotBeLivePatched }
        return objects.contains(where: \.isDifferent) ? .different : .same
    }

    private func compareFolders(
        _ from: FilePath, _ to: FilePath, with comparer: DiffComparer, _ page: OutputFile?, on console: Console
    ) async throws -> ProcessExit {
        let (before, after) = (try Self.objects(in: from), try Self.objects(in: to))
        let names = Set(before).union(after).sorted()
        guard !names.isEmpty else { throw UsageError("\(original) and \(patched) hold no object files") }
        let compared = try await inParallel(names, limit: jobs ?? ProcessFacts.processors) { name in
            try comparer.compare(
                before.contains(name) ? from.pushing(FilePath(name)) : nil, after.contains(name) ? to.pushing(FilePath(name)) : nil,
                name: name)
        }
        let comparison = FolderComparison(original: original, patched: patched, objects: compared.compactMap { $0?.comparison })
        let text = json ? try JSONText.encode(comparison, subject: original) : ListingText.render(comparison, style: console.outputStyle)
        try await conclude(compared.compactMap { $0 }.filter(\.comparison.hasFindings), text, page, on: console)
        return Self.ending(comparison.differing)
    }

    /// Prints what was found, and writes the page.
    ///
    /// - Parameter differing: the objects that differ or have diagnostics.
    private func conclude(_ differing: [DiffComparer.Compared], _ text: String, _ page: OutputFile?, on console: Console) async throws {
        let code = show || page != nil ? try await listCode(of: differing, on: console) : SignOffPage.Code()
        console.output.write(text + (json ? "" : "\n"))
        if show, !code.listings.isEmpty { console.output.write("\n" + CodeText.render(code.listings, style: console.outputStyle) + "\n") }
        if show, let problem = code.problem { console.error.write("the instructions can't be shown: \(console.errorStyle.shown(problem))\n") }
        if show, code.omitted > 0 { console.error.write("\(counted(code.omitted, "further function")) not shown\n") }
        let diagnostics = differing.flatMap(\.comparison.diagnostics), layouts = differing.flatMap(\.comparison.layouts)
        if !json, !diagnostics.isEmpty {
            console.error.write("\n" + DiagnosticText.render(diagnostics, layouts: layouts, style: console.errorStyle) + "\n")
        }
        try page?.write(
            DiffPage(differing.map(\.comparison), original: original, patched: patched, code: code, program: programVersion).document)
    }

    private func listCode(of objects: [DiffComparer.Compared], on console: Console) async throws -> SignOffPage.Code {
        guard let architecture = objects.lazy.compactMap(\.architecture).first else { return SignOffPage.Code() }
        let prefix = Architectures.own(machine: ProcessFacts.machine)?.name == architecture.name ? "" : architecture.toolchainPrefix
        return try await LivepatchBuild.listCode(
            objects.compactMap(\.listed), by: Disassembler(crossPrefix: prefix, environment: console.environment), jobs: jobs ?? ProcessFacts.processors)
    }

    /// The relative paths of all files with the name of an object (`.o`), sorted.
    static func objects(in folder: FilePath) throws -> Set<String> {
        var found: Set<String> = []
        try WorkFiles.walk(folder) { path, kind in
            if case .regular = kind, path.hasSuffix(".o") { found.insert(path) }
            return true
        }
        return found
    }
}

import Crypto
import Diagnostics
import ELFModel
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles
import XenVersions

/// Runs the program once for each fixture of a hypervisor.
///
/// The fixtures for a debug build are a run of their own: the build-id of a debug hypervisor depends on the folder that it was built in,
/// and with it the bytes of each payload.
package struct GoldenRun: Sendable {
    package var target: XenTarget
    /// The fixtures for a debug build of the hypervisor, or all others.
    package var debug: Bool
    /// The path of the program.
    package var program: FilePath
    /// The project's folder `Fixtures`.
    package var fixtures: FilePath
    package var cache: FolderCache

    package init(_ target: XenTarget, debug: Bool, program: FilePath, fixtures: FilePath, cache: FolderCache) {
        (self.target, self.debug, self.program, self.fixtures, self.cache) = (target, debug, program, fixtures, cache)
    }

    /// The name of the file, without its ending.
    package var name: String { Self.name(target, debug: debug) }

    package static func name(_ target: XenTarget, debug: Bool) -> String { debug ? "\(target.name)-debug" : target.name }

    private func changes() throws -> [ChangeCase] {
        try Trial.all(of: ChangeCase.all(in: fixtures), with: [target]).map(\.change).filter { $0.isForDebugBuild == debug }
    }

    /// Whether there are no such fixtures.
    ///
    /// - Throws: `StepError` and `WorkFileError` when a fixture can't be read.
    package func isEmpty() throws -> Bool { try changes().isEmpty }

    /// Builds the hypervisor, and runs the program for each fixture.
    ///
    /// - Throws: `StepError` and `WorkFileError` when the hypervisor can't be built, or when a run does not end by itself.
    package func run() async throws -> GoldenFile {
        let work = try WorkFiles.makeTemporaryFolder(named: "xsplice-golden")
        defer { try? WorkFiles.remove(work) }
        let build = try await build(in: work.appending("built"))
        let lines = try await inTurns(changes(), limit: 2) { change in
            (change.name, try await line(of: change, build, work: work.appending(change.name)))
        }
        let tools = try await Self.tools(of: build) + [Self.identity(of: build)]
        return GoldenFile(tools: tools, lines: Dictionary(lines) { first, _ in first })
    }

    private func build(in folder: FilePath) async throws -> HypervisorBuild {
        switch target.source {
        case .small: try await MiniXen.build(for: target.machine, fixtures: fixtures, in: folder)
        case .debian(let xen): try await debug ? xen.build(debug: true, machine: target.machine, cache: cache) : target.build(cache: cache)
        }
    }

    private func line(of change: ChangeCase, _ build: HypervisorBuild, work: FilePath) async throws -> GoldenFile.Line {
        try WorkFiles.makeFolder(work)
        defer { try? WorkFiles.remove(work) }
        let output = work.appending("out")
        // Take the small tree's source from the fixtures, but a real Xen's source from its build.
        let tree = target.isSmall ? fixtures.appending(MiniXen.name) : build.source
        var arguments =
            ["-s", tree.string] + build.programOptions + change.patches.flatMap { ["-p", $0.string] } + change.options
            + [
                "-o", output.string, "--xen-syms", build.symbols.string, "--cache-dir", try cache.programCache("golden-cache").string,
                "-j", "1", "-q",
            ]
        if let options = change.expected.configuration {
            let lines = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
            let configuration = work.appending("config")
            try WorkFiles.writeAtomically(try WorkFiles.read(build.configuration) + Array(lines.utf8), to: configuration)
            arguments += ["-c", configuration.string]
        }
        let run = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .inherit.updating(build.environment), input: .none,
            output: .discarded, error: .string(limit: 1 << 16)
        )
        guard case .exited(let code) = run.terminationStatus else {
            throw StepError("\(change.name): the program ended with \(run.terminationStatus)")
        }
        // A fault of the program or of this machine: nothing else keeps its words.
        if code == ExitStatus.internalFault.rawValue { cache.tell("\(change.name): \(run.standardError)") }
        let outcome = try ChangeOutcome(code: Int(code), output: output, error: "")
        let digest = outcome.payload.map { SHA256.hash(data: $0).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        // Keep repeated identifiers: otherwise a lost diagnostic would not show if there is another of its kind.
        let diagnostics = (outcome.report?.diagnostics ?? []).map(\.id.rawValue).sorted().joined(separator: " ")
        return GoldenFile.Line(exit: "\(code)", payload: digest ?? "-", diagnostics: diagnostics)
    }

    /// The build-id of a hypervisor. Every payload contains it.
    private static func identity(of build: HypervisorBuild) throws -> String {
        let file = try ELFFile.read(build.symbols, debugSections: false)
        guard let id = BuildIDNote.find(in: file) else { throw StepError("\(build.symbols) has no build-id") }
        return "hypervisor \(BuildIDNote.text(id))"
    }

    /// The first line of the version of the compiler, and of the assembler.
    private static func tools(of build: HypervisorBuild) async throws -> [String] {
        var lines: [String] = []
        for name in [build.compilerName, "\(build.machine.crossPrefix)as"] {
            let said = try await Subprocess.run(
                name.contains("/") ? .path(FilePath(name)) : .name(name), arguments: ["--version"], input: .none, output: .string(limit: 1 << 16),
                error: .discarded
            ).standardOutput
            // Drop the compiler's path: it depends on this machine.
            let words = said.prefix { !$0.isNewline }.split(separator: " ").map { $0.split(separator: "/").last ?? $0 }
            lines.append(words.joined(separator: " "))
        }
        return lines
    }
}

/// Runs a function for each element, with a limit on how many run at a time. The results are in the order of the elements.
func inTurns<Element: Sendable, Result: Sendable>(
    _ elements: [Element], limit: Int, _ body: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results: [Int: Result] = [:]
        var next = 0
        func start() {
            guard next < elements.count else { return }
            let (index, element) = (next, elements[next])
            next += 1
            group.addTask { (index, try await body(element)) }
        }
        for _ in 0..<limit { start() }
        while let (index, result) = try await group.next() {
            results[index] = result
            start()
        }
        return elements.indices.compactMap { results[$0] }
    }
}

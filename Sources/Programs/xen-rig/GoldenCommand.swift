import ArgumentParser
import ChangeCases
import Crypto
import Diagnostics
import FoundationEssentials
import Subprocess
import SystemPackage
import TestRig
import WorkFiles

/// Holds what the program makes of every fixture against what it made when the files under `Fixtures/golden` were written.
struct GoldenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "golden", abstract: "Holds payloads, exit codes and diagnostics of all fixtures against those that were written down.",
        discussion: """
            One file a hypervisor: FIXTURES/golden/NAME.txt, with one line a fixture: exit code, SHA-256 of the payload, identifiers of the \
            diagnostics. Payloads of another compiler or assembler have other bytes: then the digests are not compared, and that is said.
            """)

    @OptionGroup var rig: RigOptions
    @OptionGroup var project: ProjectOptions

    @Option(
        name: .customLong("hypervisor"),
        help: ArgumentHelp("Only this one: mini-xen, mini-xen-arm64, 4.17, 4.20-arm64... May be given again. Default: all.", valueName: "name"))
    var hypervisors: [String] = []

    @Flag(help: "Only the small trees, which are built in seconds and need no package of a hypervisor.")
    var small = false

    @Flag(help: "Write the files anew.")
    var update = false

    func run() async throws {
        let all = GoldenHypervisor.all.filter { $0.isSmall || !small }
        if let unknown = hypervisors.first(where: { name in !all.contains { $0.name == name } }) {
            throw RigError(
                "no hypervisor is called '\(unknown)'", help: "they are \(all.map(\.name).joined(separator: ", "))", exitCode: .usage)
        }
        let wanted = hypervisors.isEmpty ? all : all.filter { hypervisors.contains($0.name) }
        var differences = 0
        for hypervisor in wanted {
            let file = project.fixturesFolder.appending("golden/\(hypervisor.name).txt")
            let made = try await hypervisor.run(project.program, fixtures: project.fixturesFolder, cache: rig.rigCache)
            if update {
                try WorkFiles.makeFolder(file.removingLastComponent())
                try WorkFiles.writeAtomically(Array(made.text.utf8), to: file)
                print("\(hypervisor.name): \(made.lines.count) fixtures written down")
                continue
            }
            guard let bytes = try? WorkFiles.read(file) else { throw RigError("\(file) can't be read", help: "make golden-update writes it") }
            let found = GoldenFile(text: String(decoding: bytes, as: UTF8.self)).differences(to: made)
            for line in found.lines { print("\(hypervisor.name): \(line)") }
            differences += found.lines.count
            print("\(hypervisor.name): \(made.lines.count) fixtures, \(found.lines.count) differ\(found.remark)")
        }
        guard differences == 0 else { throw RigError("\(differences) fixtures came out another way than they did") }
    }
}

/// What all fixtures of one hypervisor came to.
struct GoldenFile: Equatable {
    /// What a payload's bytes depend on beside the sources: the first lines of compiler and assembler.
    var tools: [String]
    /// By fixture, what came out.
    var lines: [String: Line]

    struct Line: Equatable {
        var exit: String
        /// SHA-256 of the payload; `-` for none.
        var payload: String
        var diagnostics: String
    }

    init(tools: [String], lines: [String: Line]) {
        self.tools = tools
        self.lines = lines
    }

    init(text: String) {
        tools = []
        lines = [:]
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# ") { tools.append(String(line.dropFirst(2))); continue }
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true).map(String.init)
            guard fields.count >= 3 else { continue }
            lines[fields[0]] = Line(exit: fields[1], payload: fields[2], diagnostics: fields.count > 3 ? fields[3] : "")
        }
    }

    var text: String {
        let width = lines.keys.map(\.count).max() ?? 0
        let rows = lines.sorted { $0.key < $1.key }.map { name, line in
            let row = "\(name)\(String(repeating: " ", count: width - name.count)) \(line.exit) \(line.payload) \(line.diagnostics)"
            return row.hasSuffix(" ") ? String(row.dropLast()) : row
        }
        return (tools.map { "# \($0)" } + rows).joined(separator: "\n") + "\n"
    }

    /// - Returns: a line for each fixture that came out another way, and what else there is to say.
    func differences(to new: GoldenFile) -> (lines: [String], remark: String) {
        let sameTools = tools == new.tools
        var found: [String] = []
        for name in Set(lines.keys).union(new.lines.keys).sorted() {
            guard let before = lines[name] else { found.append("\(name): is new"); continue }
            guard let after = new.lines[name] else { found.append("\(name): is gone"); continue }
            if before.exit != after.exit { found.append("\(name): exit code \(before.exit), now \(after.exit)") }
            if before.diagnostics != after.diagnostics { found.append("\(name): [\(before.diagnostics)], now [\(after.diagnostics)]") }
            if sameTools ? before.payload != after.payload : (before.payload == "-") != (after.payload == "-") {
                found.append("\(name): payload \(before.payload.prefix(12)), now \(after.payload.prefix(12))")
            }
        }
        return (found, sameTools ? "" : "; another compiler or assembler: digests of payloads were not compared")
    }
}

/// A hypervisor, and the fixtures that are tried on it.
struct GoldenHypervisor: Sendable {
    enum Kind: Sendable {
        /// The small tree, built for one machine.
        case small(TargetMachine)
        case real(DebianXen, TargetMachine)
    }

    var name: String
    var kind: Kind

    var isSmall: Bool { if case .small = kind { true } else { false } }

    static let all: [GoldenHypervisor] =
        TargetMachine.all.map { GoldenHypervisor(name: "mini-xen" + suffix($0), kind: .small($0)) }
        + TargetMachine.all.flatMap { machine in
            DebianXen.all.filter { $0.machines.contains(machine) }.map { GoldenHypervisor(name: $0.version + suffix(machine), kind: .real($0, machine)) }
        }

    private static func suffix(_ machine: TargetMachine) -> String { machine == .x86_64 ? "" : "-\(machine.name)" }

    /// Builds the hypervisor, and runs the program for each of its fixtures.
    func run(_ program: FilePath, fixtures: FilePath, cache: RigCache) async throws -> GoldenFile {
        let cases = try self.cases()
        let work = FilePath("/tmp/xsplice-golden-\(UUID().uuidString)")
        try WorkFiles.makeFolder(work)
        defer { try? WorkFiles.remove(work) }
        let builds = try await self.builds(for: cases, in: work, fixtures: fixtures, cache: cache)
        let programs = cache.root.appending("golden-cache")
        let lines = try await inTurns(cases, limit: 2) { change -> (String, GoldenFile.Line) in
            guard let build = builds[Variant(change)] else { throw RigError("\(change.name): no hypervisor for it") }
            return (change.name, try await Self.line(of: change, build, program: program, work: work.appending(change.name), cache: programs))
        }
        return GoldenFile(tools: try await Self.tools(of: builds.values.first), lines: Dictionary(lines) { first, _ in first })
    }

    /// What a build of the hypervisor is like for a fixture.
    private struct Variant: Hashable {
        var debug: Bool
        init(_ change: ChangeCase) { debug = change.expected.debug == true }
    }

    private struct Build: Sendable {
        var tree: FilePath
        var symbols: FilePath
        var configuration: FilePath
        /// nil is the program's own choice.
        var compiler: String?
        /// By whose first lines payloads are known.
        var compilerName: String
        var assemblerName: String
    }

    private func cases() throws -> [ChangeCase] {
        switch kind {
        case .small(let machine):
            return try ChangeCase.all(of: "mini-xen").filter { $0.reasonAgainst(machine: machine.name) == nil }
                .map { try $0.variant(for: "4.17", machine: machine.name) }
        case .real(let xen, let machine):
            let every = try ChangeCase.all(of: "xen-4.17")
            let own = xen.version == "4.17" && machine == .x86_64
            return try every.filter { change in
                if own { return !change.isForOthersOnly }
                guard let versions = change.expected.versions else { return false }
                let isVersion = xen.version == "4.17" || versions.contains(xen.version)
                let isMachine = machine == .x86_64 ? !change.isForOthersOnly : change.expected.machines?[machine.name] != nil
                return isVersion && isMachine
            }.map { own ? $0 : try $0.variant(for: xen.version, machine: machine.name) }
        }
    }

    private func builds(for cases: [ChangeCase], in work: FilePath, fixtures: FilePath, cache: RigCache) async throws -> [Variant: Build] {
        var result: [Variant: Build] = [:]
        switch kind {
        case .small(let machine):
            let tree = work.appending("built")
            try await runInView(.name("cp"), ["-r", fixtures.appending("mini-xen").string, tree.string])
            let cross = machine == .x86_64 ? [] : ["XEN_TARGET_ARCH=\(machine.name)", "CROSS_COMPILE=\(machine.crossPrefix)"]
            let make = ["-s", "-C", tree.appending("xen").string, "XEN_BUILD_DATE=Thu Jan  1 00:00:00 UTC 1970"] + cross
            let log = work.appending("make.log")
            for goals in [["defconfig"], ["-j2"]] {
                let arguments = ["-c", "exec make \"$@\" >>'\(log)' 2>&1", "sh"] + make + goals
                try await runInView(.name("sh"), arguments, environment: .inherit.updating(["MAKEFLAGS": nil, "CC": nil, "CFLAGS": nil]))
            }
            for change in cases {
                result[Variant(change)] = Build(
                    tree: fixtures.appending("mini-xen"), symbols: tree.appending("xen/xen-syms"), configuration: tree.appending("xen/.config"),
                    compiler: nil, compilerName: "\(machine.crossPrefix)gcc", assemblerName: "\(machine.crossPrefix)as")
            }
        case .real(let xen, let machine):
            for variant in Set(cases.map { Variant($0) }) {
                let build =
                    variant.debug
                    ? try await xen.build("debug", options: ["CONFIG_DEBUG": "y"], machine: machine, cache: cache)
                    : try await xen.build(machine: machine, cache: cache)
                result[variant] = Build(
                    tree: build.tree, symbols: build.symbols, configuration: build.tree.appending("xen/.config"),
                    compiler: build.compiler?.program.string, compilerName: build.compiler?.program.string ?? "\(machine.crossPrefix)gcc",
                    assemblerName: "\(machine.crossPrefix)as")
            }
        }
        return result
    }

    private static func line(of change: ChangeCase, _ build: Build, program: FilePath, work: FilePath, cache: FilePath) async throws -> GoldenFile.Line {
        try WorkFiles.makeFolder(work)
        defer { try? WorkFiles.remove(work) }
        let output = work.appending("out")
        var arguments =
            ["-s", build.tree.string] + change.patches.flatMap { ["-p", $0.string] } + change.options
            + ["-o", output.string, "--xen-syms", build.symbols.string, "--cache-dir", cache.string, "-j", "1", "-q"]
        if let options = change.expected.configuration {
            let lines = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
            let configuration = work.appending("config")
            try WorkFiles.writeAtomically(try WorkFiles.read(build.configuration) + Array(lines.utf8), to: configuration)
            arguments += ["-c", configuration.string]
        }
        let ending = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .inherit.updating(["CC": build.compiler]), input: .none,
            output: .discarded, error: .discarded
        ).terminationStatus
        guard case .exited(let code) = ending else { throw RigError("\(change.name): the program ended with \(ending)") }
        let outcome = try ChangeOutcome(code: Int(code), output: output, error: "")
        let digest = outcome.payload.map { SHA256.hash(data: $0).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        // As often as they are said: a diagnostic that is lost is not hidden by its like.
        let diagnostics = (outcome.report?.diagnostics ?? []).map(\.id.rawValue).sorted().joined(separator: " ")
        return GoldenFile.Line(exit: "\(code)", payload: digest ?? "-", diagnostics: diagnostics)
    }

    private static func tools(of build: Build?) async throws -> [String] {
        guard let build else { return [] }
        var lines: [String] = []
        for name in [build.compilerName, build.assemblerName] {
            let said = try await Subprocess.run(
                name.contains("/") ? .path(FilePath(name)) : .name(name), arguments: ["--version"], input: .none, output: .string(limit: 1 << 16),
                error: .discarded
            ).standardOutput
            // Where the compiler lies is this machine's affair.
            let words = said.prefix { !$0.isNewline }.split(separator: " ").map { $0.split(separator: "/").last ?? $0 }
            lines.append(words.joined(separator: " "))
        }
        return lines
    }
}

/// Does something for each element, so many at a time; results in the order of the elements.
private func inTurns<Element: Sendable, Result: Sendable>(
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

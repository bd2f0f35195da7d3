import ArchX86_64
import SourcePatch
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig
import XenSource

@testable import XenBuild

/// An object that is not compiled is a fix left out: what the plan compiles is held against builds of both whole trees.
@Suite(
    .timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"),
    .enabled(if: RealXen.isThorough, "takes minutes; 'make test-all' runs it"))
struct CompilePlanTests {
    /// Of all kinds: one source, several, one that is compiled more than once, headers, generated headers, a makefile, a new file, one that is
    /// gone, assembly, what a folder makes for its own objects.
    static let changes = [
        "F1-xen-static", "F2-xen-several", "F12-xen-compat", "F12-xen-guest-walk", "F6-xen-inline-many", "F6-xen-efi-header", "D8-xen-grown",
        "B5-xen-compat-header",
        "B5-xen-offsets-used", "B3-xen-object-flags", "B1-xen-new-file", "B2-xen-file-gone", "F13-xen-assembly", "B9-xen-rename-header",
    ]

    /// Those for which all objects of the patched tree are compiled. For the others, objects of which the compiler gets to see the very same, to
    /// the last byte, are taken to be the same.
    private static let wholly: Set = ["F1-xen-static", "B3-xen-object-flags", "F13-xen-assembly"]

    @Test("what is compiled is all that differs, and as a build of the whole tree has it", arguments: changes)
    func isSound(name: String) async throws {
        let change = try #require(RealXen.everyCase.first { $0.name == name })
        try await withTemporaryFolder { folder in
            let whole = try await Self.wholeTrees.value(of: "") { try await WholeTrees() }
            let use = try await CacheUse.begin(whole.cache)
            let request = try await whole.request(change, cache: folder.appending("cache"), logs: folder.appending("logs"))
            let plan = try await Turns.work.one { try await buildObjectPairs(request) { _ in } }
            let everything = try await Turns.work.one { try await whole.everyObject(with: request.patch, compilesAll: Self.wholly.contains(name)) }

            #expect(everything.count > 350)
            var missed: [String] = [], different: [String] = []
            for (name, (original, patched)) in everything where name != BuildSystemQuirks.configurationCopy {
                if let pair = plan.pairs.first(where: { $0.name == name }) {
                    for (mine, other) in [(pair.original, original), (pair.patched, patched)]
                    where try mine.map({ try WorkFiles.read($0) }) != other.map({ try WorkFiles.read($0) }) { different.append(name) }
                } else if try await withoutLines(original, folder) != withoutLines(patched, folder) {
                    missed.append(name)
                }
            }
            #expect(missed == [])
            #expect(different == [])
            #expect(plan.pairs.allSatisfy { everything[$0.name] != nil } && !plan.pairs.isEmpty)
            // The original's objects serve all changes.
            try use.end(limit: 400 << 20)
        }
    }

    private static let wholeTrees = Once<WholeTrees>()

    /// The object without its debug information: sources that say the same on other lines are not compiled.
    private func withoutLines(_ object: FilePath?, _ folder: FilePath) async throws -> [UInt8]? {
        guard let object else { return nil }
        let stripped = folder.appending("stripped.o")
        _ = try await run("objcopy", ["--strip-debug", object.string, stripped.string])
        return try WorkFiles.read(stripped)
    }
}

/// Builds of all objects, in a cache that the plan knows nothing of.
private struct WholeTrees: Sendable {
    let cache = RealXen.cache.root.appending("whole-trees")
    private let tree: XenTree
    private let environment: [String: String]

    init() async throws {
        tree = try recogniseTree(at: try await RealXen.hypervisor(debug: false).tree)
        environment = RealXen.environment
    }

    func request(_ change: ChangeCase, cache: FilePath, logs: FilePath) async throws -> BuildRequest {
        let program = try #require(RealXen.program)
        return BuildRequest(
            tree: tree, patch: try applyPatches(readPatches(change.patches), to: tree.top), processor: ArchX86_64(), jobs: 2, cache: cache, logs: logs,
            environment: environment, recorder: [program.string, "record-compile"])
    }

    /// What the compiler reads of an object's source, with all marks of files and lines. That of assembly, which may read more, equals no other's.
    private func input(of command: ObjectCommand, in tree: PreparedTree, _ compiler: ObjectCompiler) async throws -> String {
        guard command.source.hasSuffix(".c") else { return "\(tree.key) \(command.name)" }
        return try await withTemporaryFolder { folder in
            let output = folder.appending("i"), log = folder.appending("log")
            let words = command.command.replay(in: tree.top, making: .preprocessed, output: output, dependencies: folder.appending("d"))
            guard try await compiler.runner.run(words, in: command.command.folder(in: tree.top), log: log) else { return "\(tree.key) \(command.name)" }
            return try WorkFiles.readText(output).replacing(tree.top.string, with: "")
        }
    }

    /// Compiles every object that one of the trees has, from both.
    func everyObject(with patch: AppliedPatch, compilesAll: Bool) async throws -> [String: (original: FilePath?, patched: FilePath?)] {
        try await withTemporaryFolder { folder in
            let program = try #require(RealXen.program)
            let request = BuildRequest(
                tree: tree, patch: patch, processor: ArchX86_64(), jobs: 2, cache: cache, logs: folder.appending("logs"), environment: environment,
                recorder: [program.string, "record-compile"])
            let preparation = try await TreePreparation(request) { _ in }
            let trees = [try await preparation.prepared(), try await preparation.prepared(patch: patch)]
            let compiler = ObjectCompiler(
                runner: preparation.runner, toolchain: preparation.toolchain, launcher: Launcher(), store: preparation.cache.objects,
                naming: LocalNaming(architecture: request.processor), paths: PathNaming(request, preparation.toolchain), work: folder.appending("work"),
                logs: request.logs)
            var result: [String: (original: FilePath?, patched: FilePath?)] = [:]
            for (side, tree) in zip(["original", "patched"], trees) {
                let commands = tree.objects.values.sorted { $0.name < $1.name }
                let originals = result
                let objects = try await inParallel(commands, limit: 2) { command in
                    if side == "patched", !compilesAll, let original = originals[command.name]?.original, trees[0].objects[command.name] == command,
                        try await input(of: command, in: trees[0], compiler) == input(of: command, in: tree, compiler)
                    {
                        return original
                    }
                    return try await compiler.compile(command, treeKey: tree.key, top: tree.top, side: side).entry.object
                }
                for (command, object) in zip(commands, objects) {
                    if side == "original" {
                        result[command.name, default: (nil, nil)].original = object
                    } else {
                        result[command.name, default: (nil, nil)].patched = object
                    }
                }
            }
            return result
        }
    }
}

import ArchARM32
import ArchARM64
import ArchX86_64
import DebugInfo
import ELFModel
import LoaderModel
import ObjectDiff
import PayloadLinker
import SourcePatch
import SystemPackage
import TargetArchitecture
import TestDrive
import TestTools
import WorkFiles
import XenBuild
import XenRig
import XenSource

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Functions of a hypervisor that are replaced by themselves, compiled anew: the payloads must do what the hypervisor does.
struct OwnCode: Sendable {
    let target: XenTarget
    let hypervisor: HypervisorBuild
    let image: XenImage
    let tree: XenTree
    let architecture: any TargetArchitecture

    static func of(_ target: XenTarget) async throws -> OwnCode {
        try await known.value(of: target.name) { try OwnCode(target, try await EveryXen.hypervisor(target)) }
    }
    private static let known = Once<OwnCode>()

    private init(_ target: XenTarget, _ hypervisor: HypervisorBuild) throws {
        let all: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
        guard let architecture = all.first(where: { $0.name == target.machine.name }) else {
            throw ToolFailure(description: "there is no architecture \(target.machine)")
        }
        self.target = target
        self.hypervisor = hypervisor
        self.architecture = architecture
        image = try XenImage.read(hypervisor.symbols, machine: architecture.machine)
        tree = try recogniseTree(at: hypervisor.tree)
    }

    // MARK: The objects that the hypervisor was linked from

    /// Their names, relative to `xen`: those that a source file of C of the same name was compiled to, but for tools and examples.
    func objects() async throws -> [String] {
        let folder = hypervisor.tree.appending("xen")
        let names = try await run("find", ["arch", "common", "drivers", "lib", "xsm", "-name", "*.o"], in: folder)
        return try names.split(separator: "\n").map(String.init)
            .filter { try WorkFiles.kind(of: folder.appending(source(of: $0)))?.isRegular ?? false }.sorted()
    }

    private func source(of object: String) -> String { String(object.dropLast()) + "c" }

    /// An object compared with itself; nil for one of another machine or format.
    func comparison(of object: String) throws -> ChangeSet? {
        let path = hypervisor.tree.appending("xen").appending(object)
        guard try WorkFiles.read(path).starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        let own = CompiledObject(file: try ELFFile.read(path, debugSections: false), debug: DebugInfo())
        return own.file.header.machine == architecture.machine ? try compare(object, own, own) : nil
    }

    private func compare(_ object: String, _ original: CompiledObject, _ patched: CompiledObject) throws -> ChangeSet {
        try compareObjects(
            CompiledPair(ObjectID(object), source: source(of: object), original: original, patched: patched),
            by: ComparisonRules(architecture: architecture, xen: tree.version, abi: tree.abi))
    }

    /// The functions of an object that run after boot, and that a trampoline fits into.
    func functions(of set: ChangeSet) -> [PatchedItem] {
        set.patched.items.filter { item in
            item.isRuntimeFunction && item.symbolSize >= architecture.minimumFunctionSize(firstBytes: set.patched.bytes(of: item))
        }
    }

    // MARK: A choice of functions

    struct Choice: Sendable, Hashable, Comparable {
        var object: String
        var function: String

        static func < (a: Choice, b: Choice) -> Bool { (a.object, a.function) < (b.object, b.function) }
    }

    /// Some functions of the whole hypervisor that can be replaced, always the same ones for a seed.
    func choose(_ count: Int, seed: UInt64) async throws -> [Choice] {
        var all: [Choice] = []
        for object in try await objects() {
            guard let set = try comparison(of: object) else { continue }
            for item in functions(of: set) { all.append(Choice(object: object, function: item.name)) }
        }
        var state = seed
        var chosen: Set<Choice> = []
        while chosen.count < count, !all.isEmpty {
            // Knuth's numbers for a linear congruential generator; the upper bits are the better ones.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let choice = all.remove(at: Int((state >> 33) % UInt64(all.count)))
            if let set = try comparison(of: choice.object), try link(choice, of: set).payload != nil { chosen.insert(choice) }
        }
        return chosen.sorted()
    }

    // MARK: Payloads

    /// What came of compiling those objects again, each from a source with one comment more.
    func compiledAnew(_ objects: Set<String>) async throws -> [String: ChangeSet] {
        guard let program = RealXen.program else { throw ToolFailure(description: "XSPLICE_BUILD names no program; 'make test' does") }
        return try await withTemporaryFolder { folder in
            var text = ""
            for object in objects.sorted() {
                let path = source(of: object)
                let lines = try WorkFiles.readText(hypervisor.tree.appending("xen").appending(path))
                    .split(separator: "\n", omittingEmptySubsequences: false).dropLast().prefix(3)
                text += "--- a/xen/\(path)\n+++ b/xen/\(path)\n@@ -1,\(lines.count) +1,\(lines.count + 1) @@\n+/* Compiled anew. */\n"
                text += lines.map { " \($0)\n" }.joined()
            }
            let patch = try write(text, to: "anew.patch", in: folder)
            let request = BuildRequest(
                tree: tree, patch: try applyPatches(readPatches([patch]), to: tree.top), processor: architecture, machine: architecture.machine,
                crossPrefix: target.machine.crossPrefix, runningConfiguration: image.configurationText, image: image.path, jobs: 2,
                cache: RealXen.cache.root.appending("xsplice-build"), logs: folder.appending("logs"),
                environment: ["PATH": path(), "CC": hypervisor.compiler?.program.string].compactMapValues { $0 },
                recorder: [program.string, "record-compile"])
            let outcome = try await Turns.work.one { try await buildObjectPairs(request) { _ in } }
            var sets: [String: ChangeSet] = [:]
            for pair in outcome.pairs where objects.contains(pair.name) {
                guard let original = pair.original, let patched = pair.patched else { continue }
                sets[pair.name] = try compare(pair.name, try .read(original, for: architecture), try .read(patched, for: architecture))
            }
            return sets
        }
    }

    private func path() -> String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }

    /// The payload that replaces a function by what an object has of it.
    ///
    /// - Parameter payload: one of the same function that is applied already; its code is the original then.
    func link(_ choice: Choice, of set: ChangeSet, name: String = "own", onTopOf payload: Payload? = nil) throws -> LinkOutcome {
        let item = set.patched.items.first { $0.kind == .function && $0.name == choice.function }
        return try link(item.map { [$0] } ?? [], of: set, name: name, onTopOf: payload)
    }

    func link(_ functions: [PatchedItem], of set: ChangeSet, name: String = "own", onTopOf payload: Payload? = nil) throws -> LinkOutcome {
        let set = set.treating(asChanged: Set(functions.map(\.id)))
        return try linkPayload(
            [set], onto: try payload.map(applied) ?? RunningHypervisor(image), below: payload == nil ? [] : [set], architecture: architecture,
            options: LinkOptions(name: name, abi: tree.abi, xen: tree.version))
    }

    /// The hypervisor with that payload applied, as the model of its loader has it in memory.
    private func applied(_ payload: Payload) throws -> RunningHypervisor {
        try loadStack(
            [(path: FilePath(payload.fileName), bytes: payload.bytes)], onto: image, architecture: architecture, abi: tree.abi, version: tree.version)
    }

    // MARK: In the hypervisor

    /// One boot for all of them. None is unloaded: a virtual processor may be on its way through one.
    func boot(_ payloads: [Payload]) async throws -> MachineRun {
        var scenario = Scenario()
        for payload in payloads {
            scenario.files[payload.fileName] = payload.bytes
            try scenario.hostTool("\(payload.name).load", .load, payload.name)
            try scenario.hostTool("\(payload.name).revert", .revert, payload.name)
        }
        scenario.step("alive", "cat /sys/hypervisor/version/extra && xen-livepatch list")
        var boot = Boot(hypervisor: hypervisor.image, dom0: try await target.xen.debian.dom0(for: target.machine, cache: RealXen.cache))
        boot.timeLimit = .seconds(1800)
        return try await Turns.boot.one { [boot, scenario] in try await boot.run(scenario) }
    }
}

extension FileKind {
    fileprivate var isRegular: Bool { if case .regular = self { true } else { false } }
}

import DebugInfo
import ELFModel
import LoaderModel
import ObjectDiff
import PayloadLinker
import SystemPackage
import TargetArchitecture
import TestTools
import WorkFiles
import XenSource

/// Payloads that replace functions of a hypervisor by themselves, made of the very objects that it was linked from.
struct OwnCode {
    let image: XenImage
    /// The folder `xen` that it was built in.
    let folder: FilePath
    let version: XenVersion
    let abi: PayloadABI
    let architecture: any TargetArchitecture

    init(symbols: FilePath, tree: FilePath, architecture: any TargetArchitecture) throws {
        image = try XenImage.read(symbols, machine: architecture.machine)
        folder = tree.appending("xen")
        let recognised = try recogniseTree(at: tree)
        (version, abi) = (recognised.version, recognised.abi)
        self.architecture = architecture
    }

    /// The objects of the hypervisor, by their names relative to `xen`: not those that are made of others, nor those of tools.
    func objects() async throws -> [String] {
        let names = try await run(
            "find", [".", "-name", "*.o", "-not", "-path", "./tools/*", "-not", "-path", "./test/*", "-not", "-name", ".*", "-printf", "%P\n"], in: folder)
        return names.split(separator: "\n").map(String.init).filter { !["built_in.o", "built-in.o", "prelink.o", "lib.o"].contains($0.split(separator: "/").last.map(String.init)) && !$0.hasSuffix(".init.o") || $0.hasSuffix(".init.o") }.sorted()
    }

    /// An object compared with itself: nothing differs.
    func comparison(of object: String) throws -> ChangeSet? {
        let bytes = try WorkFiles.read(folder.appending(object))
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        let own = ObjectToCompare(file: try ELFFile.read(folder.appending(object), debugSections: false), debug: DebugInfo())
        guard own.file.header.machine == architecture.machine else { return nil }
        return compareObjects(
            objectName: object, source: String(object.dropLast()) + "c", original: own, patched: own, architecture: architecture,
            xenVersion: (version.major, version.minor), hooksPrefix: abi.hooksPrefix)
    }

    /// The functions of an object that run after boot and can be replaced.
    func functions(of set: ChangeSet) -> [Int] {
        set.patched.items.indices.filter { index in
            let item = set.patched.items[index]
            return item.kind == .function && item.role == .code && item.parent == nil && item.isNamed
                && item.symbolSize >= architecture.minimumFunctionSize(firstBytes: set.patched.bytes(of: item))
        }
    }

    /// The payload that replaces some functions of an object by themselves.
    func link(_ functions: [Int], of set: ChangeSet, name: String, onto running: RunningHypervisor? = nil) throws -> LinkOutcome {
        var set = set
        for index in functions { set.status[index] = .changed }
        return try linkPayload(
            [set], onto: running ?? RunningHypervisor(image), architecture: architecture, options: LinkOptions(name: name, abi: abi))
    }

    func load(_ payload: Payload) -> LoadResult {
        loadPayload(payload.bytes, into: image, architecture: architecture, abi: abi, version: version)
    }
}

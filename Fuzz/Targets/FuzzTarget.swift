import ArchARM32
import ArchARM64
import ArchX86_64
import DebugInfo
import ELFModel
import EmittedSource
import LoaderModel
import ObjectDiff
import Report
import SourcePatch
import SystemPackage
import TargetArchitecture
import WorkFiles
import XenSource
import XenVersions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What reads something that comes from outside.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// ELF files as a value, and back; a hypervisor's `xen-syms`.
    case elf
    /// Objects, with their debug info, compared with a sound one.
    case object
    /// Payloads, by the model of the loader and by `inspect`.
    case payload
    /// Patches, applied to a small tree.
    case patch
    /// Kconfig's configurations, packed ones too.
    case config
    /// Two preprocessed C sources with a zero byte between them, held against each other.
    case source

    /// Has the input read, with all errors taken as answers. Not from two tasks at once: the input is a file with one name.
    package func feed(_ bytes: [UInt8]) {
        switch self {
        case .elf: Self.readELF(bytes)
        case .object: Self.compare(bytes)
        case .payload: Self.load(bytes)
        case .patch: Self.apply(bytes)
        case .config: Self.configure(bytes)
        case .source: Self.judge(bytes)
        }
    }

    private static let architectures: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]

    private static func judge(_ bytes: [UInt8]) {
        let texts = bytes.split(separator: 0, maxSplits: 1).map { SourceParts(Array($0), top: Array("/tree".utf8)) }
        guard let original = texts.first ?? nil, let patched = texts.last ?? nil else { return }
        _ = SourceDifference.isWithoutEffect(original, patched)
    }

    private static func readELF(_ bytes: [UInt8]) {
        guard let file = try? ELFFile(bytes: bytes, name: "fuzz") else { return }
        if let written = try? file.serialised(name: "fuzz") { _ = try? ELFFile(bytes: written, name: "written") }
        _ = try? XenImage.read(place(bytes))
    }

    private static func compare(_ bytes: [UInt8]) {
        let path = place(bytes)
        guard let file = try? ELFFile(bytes: bytes, name: "fuzz", debugSections: false),
            let architecture = architectures.first(where: { $0.machine == file.header.machine })
        else {
            _ = try? DebugInfo.read(path)
            return
        }
        let debug = (try? DebugInfo.read(path)) ?? DebugInfo()
        let object = CompiledObject(file: file, debug: debug, path: path)
        let original = sample.map { $0.file.header.machine == file.header.machine ? $0 : object } ?? object
        for pair in [(original, object), (object, original)] {
            _ = try? compareObjects(
                CompiledPair(ObjectID("fuzz.o"), source: "fuzz.c", original: pair.0, patched: pair.1),
                by: ComparisonRules(architecture: architecture, xen: XenVersion(major: 4, minor: 17), abi: .livepatchV2))
        }
        _ = try? TypeInfo.read(path, withUses: true)
    }

    private static func load(_ bytes: [UInt8]) {
        for (architecture, minor) in zip(architectures, [17, 20, 17]) {
            let version = XenVersion(major: 4, minor: minor)
            _ = loadPayload(bytes, into: AnyHypervisor(), architecture: architecture, abi: .livepatchV2, version: version)
            _ = loadPayload(bytes, into: AnyHypervisor(), architecture: architecture, abi: .livepatchV1, version: XenVersion(major: 4, minor: 11))
        }
        if let file = try? ELFFile(bytes: bytes, name: "fuzz", debugSections: false) { _ = try? PayloadInspection(file, file: "fuzz") }
    }

    private static func apply(_ bytes: [UInt8]) {
        _ = try? applyPatches([PatchFile(path: "fuzz", bytes: bytes)], to: tree)
    }

    private static func configure(_ bytes: [UInt8]) {
        let configuration = KernelConfiguration(text: String(decoding: bytes, as: UTF8.self))
        _ = configuration.differences(from: KernelConfiguration(text: "CONFIG_X86=y\n# CONFIG_DEBUG is not set\n"))
        _ = gunzip(bytes, limit: 1 << 20)
    }

    // MARK: What they need

    /// A folder of this process. The last file in it is the input that is read at the moment.
    ///
    /// In memory where there is such a place: thousands of files a second are no work for a disk.
    private static let folder: FilePath = {
        let parent: FilePath = WorkFiles.isFolder("/dev/shm") ? "/dev/shm" : "/tmp"
        guard let folder = try? WorkFiles.makeTemporaryFolder(named: "xsplice-fuzz", in: parent) else { fatal("no folder can be made in \(parent)") }
        return folder
    }()

    /// The input as a file.
    private static func place(_ bytes: [UInt8]) -> FilePath {
        let path = folder.appending("input")
        guard (try? WorkFiles.write(bytes, to: path)) != nil else { fatal("\(path) can't be written") }
        return path
    }

    private static let tree: FilePath = {
        let tree = folder.appending("tree")
        let lines = (1...40).map { "int line_\($0)(void);\n" }.joined()
        for file in ["xen/common/kernel.c", "xen/include/xen/lib.h", "xen/Makefile", "README"] {
            let path = tree.appending(file)
            guard (try? WorkFiles.makeFolder(path.removingLastComponent())) != nil, (try? WorkFiles.write(Array(lines.utf8), to: path)) != nil else {
                fatal("\(path) can't be written")
            }
        }
        return tree
    }()

    /// A sound object, which the environment variable `XSPLICE_FUZZ_SAMPLE` names.
    private static let sample: CompiledObject? = getenv("XSPLICE_FUZZ_SAMPLE").flatMap { name in
        let path = FilePath(String(cString: name))
        guard let file = try? ELFFile.read(path, debugSections: false), let debug = try? DebugInfo.read(path) else { return nil }
        return CompiledObject(file: file, debug: debug, path: path)
    }

    private static func fatal(_ text: String) -> Never {
        print(text)
        exit(1)
    }
}

/// A hypervisor that knows the names that the corpus uses.
private struct AnyHypervisor: HypervisorSymbols {
    private static let start: UInt64 = 0xffff_82d0_4020_0000

    var buildID: [UInt8] { Array(1...20) }

    func address(ofSymbol name: SymbolName) -> UInt64? {
        ["printk": Self.start, "victim": Self.start + 0x1000, "common/kernel.c#hidden": Self.start + 0x2000, "hidden": Self.start + 0x2000][name.text]
    }

    func variable(at address: UInt64) -> String? { nil }
    func size(ofGlobal name: String) -> UInt64? { nil }

    func hasMemory(at address: UInt64) -> Bool { address >= Self.start && address < Self.start + 0x80_0000 }
    func hasCode(at address: UInt64) -> Bool { hasMemory(at: address) }
    func isInImage(_ address: UInt64) -> Bool { hasMemory(at: address) }
    var patches: [CodePatch] { [CodePatch(function: "victim", address: Self.start + 0x1000, size: 5, target: Self.start)] }
    func isFreedAfterBoot(_ address: UInt64) -> Bool { address >= Self.start + 0x70_0000 && hasMemory(at: address) }
    var payloadBuildIDs: [[UInt8]] { [] }

    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        address >= Self.start && address < Self.start + 0x10_0000 && count <= 4096 ? Array(repeating: 0x90, count: max(0, count))[...] : nil
    }

    func payloadArea(_ rules: LoaderRules) -> UInt64 { Self.start + 0x80_0000 }
}

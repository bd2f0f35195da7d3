import DebugInfo
import Diagnostics
import ELFModel
import ObjectDiff
import Report
import SystemPackage
import TargetArchitecture
import WorkFiles
import XenSource
import XenVersions

/// Reads objects and compares them, for the `diff` command.
struct ObjectComparer: Sendable {
    var version: XenVersion
    /// The architecture of a hypervisor some of whose objects are for another machine; nil refuses these.
    var foreign: (any TargetArchitecture)?

    /// Compares two objects.
    func compare(_ from: FilePath, _ to: FilePath) throws -> ObjectComparison {
        let (original, patched) = (try Object(from), try Object(to))
        return try compare(original, patched, name: from.string, original: from.string, patched: to.string)
    }

    /// Compares the objects of two folders that have the same relative path; nil stands for one that is on one side only.
    ///
    /// - Returns: nil where one of them is no object, or one that a linker put together from several.
    func compare(_ from: FilePath?, _ to: FilePath?, name: String) throws -> ObjectComparison? {
        let (original, patched) = (try from.flatMap(Object.init(orNothing:)), try to.flatMap(Object.init(orNothing:)))
        guard (from == nil) == (original == nil), (to == nil) == (patched == nil) else { return nil }
        return try compare(original, patched, name: name, original: name, patched: name)
    }

    private func compare(
        _ from: Object?, _ to: Object?, name: String, original: String, patched: String
    ) throws -> ObjectComparison {
        let machines = Set([from, to].compactMap { $0?.file.header.machine })
        guard machines.count == 1 else {
            throw UsageError("\(patched): is for \(processor(of: to)), and \(original) for \(processor(of: from))")
        }
        let known = machines.first.flatMap(Architectures.of(machine:))
        guard let architecture = known ?? foreign else {
            throw UsageError("\(name): is for a machine that this version does not know (ELF machine \(machines.first ?? 0))")
        }
        let pair = CompiledPair(
            ObjectID(name), source: name, original: try compiled(from, for: architecture), patched: try compiled(to, for: architecture))
        let changes = try compareObjects(pair, by: ComparisonRules(architecture: architecture, xen: version, abi: .livepatchV2))
        let layouts = try compareLayouts([changes]) { _, side, withUses in
            try (side == .original ? pair.original : pair.patched).types(withUses: withUses)
        }
        return ObjectComparison(changes, layouts: layouts, original: original, patched: patched)
    }

    private func compiled(_ object: Object?, for architecture: any TargetArchitecture) throws -> CompiledObject {
        guard let object else { return .absent(for: architecture) }
        return CompiledObject(file: object.file, debug: try DebugInfo.read(object.path), path: object.path)
    }

    private func processor(of object: Object?) -> String {
        let machine = object?.file.header.machine ?? 0
        return Architectures.of(machine: machine)?.name ?? "ELF machine \(machine)"
    }

    /// An object file, read but for its debug info.
    struct Object {
        var path: FilePath
        var file: ELFFile

        init(_ path: FilePath) throws {
            self.path = path
            file = try ELFFile.read(path, debugSections: false)
        }

        /// nil for a file that is only called like an object (the EFI loader's build-id), and for one of several sources.
        init?(orNothing path: FilePath) throws {
            let bytes = try WorkFiles.read(path)
            guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
            file = try ELFFile(bytes: bytes, name: path.string, debugSections: false)
            self.path = path
            guard file.header.type == ELF.FileType.relocatable, file.symbols.count(where: \.isFile) <= 1 else { return nil }
        }
    }
}

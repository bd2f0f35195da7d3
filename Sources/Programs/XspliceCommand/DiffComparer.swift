import CodeListing
import Diagnostics
import LivepatchBuild
import ObjectDiff
import Report
import SystemPackage
import TargetArchitecture
import XenBuild
import XenVersions

/// Reads two objects and compares them, for the `diff` command. The objects' own headers say which processor they are for.
struct DiffComparer: Sendable {
    var version: XenVersion
    /// The architecture to use for objects of an unknown processor, as some of a hypervisor's boot code is; nil means that these are refused.
    var foreign: (any TargetArchitecture)?

    /// What a comparison found.
    struct Compared: Sendable {
        var comparison: ObjectComparison
        /// What a listing of the code needs; nil for objects that could not be compared.
        var listed: ListedObject?
        var architecture: (any TargetArchitecture)?
    }

    /// Compares two objects.
    func compare(_ from: FilePath, _ to: FilePath) throws -> Compared {
        try compare(ObjectFile(from), ObjectFile(to), name: from.string, original: from.string, patched: to.string)
    }

    /// Compares the two objects at one relative path in two folders; nil stands for an object that is in one folder only.
    ///
    /// - Returns: nil if a file is not an object, or is an object that a linker put together from several sources. Objects whose code can't be
    ///   compared give an error among the diagnostics.
    func compare(_ from: FilePath?, _ to: FilePath?, name: String) throws -> Compared? {
        do {
            return try compareOfOneSource(from, to, name: name)
        } catch let error as UnusableObject {
            let diagnostic = Diagnostic(.instrumentedBuild, .error, message: error.message, help: error.help)
            return Compared(
                comparison: ObjectComparison(original: name, patched: name, sameFunctions: 0, functions: [], data: [], diagnostics: [diagnostic]))
        }
    }

    private func compareOfOneSource(_ from: FilePath?, _ to: FilePath?, name: String) throws -> Compared? {
        let (original, patched) = (try from.flatMap(ObjectFile.init(ofOneSource:)), try to.flatMap(ObjectFile.init(ofOneSource:)))
        guard (from == nil) == (original == nil), (to == nil) == (patched == nil) else { return nil }
        return try compare(original, patched, name: name, original: name, patched: name)
    }

    private func compare(
        _ from: ObjectFile?, _ to: ObjectFile?, name: String, original: String, patched: String
    ) throws -> Compared {
        let machines = Set([from, to].compactMap { $0?.file.header.machine })
        guard machines.count == 1 else {
            throw UsageError("\(patched): is for \(processor(of: to)), and \(original) for \(processor(of: from))")
        }
        let known = machines.first.flatMap(Architectures.of(machine:))
        guard let architecture = known ?? foreign else {
            throw UsageError("\(name): is for a machine that this version does not know (ELF machine \(machines.first ?? 0))")
        }
        let comparer = ObjectComparer(architecture: architecture, version: version, abi: .livepatchV2)
        let changes = try comparer.compare(from, to, name: name, source: name)
        let pair = ObjectPair(name: name, source: name, original: from?.path, patched: to?.path)
        let layouts = try comparer.compareTypes([changes], of: [pair], isWhole: false)
        return Compared(
            comparison: ObjectComparison(changes, layouts: layouts, original: original, patched: patched),
            listed: ListedObject(changes, original: from?.path, patched: to?.path, architecture: architecture), architecture: known)
    }

    private func processor(of object: ObjectFile?) -> String {
        let machine = object?.file.header.machine ?? 0
        return Architectures.of(machine: machine)?.name ?? "ELF machine \(machine)"
    }
}

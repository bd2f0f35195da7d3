import ObjectDiff
import SourcePatch
import XenBuild

extension BuildReport.Patch {
    /// One hunk, or a part of a patch without hunks: a rename, a new mode, an empty file.
    package struct Hunk: Sendable, Equatable, Codable {
        package enum Ending: String, Sendable, Equatable, Codable, CaseIterable {
            /// In objects that were compared, and that differ in what runs after boot.
            case compared
            /// Its file changes nothing in this configuration. `proof` says why.
            case unchanged
            /// All that differs in its objects is used at boot only.
            case bootOnly = "boot-only"
            /// Outside the hypervisor, in a folder that the tree has outside `xen/`.
            case outside
            /// Only the last link reads its file: the change was refused.
            case refused
        }

        package typealias Lines = PatchHunk.Lines

        /// The patch file, and the line in it.
        package var patch: String
        package var line: Int
        /// Relative to the top of the tree, the name after the patch.
        package var file: String
        /// Counted from 1 in each part of the patch; nil for a part without hunks.
        package var hunk: Int?
        /// Where it was applied: the lines before and after the patch.
        package var old: Lines?
        package var new: Lines?
        /// nil until the objects are compared.
        package var ending: Ending?
        /// The objects with the ending, sorted.
        package var objects: [String]
        /// Why the ending is what it is; nil for hunks in compared objects.
        package var proof: String?

        package init(
            patch: String, line: Int, file: String, hunk: Int?, old: Lines? = nil, new: Lines? = nil, ending: Ending? = nil, objects: [String] = [],
            proof: String? = nil
        ) {
            self.patch = patch
            self.line = line
            self.file = file
            self.hunk = hunk
            self.old = old
            self.new = new
            self.ending = ending
            self.objects = objects
            self.proof = proof
        }

        /// - Parameter sources: the patch files, in order.
        init(_ hunk: PatchHunk, sources: [String]) {
            self.init(
                patch: sources.indices.contains(hunk.patch) ? sources[hunk.patch] : "", line: hunk.line, file: hunk.file, hunk: hunk.hunk,
                old: hunk.old, new: hunk.new)
            guard let folder = hunk.outside else { return }
            ending = .outside
            proof = folder.isEmpty ? "it is at the top of the tree, beside xen/" : "the tree has the folder \(folder)/ outside xen/"
        }
    }

    /// Says how each hunk ended.
    ///
    /// - Parameters:
    ///   - uses: what became of each file of the patch.
    ///   - objects: how the objects ended, by name. One that is not there may differ.
    package mutating func account(for uses: [PatchedFileUse], by objects: [String: ObjectEnding]) {
        let ways = Dictionary(uses.map { ($0.path, $0.way) }) { first, _ in first }
        for index in hunks.indices where hunks[index].ending == nil { hunks[index].end(ways[hunks[index].file], by: objects) }
    }
}

/// What the comparison of one object found.
package enum ObjectEnding: Sendable, Equatable {
    case same, differsAtBoot, differs

    /// - Parameter isBootOnly: whether all of the object is used at boot only.
    package init(_ changes: ChangeSet, layouts: LayoutComparison, isBootOnly: Bool) {
        let roles =
            changes.records.filter { $0.status != .same }.map(\.item.role) + changes.removed.map { changes.original[$0].role }
        let diagnostics = changes.diagnostics + (layouts.diagnostics[changes.object] ?? [])
        if diagnostics.contains(where: { $0.severity == .error }) || (!isBootOnly && roles.contains { $0 != .boot }) {
            self = .differs
        } else if !roles.isEmpty || diagnostics.contains(where: { $0.id == .initOnlyChange }) {
            self = .differsAtBoot
        } else {
            self = diagnostics.isEmpty ? .same : .differs
        }
    }
}

extension BuildReport.Patch.Hunk {
    fileprivate mutating func end(_ way: PatchedFileUse.Way?, by objects: [String: ObjectEnding]) {
        func finish(_ names: [String], _ how: String) -> (Ending, [String], String?) {
            let differing = names.filter { objects[$0, default: .differs] == .differs }, boot = names.filter { objects[$0] == .differsAtBoot }
            if !differing.isEmpty { return (.compared, differing, nil) }
            if !boot.isEmpty { return (.bootOnly, boot, "all that differs in them is used at boot only") }
            return (.unchanged, names, "the objects that \(how) are the same before and after the patch")
        }
        (ending, self.objects, proof) =
            switch way {
            case .objects(let names): finish(names, "are made from it")
            case .generated(let names): finish(names, "are made from what make makes from it")
            case .commands(let names): finish(names, "it says how to compile")
            case .nothing(let reason): (.unchanged, [], reason)
            case .lastLink: (.refused, [], "only the last link of the hypervisor reads it")
            case nil: (.unchanged, [], "all patches together leave the file as it is in the tree")
            }
    }
}

extension ReportText {
    /// The line about the hunks: how many ended in which way.
    package static func line(_ hunks: [BuildReport.Patch.Hunk]) -> String {
        func count(_ ending: BuildReport.Patch.Hunk.Ending) -> Int { hunks.count { $0.ending == ending } }
        let compared = Set(hunks.filter { $0.ending == .compared }.flatMap(\.objects)).count
        let parts: [(Int, String)] = [
            (count(.compared), compared == 1 ? "in an object that differs" : "in \(grouped(compared)) objects that differ"),
            (count(.bootOnly), "used at boot only"), (count(.unchanged), "without effect on the code of this configuration"), (count(.outside), "outside xen/"),
            (count(.refused), "refused"),
        ]
        let named = parts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
        return counted(hunks.count, "hunk") + (named.isEmpty ? "" : ": " + named.joined(separator: ", "))
    }
}

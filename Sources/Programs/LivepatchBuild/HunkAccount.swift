import ObjectDiff
import Report
import XenBuild

/// What the build found about the files of the patches, for the account of their hunks.
struct HunkAccount {
    /// What became of each file.
    let uses: [PatchedFileUse]
    /// The objects whose source was found to be the same on both sides.
    private let spared: [String]
    /// The present names of objects that the patch renames, by their former names.
    private let renamed: [String: String]

    init(_ build: BuildOutcome, renamed: [String: String] = [:]) {
        uses = build.uses
        spared = build.decisions.filter(\.isSpared).map(\.object)
        self.renamed = renamed
    }

    /// How each object ended.
    ///
    /// - Parameters:
    ///   - pairs: what was compared; `changes`: the result for each, in the same order.
    func endings(_ pairs: [ObjectPair], _ changes: [ChangeSet], _ layouts: LayoutComparison) -> [String: ObjectEnding] {
        var endings = Dictionary(spared.map { ($0, ObjectEnding.same) }) { first, _ in first }
        for (pair, set) in zip(pairs, changes) { endings[pair.name] = ObjectEnding(set, layouts: layouts, isBootOnly: pair.isInitOnly) }
        for (former, present) in renamed { endings[former] = endings[present] }
        return endings
    }
}

import SystemPackage
import WorkFiles

/// The facts about the running hypervisor's build in prepared trees; see `BuildFacts`.
extension TreePreparation {
    /// Keeps the date, person and machine of the user's own build, so that objects that contain them equal those of the hypervisor from
    /// that build. In a patched tree, what the patch changes in them (the version) is changed.
    ///
    /// The given tree is often a fresh copy of the one that was built, so the file beside xen-syms is preferred.
    func keepBuildFacts(in top: FilePath, over original: PreparedTree?) throws {
        let path = top.appending(BuildSystemQuirks.buildFacts)
        let generated = try Self.text(path)
        if let generated { try WorkFiles.write(generated, to: top.removingLastComponent().appending("generated-compile.h")) }
        if let original, let generated, let change = try factsChange(original, patched: generated) {
            try WorkFiles.write(change.facts.bytes, to: path)
        } else if let running = try runningFacts() {
            try WorkFiles.write(running, to: path)
        }
    }

    /// What the patch changes in the build's facts.
    ///
    /// - Parameters:
    ///   - original: the tree without the patch.
    ///   - generated: the header that make wrote with the patch.
    /// - Returns: nil if make writes no such header without the patch.
    func factsChange(_ original: PreparedTree, patched generated: [UInt8]) throws -> (facts: BuildFacts, changes: [VersionChange])? {
        guard let before = try Self.text(original.generatedFacts) else { return nil }
        return BuildFacts.patched(BuildFacts(try runningFacts() ?? before), before: BuildFacts(before), after: BuildFacts(generated))
    }

    private func runningFacts() throws -> [UInt8]? {
        for source in [factsBesideImage, request.tree.top.appending(BuildSystemQuirks.buildFacts)].compactMap({ $0 }) {
            if let text = try Self.text(source) { return text }
        }
        return nil
    }

    private static func text(_ path: FilePath) throws -> [UInt8]? {
        guard case .regular = try WorkFiles.kind(of: path) else { return nil }
        return try WorkFiles.read(path)
    }

    /// The facts of the build that made xen-syms; nil without a xen-syms.
    var factsBesideImage: FilePath? {
        request.image?.removingLastComponent().appending(BuildSystemQuirks.buildFactsInHypervisor)
    }
}

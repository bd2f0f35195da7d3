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
        } else if let running = try runningFacts(generated: generated) {
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
        return BuildFacts.patched(BuildFacts(try runningFacts(generated: before) ?? before), before: BuildFacts(before), after: BuildFacts(generated))
    }

    /// The header of the running hypervisor's build. The one beside xen-syms comes from no tree that the user named, so it must hold facts only.
    ///
    /// - Parameter generated: the header that make writes, whose macros are known as well.
    private func runningFacts(generated: [UInt8]?) throws -> [UInt8]? {
        if let beside = factsBesideImage, let text = try Self.text(beside) {
            try BuildFacts.check(text, of: beside, alsoKnown: generated)
            return text
        }
        return try Self.text(request.tree.top.appending(BuildSystemQuirks.buildFacts))
    }

    /// The header whose facts the trees get; nil if make's own stays.
    var factsInUse: FilePath? {
        [factsBesideImage, request.tree.top.appending(BuildSystemQuirks.buildFacts)].compactMap { $0 }.first {
            if case .regular? = try? WorkFiles.kind(of: $0) { true } else { false }
        }
    }

    /// Refuses a header beside xen-syms that somebody else can have written: it is compiled into the payload, and no option names it.
    ///
    /// - Throws: `BuildError` (exit 64), `WorkFileError`.
    func checkFactsBesideImage() throws {
        guard let path = factsBesideImage, let image = request.image, try WorkFiles.kind(of: path) != nil else { return }
        guard let access = try WorkFiles.foreignAccess(toFile: path, below: image.removingLastComponent()) else { return }
        throw BuildError(
            "\(access.path) \(access.access), and \(path) becomes part of the payload",
            help: "copy xen-syms and that header to a folder of your own, or xen-syms alone if the header is not that of its build", exitCode: .usage)
    }

    private static func text(_ path: FilePath) throws -> [UInt8]? {
        guard case .regular = try WorkFiles.kind(of: path) else { return nil }
        return try WorkFiles.read(path, limit: BuildFacts.sizeLimit)
    }

    /// The facts of the build that made xen-syms; nil without a xen-syms.
    var factsBesideImage: FilePath? {
        request.image?.removingLastComponent().appending(BuildSystemQuirks.buildFactsInHypervisor)
    }
}

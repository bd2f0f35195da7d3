import Diagnostics
import SystemPackage
import XenSource

/// One object of the hypervisor, compiled from the original and from the patched source.
package struct ObjectPair: Sendable, Equatable {
    /// The object's name relative to `xen/`: `common/kernel.o`, `arch/x86/mm/guest_walk_2.o`.
    package var name: String
    /// Its main source file relative to `xen/`, symbolic links resolved: `common/kernel.c`.
    package var source: String
    /// The original's main source file, if the patch renamed it; nil if it is the same.
    package var originalSource: String?
    /// The path that the compiler got for the main source file, if the build links it to another place: `arch/x86/efi/boot.c`.
    package var sourceAsCompiled: String
    /// Whether all of the object runs or is read at boot only. The build renames its sections to `.init…` later, but the files here do
    /// not have those names.
    package var isInitOnly: Bool
    /// The compiled files. One is nil when the patch adds or removes the object.
    package var original: FilePath?
    package var patched: FilePath?

    package init(
        name: String, source: String, sourceAsCompiled: String? = nil, isInitOnly: Bool = false, original: FilePath?,
        patched: FilePath?
    ) {
        self.name = name
        self.source = source
        self.sourceAsCompiled = sourceAsCompiled ?? source
        self.isInitOnly = isInitOnly
        self.original = original
        self.patched = patched
    }
}

/// The result of the build stage.
package struct BuildOutcome: Sendable, Equatable {
    /// Pairs of all objects that the patch can affect, sorted by name.
    package var pairs: [ObjectPair]
    /// How many objects this hypervisor has in total.
    package var objectCount: Int
    /// How many compiler runs were made, and how many the cache saved.
    package var compiled: Int
    package var fromCache: Int
    /// The first line of `$CC --version`.
    package var compiler: String
    /// The configuration of the original.
    package var configuration: KernelConfiguration
    /// Where that comes from: a file, or words for people.
    package var configurationOrigin: String
    package var diagnostics: [Diagnostic]
    /// If the original of `pairs` is the tree with patches that run already: pairs that compare the tree itself with that original, for
    /// the objects that those patches can affect.
    package var below: [ObjectPair] = []
    /// Why each object that the patch may affect was compiled or not, sorted by name.
    package var decisions: [ObjectDecision]
    package var preparation: PreparationDecision?
    /// What became of each file of the patch in `xen/`.
    package var uses: [PatchedFileUse]
    /// Whether the patched source was compiled without the directives that keep line numbers: see `AppliedPatch.withoutLineDirectives`.
    package var shiftsLines = false
    /// The same for the source of the running patches.
    package var shiftsLinesBelow = false

    package init(
        pairs: [ObjectPair], objectCount: Int, compiled: Int, fromCache: Int, compiler: String,
        configuration: KernelConfiguration = KernelConfiguration(text: ""), configurationOrigin: String = "", diagnostics: [Diagnostic] = [],
        decisions: [ObjectDecision] = [],
        uses: [PatchedFileUse] = [], preparation: PreparationDecision? = nil
    ) {
        self.uses = uses
        self.decisions = decisions
        self.preparation = preparation
        self.configuration = configuration
        self.configurationOrigin = configurationOrigin
        self.pairs = pairs
        self.objectCount = objectCount
        self.compiled = compiled
        self.fromCache = fromCache
        self.compiler = compiler
        self.diagnostics = diagnostics
    }
}

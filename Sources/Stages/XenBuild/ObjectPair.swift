import Diagnostics
import SystemPackage
import XenSource

/// One object of the hypervisor, compiled from the original and from the patched source.
package struct ObjectPair: Sendable, Equatable {
    /// The object's name relative to `xen/`: `common/kernel.o`, `arch/x86/mm/guest_walk_2.o`.
    package var name: String
    /// Its main source file relative to `xen/`, symbolic links resolved: `common/kernel.c`.
    package var source: String
    /// The main source file of the original, where a patch gave it another name; nil is the same.
    package var originalSource: String?
    /// The same file as the compiler was told, where the build links it to another place: `arch/x86/efi/boot.c`.
    package var sourceAsCompiled: String
    /// True when all of the object runs or is read at boot only: the build renames its sections to `.init…` afterwards,
    /// which these files have not seen.
    package var isInitOnly: Bool
    /// The compiled files; nil on one side when the patch adds or removes the object.
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

/// What the build stage hands on.
package struct BuildOutcome: Sendable, Equatable {
    /// Pairs of all objects that the patch can affect, sorted by name.
    package var pairs: [ObjectPair]
    /// How many objects this hypervisor has in all.
    package var objectCount: Int
    /// Compiler runs made, and compiler runs saved by the cache.
    package var compiled: Int
    package var fromCache: Int
    /// First line of `$CC --version`.
    package var compiler: String
    /// What the original was configured with.
    package var configuration: KernelConfiguration
    package var diagnostics: [Diagnostic]
    /// Where the original of `pairs` is the tree with patches that run already: pairs of the tree itself and of that original, for
    /// the objects that those patches can affect.
    package var below: [ObjectPair] = []
    /// Why each object that came into question was compiled or spared, sorted by name.
    package var decisions: [ObjectDecision]
    package var preparation: PreparationDecision?

    package init(
        pairs: [ObjectPair], objectCount: Int, compiled: Int, fromCache: Int, compiler: String,
        configuration: KernelConfiguration = KernelConfiguration(text: ""), diagnostics: [Diagnostic] = [], decisions: [ObjectDecision] = [],
        preparation: PreparationDecision? = nil
    ) {
        self.decisions = decisions
        self.preparation = preparation
        self.configuration = configuration
        self.pairs = pairs
        self.objectCount = objectCount
        self.compiled = compiled
        self.fromCache = fromCache
        self.compiler = compiler
        self.diagnostics = diagnostics
    }
}

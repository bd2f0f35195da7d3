import SystemPackage

/// Why the build stage compiled an object, or why it did not need to.
package struct ObjectDecision: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The patch changes its main source.
        case source(String)
        /// The two trees compile it with different commands.
        case command
        /// Only the patched tree builds it.
        case added
        /// Only the original tree builds it.
        case removed
        /// The compiler reads these files of the patch, relative to `xen/`.
        case reads([String])
        /// Nothing that it emits uses what differs, but no other object shows that this file compiles.
        case standsForReaders(of: String)
        /// Not compared: the compiler reads none of the patch's files.
        case readsNoneOfThem
        /// Not compared: it reads some of the patch's files, but its preprocessed source is the same.
        case sameText
        /// Not compared: nothing that the compiler emits for it uses what differs in its preprocessed source; see `SourceDifference`.
        case withoutEffect
    }

    /// `common/kernel.o`.
    package let object: String
    package let reason: Reason

    /// Whether the object was not compiled, or was compiled but not compared.
    package var isSpared: Bool {
        switch reason {
        case .readsNoneOfThem, .sameText, .withoutEffect: true
        default: false
        }
    }
}

/// How far the trees were prepared before any object was compiled.
package struct PreparationDecision: Sendable, Equatable {
    /// Whether make made everything except the objects, rather than the headers alone.
    package let isWhole: Bool
    /// Why make prepared the whole tree: "the patch adds common/new.c". Nil for the headers.
    package let reason: String?
    /// The header whose date, person and machine the objects got; nil for those that make writes.
    package let facts: FilePath?

    package init(isWhole: Bool, reason: String?, facts: FilePath? = nil) {
        self.isWhole = isWhole
        self.reason = reason
        self.facts = facts
    }
}

/// A place in the user's source: a path relative to `xen/` as the compiler knows it, and a line counted from 1.
package struct SourceLocation: Sendable, Equatable, Hashable, Codable, CustomStringConvertible {
    package var file: String
    /// The line, or nil when only the file is known.
    package var line: Int?

    package init(file: String, line: Int? = nil) {
        self.file = file
        self.line = line
    }

    package var description: String { line.map { "\(file):\($0)" } ?? file }
}

/// What a diagnostic means for the run.
package enum Severity: String, Sendable, Equatable, Codable {
    /// Reported, and the payload is written.
    case note
    /// Something the user must know before shipping; the payload is written.
    case warning
    /// The change can't be live-patched as it is: nothing is written.
    case error
}

/// One thing that a stage reports to the user about their change.
///
/// The identifier is stable: scripts may match it, and the documentation has an entry for each.
package struct Diagnostic: Sendable, Equatable, Codable {
    package var id: DiagnosticID
    package var severity: Severity
    /// The symbol concerned, as the object's symbol table has it.
    package var symbol: String?
    /// The section concerned, when no symbol names the place.
    package var section: String?
    package var location: SourceLocation?
    /// One sentence: what happened, and why it matters. No full stop at the end.
    package var message: String
    /// What the user can do: how to rework the patch, or which option to give.
    package var help: String?

    package init(
        _ id: DiagnosticID, _ severity: Severity = .error, symbol: String? = nil, section: String? = nil,
        location: SourceLocation? = nil, message: String, help: String? = nil
    ) {
        self.id = id
        self.severity = severity
        self.symbol = symbol
        self.section = section
        self.location = location
        self.message = message
        self.help = help
    }
}

/// The stable identifiers of all diagnostics about a change. `Docs/Diagnostics.md` has an entry for each.
package enum DiagnosticID: String, Sendable, CaseIterable, Codable {
    // The patch
    case outsideHypervisor = "outside-hypervisor"
    case hunkOffset = "hunk-offset"
    case fileNotBuilt = "file-not-built"
    case buildInputNotUnderstood = "build-input-not-understood"
    case configurationChanged = "configuration-changed"
    case versionChanged = "version-changed"
    case lineNumbersShifted = "line-numbers-shifted"
    // The objects
    case initOnlyChange = "init-only-change"
    case initCodeNeeded = "init-code-needed"
    case initMarkDropped = "init-mark-dropped"
    case dataInitialiserChanged = "data-initialiser-changed"
    case dataSizeChanged = "data-size-changed"
    case dataTypeChanged = "data-type-changed"
    case constantMadeVariable = "constant-made-variable"
    case layoutChanged = "layout-changed"
    case layoutMemberRetyped = "layout-member-retyped"
    case layoutPaddingUsed = "layout-padding-used"
    case layoutValuesAdded = "layout-values-added"
    case layoutKept = "layout-kept"
    case layoutNotChanged = "layout-not-changed"
    case layoutsNotCompared = "layouts-not-compared"
    case constantTableChanged = "constant-table-changed"
    case dataLeftBehind = "data-left-behind"
    case placementChanged = "placement-changed"
    case globalNameMoved = "global-name-moved"
    case perCPUAdded = "per-cpu-added"
    case perCPUChanged = "per-cpu-changed"
    case collectedArrayChanged = "collected-array-changed"
    case specialSectionUnknown = "special-section-unknown"
    case specialEntryIgnored = "special-entry-ignored"
    case sectionNotUnderstood = "section-not-understood"
    case relocationNotUnderstood = "relocation-not-understood"
    case referenceAmbiguous = "reference-ambiguous"
    case labelTableKept = "label-table-kept"
    case correlationAmbiguous = "correlation-ambiguous"
    case variableStartsAnew = "variable-starts-anew"
    case runningValueUnused = "running-value-unused"
    case oldCodeReachable = "old-code-reachable"
    case aliasesReplaced = "aliases-replaced"
    case assemblyChanged = "assembly-changed"
    case objectVanished = "object-vanished"
    case objectRenamed = "object-renamed"
    case instrumentedBuild = "instrumented-build"
    case hookNotSupported = "hook-not-supported"
    case hookKept = "hook-kept"
    // The payload
    case functionTooShort = "function-too-short"
    case functionNotInHypervisor = "function-not-in-hypervisor"
    case symbolNotInHypervisor = "symbol-not-in-hypervisor"
    case symbolAmbiguous = "symbol-ambiguous"
    case globalNameTaken = "global-name-taken"
    case dataNotInHypervisor = "data-not-in-hypervisor"
    case relocationNotLoadable = "relocation-not-loadable"
    case alignmentNotKept = "alignment-not-kept"
    case functionNotPlaceable = "function-not-placeable"
    case bugFrameWithoutFile = "bug-frame-without-file"
    case specialEntryHarmful = "special-entry-harmful"
    case copyIncluded = "copy-travels-along"
    case writableDataInPayload = "writable-data-in-payload"
    case originalDiffers = "original-differs"
    case configurationDiffers = "configuration-differs"
    case originalNotCompared = "original-not-compared"
    case expectationLeftOut = "expectation-left-out"
    case nopsNotPossible = "nops-not-possible"
    case payloadNotPatchable = "payload-not-patchable"
    case appliedFixEnds = "applied-fix-ends"
    case appliedPatchDiffers = "applied-patch-differs"
    case stateLost = "state-lost"
    case loaderRefuses = "loader-refuses"
    case proofFails = "proof-fails"
    case actionHook = "action-hook"
    case runsWhilePatching = "runs-while-patching"
    case neverReturns = "never-returns"
    case onWaitingStacks = "on-waiting-stacks"
    case takesEffectLater = "takes-effect-later"
    case onlyAtBoot = "only-at-boot"
    case neverReached = "never-reached"
    case debugInfoMissing = "debug-info-missing"
}

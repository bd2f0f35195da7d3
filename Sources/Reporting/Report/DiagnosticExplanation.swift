import Diagnostics

/// What a diagnostic was reported for, and how severe it is then.
package struct Situation: Sendable, Equatable, Encodable {
    package var severity: Severity
    /// What was seen, in one sentence.
    package var seen: String

    static func error(_ seen: String) -> Situation { Situation(severity: .error, seen: seen) }
    static func warning(_ seen: String) -> Situation { Situation(severity: .warning, seen: seen) }
    static func note(_ seen: String) -> Situation { Situation(severity: .note, seen: seen) }
}

/// The texts of one entry of the catalogue. They stand in the files named after the stages that find the diagnostics.
struct DiagnosticExplanation: Sendable {
    /// A few words, without a full stop.
    var title: String
    /// The most severe first.
    var situations: [Situation]
    /// Why it matters.
    var meaning: String
    /// A change that leads to it.
    var example: String
    /// What to do about it.
    var advice: String

    init(_ title: String, _ situations: [Situation], meaning: String, example: String, advice: String) {
        self.title = title
        self.situations = situations
        self.meaning = meaning
        self.example = example
        self.advice = advice
    }
}

extension DiagnosticID {
    /// One switch without a default: an identifier without an entry does not compile.
    var explanation: DiagnosticExplanation {
        switch self {
        // The patch
        case .outsideHypervisor: .outsideHypervisor
        case .hunkOffset: .hunkOffset
        case .fileNotBuilt: .fileNotBuilt
        case .buildInputNotUnderstood: .buildInputNotUnderstood
        case .configurationChanged: .configurationChanged
        case .versionChanged: .versionChanged
        case .lineNumbersShifted: .lineNumbersShifted
        // The objects
        case .initOnlyChange: .initOnlyChange
        case .initCodeNeeded: .initCodeNeeded
        case .initMarkDropped: .initMarkDropped
        case .dataInitialiserChanged: .dataInitialiserChanged
        case .dataSizeChanged: .dataSizeChanged
        case .dataTypeChanged: .dataTypeChanged
        case .constantMadeVariable: .constantMadeVariable
        case .layoutChanged: .layoutChanged
        case .layoutMemberRetyped: .layoutMemberRetyped
        case .layoutPaddingUsed: .layoutPaddingUsed
        case .layoutValuesAdded: .layoutValuesAdded
        case .layoutKept: .layoutKept
        case .layoutNotChanged: .layoutNotChanged
        case .layoutsNotCompared: .layoutsNotCompared
        case .constantTableChanged: .constantTableChanged
        case .dataLeftBehind: .dataLeftBehind
        case .placementChanged: .placementChanged
        case .globalNameMoved: .globalNameMoved
        case .perCPUAdded: .perCPUAdded
        case .perCPUChanged: .perCPUChanged
        case .collectedArrayChanged: .collectedArrayChanged
        case .specialSectionUnknown: .specialSectionUnknown
        case .specialEntryIgnored: .specialEntryIgnored
        case .sectionNotUnderstood: .sectionNotUnderstood
        case .relocationNotUnderstood: .relocationNotUnderstood
        case .referenceAmbiguous: .referenceAmbiguous
        case .labelTableKept: .labelTableKept
        case .correlationAmbiguous: .correlationAmbiguous
        case .variableStartsAnew: .variableStartsAnew
        case .runningValueUnused: .runningValueUnused
        case .oldCodeReachable: .oldCodeReachable
        case .aliasesReplaced: .aliasesReplaced
        case .assemblyChanged: .assemblyChanged
        case .objectVanished: .objectVanished
        case .objectRenamed: .objectRenamed
        case .instrumentedBuild: .instrumentedBuild
        case .hookNotSupported: .hookNotSupported
        case .hookKept: .hookKept
        // The payload
        case .functionTooShort: .functionTooShort
        case .functionNotInHypervisor: .functionNotInHypervisor
        case .symbolNotInHypervisor: .symbolNotInHypervisor
        case .symbolAmbiguous: .symbolAmbiguous
        case .globalNameTaken: .globalNameTaken
        case .dataNotInHypervisor: .dataNotInHypervisor
        case .relocationNotLoadable: .relocationNotLoadable
        case .alignmentNotKept: .alignmentNotKept
        case .functionNotPlaceable: .functionNotPlaceable
        case .bugFrameWithoutFile: .bugFrameWithoutFile
        case .specialEntryHarmful: .specialEntryHarmful
        case .copyIncluded: .copyIncluded
        case .writableDataInPayload: .writableDataInPayload
        case .originalDiffers: .originalDiffers
        case .configurationDiffers: .configurationDiffers
        case .originalNotCompared: .originalNotCompared
        case .expectationLeftOut: .expectationLeftOut
        case .nopsNotPossible: .nopsNotPossible
        case .payloadNotPatchable: .payloadNotPatchable
        case .appliedFixEnds: .appliedFixEnds
        case .appliedPatchDiffers: .appliedPatchDiffers
        case .stateLost: .stateLost
        case .loaderRefuses: .loaderRefuses
        case .proofFails: .proofFails
        case .actionHook: .actionHook
        case .runsWhilePatching: .runsWhilePatching
        case .neverReturns: .neverReturns
        case .onWaitingStacks: .onWaitingStacks
        case .takesEffectLater: .takesEffectLater
        case .onlyAtBoot: .onlyAtBoot
        case .neverReached: .neverReached
        case .debugInfoMissing: .debugInfoMissing
        }
    }
}

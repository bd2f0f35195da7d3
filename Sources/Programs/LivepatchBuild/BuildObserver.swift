import Report
import XenBuild

/// Receives the events of a build while it runs.
///
/// Events come in the order of the work, and all of them before the build returns or throws. `progress` events may come from any thread.
package protocol BuildObserver: Sendable {
    func observe(_ event: BuildEvent)

    /// Whether the build sends `decided`. Decisions are many, and putting them into words takes time.
    var wantsDecisions: Bool { get }
}

/// One thing that happened. Events are plain values; the observer chooses the words.
package enum BuildEvent: Sendable, Equatable {
    /// The tree and the targets are known, and no stage has begun. Each target's report has its tree, and also its hypervisor and stack if
    /// these exist already.
    case began([BuildReport])
    /// Sent in a run for several targets only: the stages that follow belong to this target.
    case beganTarget(BuildReport)
    case beganStage(BuildStage)
    /// How far the stage is that began last.
    case progress(StageProgress)
    case endedStage(StageOutcome)
    /// What the stage that ended last decided, and why. Sent only to an observer that wants it.
    case decided([Decision])
    case failedStage(BuildStage, wasInterrupted: Bool)
}

package enum BuildStage: String, Sendable {
    case patch, compile, hypervisor, compare, hunks, link, original, check, proof, effect
}

/// How far a stage is.
package enum StageProgress: Sendable, Equatable {
    /// Sent in the stages `compile` and `hypervisor`.
    case building(BuildProgress)
    /// Sent in the stage `compare`; counts pairs of objects.
    case compared(Int, of: Int)
    case comparingTypes
}

/// The result of a stage.
package enum StageOutcome: Sendable, Equatable {
    case patched(BuildReport.Patch)
    case compiled(BuildReport.Compile)
    case builtHypervisor(buildID: String)
    case compared(BuildReport.Comparison)
    /// How each hunk of the patches ended.
    case accountedFor([BuildReport.Patch.Hunk])
    /// The report so far, with the payload; nil when there was nothing to link.
    case linked(BuildReport?)
    case foundOriginal(BuildReport.Original)
    /// Whether the loader of this version of Xen would accept the payload.
    case checked(isAccepted: Bool, version: String)
    case proven(BuildReport.Proof)
    /// The report, with when the new code of each function runs.
    case foundEffects(BuildReport)
}

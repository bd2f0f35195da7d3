import Report
import XenBuild

/// Who hears what a build does while it does it.
///
/// Events come in the order of the work, and all of a build before it returns or throws. Those of progress may come from any thread.
package protocol BuildObserver: Sendable {
    func observe(_ event: BuildEvent)
}

/// One thing that happened. Events are values: the words are the observer's.
package enum BuildEvent: Sendable, Equatable {
    /// The tree and the targets are known, and no stage has begun. Each target's report has its tree, and its hypervisor and stack if those
    /// run already.
    case began([BuildReport])
    /// In a run for several targets: the stages that follow are this one's.
    case beganTarget(BuildReport)
    case beganStage(BuildStage)
    /// Of the stage that began last.
    case progress(StageProgress)
    case endedStage(StageOutcome)
    /// What the stage that ended last decided, and why.
    case decided([Decision])
    case failedStage(BuildStage, wasInterrupted: Bool)
}

package enum BuildStage: String, Sendable {
    case patch, compile, hypervisor, compare, link, original, check
}

/// How far a stage is.
package enum StageProgress: Sendable, Equatable {
    /// Of `compile` and `hypervisor`.
    case building(BuildProgress)
    /// Of `compare`: pairs of objects.
    case compared(Int, of: Int)
    case comparingTypes
}

/// What came out of a stage.
package enum StageOutcome: Sendable, Equatable {
    case patched(BuildReport.Patch)
    case compiled(BuildReport.Compile)
    case builtHypervisor(buildID: String)
    case compared(BuildReport.Comparison)
    /// The report so far, with the payload; nil when none was linked.
    case linked(BuildReport?)
    case foundOriginal(BuildReport.Original)
    /// What the loader of this version of Xen would say.
    case checked(isAccepted: Bool, version: String)
}

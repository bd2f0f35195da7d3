import TargetArchitecture
import XenSource
import XenVersions

/// What to report about a replaced function that processors may be executing, or that waits on a stack, while payloads are applied.
struct RunningFunctions {
    private let patching: Set<String>
    private let rules: LoaderRules

    init(version: XenVersion, rules: LoaderRules) {
        patching = PatchingFunctions.names(in: version)
        self.rules = rules
    }

    /// - Parameter function: the name in the payload: `FILE#name` for a local one.
    func findings(on function: String) -> [LoadResult.Finding] {
        let name = function.split(separator: "#").last.map(String.init) ?? function
        var findings: [LoadResult.Finding] = []
        if PatchingFunctions.endless.contains(name) {
            findings.append(.init(.neverReturns, "'\(name)' never returns: the processors that are in it stay in the old code"))
        } else if patching.contains(name) {
            findings.append(
                .init(
                    .runsWhilePatching,
                    "processors are in '\(name)' while payloads are applied and reverted: the old code finishes what it began, and after a revert "
                        + "the new code may still run for a moment"))
        }
        if rules.functionsOnWaitingStacks.contains(name) {
            findings.append(
                .init(
                    .onWaitingStacks,
                    "virtual processors that wait have '\(name)' on their stacks: once the new code has run, the payload can be reverted, "
                        + "but must not be unloaded while domains run"))
        }
        return findings
    }
}

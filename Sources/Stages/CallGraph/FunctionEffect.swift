import Diagnostics
import LoaderModel
import XenSource
import XenVersions

/// When the new code of a replaced function runs.
package struct FunctionEffect: Sendable, Equatable {
    /// As in the payload's entry.
    package var name: String
    package var effect: CodeEffect

    /// Without the file of a static function.
    var shortName: String { name.split(separator: "#").last.map(String.init) ?? name }
}

/// Finds out when the new code of each function runs that a payload replaces.
///
/// - Parameters:
///   - payload: as it would be in memory.
///   - running: the hypervisor, with the payloads below.
///   - reading: of that hypervisor.
/// - Returns: nil if the hypervisor's code does not have the functions that things begin with: then nothing can be said about it.
/// - Throws: `CancellationError`.
package func functionEffects(
    of payload: AppliedPayload, on running: RunningHypervisor, _ reading: HypervisorReading
) throws(CancellationError) -> [FunctionEffect]? {
    let graph = try reading.graph(with: running.payloads + [payload])
    let reachability = Reachability(graph)
    guard reachability.isKnown else { return nil }
    return payload.replacements.compactMap { replacement in
        guard let place = graph.function(at: replacement.newAddress) else { return nil }
        return FunctionEffect(name: AppliedPayload.withoutTag(replacement.name), effect: reachability.effect(of: place))
    }
}

extension [FunctionEffect] {
    /// A warning for each reason why new code has no effect on what is there, with the functions that it holds for.
    package var diagnostics: [Diagnostic] {
        var groups: [(verdict: CodeEffect.Verdict, occasions: Set<Occasion>, functions: [FunctionEffect])] = []
        for function in self {
            let occasions = function.effect.verdict == .onlyOnEvent ? Set(function.effect.occasions) : []
            if let index = groups.firstIndex(where: { $0.verdict == function.effect.verdict && $0.occasions == occasions }) {
                groups[index].functions.append(function)
            } else {
                groups.append((function.effect.verdict, occasions, [function]))
            }
        }
        return groups.compactMap { group in group.functions.first.flatMap { Self.diagnostic(for: group.functions, first: $0) } }
    }

    private static func diagnostic(for functions: [FunctionEffect], first: FunctionEffect) -> Diagnostic? {
        let names = functions.map { "'\($0.shortName)'" }.listed(atMost: 4), one = functions.count == 1
        let way = first.effect.way.count > 1 ? " (\(first.effect.way.map(\.name).joined(separator: " → ")))" : ""
        switch first.effect.verdict {
        case .runsOnItsOwn, .onlyThroughPointer: return nil
        case .onlyOnEvent:
            let when = first.effect.occasions.map(\.words).joined(separator: ", or ")
            return Diagnostic(
                .takesEffectLater, .warning, symbol: first.name,
                message: "\(names) \(one ? "runs" : "run") only \(when)\(way): what is set up already keeps what the old code did",
                help: "a load hook can do it now for what exists, see `xsplice-build explain takes-effect-later`")
        case .onlyAtBoot:
            return Diagnostic(
                .onlyAtBoot, .warning, symbol: first.name,
                message: "\(names) \(one ? "runs" : "run") only at boot\(way): the change has no effect on a hypervisor that has booted")
        case .never:
            return Diagnostic(
                .neverReached, .warning, symbol: first.name,
                message: "nothing in this hypervisor leads to \(names): the new code of \(one ? "it" : "them") never runs",
                help: "where the compiler inlined \(one ? "it" : "them"), the functions around are replaced too, and have a verdict of their own")
        }
    }
}

import CallGraph
import XenSource
import XenVersions

/// When functions of a hypervisor run: what `effect` prints.
package struct EffectListing: Sendable, Equatable, Encodable {
    package struct Function: Sendable, Equatable, Encodable {
        package var name: String
        /// As in the hypervisor's symbol table; nil for a global function.
        package var file: String?
        package var effect: BuildReport.Effect
    }

    package var xenSyms: String
    package var buildID: String
    /// Sorted by file and name.
    package var functions: [Function]

    /// The names that were asked for and that no function has.
    package var missing: [String]

    private enum CodingKeys: CodingKey { case xenSyms, buildID, functions }

    /// - Parameter names: of the functions to list; `FILE#NAME` for a static one of several. Empty for all that stay in memory after boot.
    package init(_ image: XenImage, _ reachability: Reachability, names: [String]) {
        xenSyms = image.path.string
        buildID = BuildIDNote.text(image.buildID)
        func allNames(of place: CallGraph.Place) -> Set<String> { place.names.union(place.file.map { ["\($0)#\(place.name)"] } ?? []) }
        let wanted = Set(names), all = reachability.functions
        let chosen = all.filter { wanted.isEmpty ? !$0.place.isBoot : !wanted.isDisjoint(with: allNames(of: $0.place)) }
        functions = chosen.map { Function(name: $0.place.name, file: $0.place.file, effect: BuildReport.Effect($0.effect)) }
            .sorted { ($0.file ?? "", $0.name) < ($1.file ?? "", $1.name) }
        missing = wanted.subtracting(chosen.flatMap { allNames(of: $0.place) }).sorted()
    }
}

/// The text of a listing.
package enum EffectText {
    package static func render(_ listing: EffectListing, isWhole: Bool, style: TextStyle) -> String {
        isWhole ? counts(listing, style: style) : listing.functions.map { block($0, style: style) }.joined(separator: "\n\n")
    }

    private static func counts(_ listing: EffectListing, style: TextStyle) -> String {
        let rows = CodeEffect.Verdict.allCases.map { verdict in (verdict, listing.functions.count { $0.effect.verdict == verdict }) }
        let width = rows.map { grouped($0.1).count }.max() ?? 0
        let lines = rows.map { verdict, count in "  \(grouped(count).alignedRight(to: width))  \(words(verdict))" }
        return (["\(counted(listing.functions.count, "function")) of \(style.shown(listing.xenSyms))"] + lines).joined(separator: "\n")
    }

    private static func words(_ verdict: CodeEffect.Verdict) -> String {
        switch verdict {
        case .runsOnItsOwn: "run on their own"
        case .onlyOnEvent: "run only when something is set up: a processor, a domain, a machine that resumes"
        case .onlyThroughPointer: "are called only through a pointer that was given away"
        case .onlyAtBoot: "run only at boot"
        case .never: "are never reached"
        }
    }

    private static func block(_ function: EffectListing.Function, style: TextStyle) -> String {
        var lines = [style.paint(style.shown(function.name), .bold) + (function.file.map { "   " + style.shown($0) } ?? "")]
        let when = function.effect.occasions.map(\.words)
        lines.append("  " + (function.effect.verdict == .runsOnItsOwn ? "runs " + when.joined(separator: ", ") : function.effect.words))
        for (number, step) in function.effect.way.enumerated() where function.effect.way.count > 1 {
            lines.append("  \(number == 0 ? "  " : style.arrow + " ")\(style.shown(step.name))" + (step.how.map { $0 == "calls" ? "" : "   (\($0))" } ?? ""))
        }
        return lines.joined(separator: "\n")
    }
}

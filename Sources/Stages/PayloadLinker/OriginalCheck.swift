import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource

/// Holds each function that is to be replaced, as compiled here from the original source, against the code that runs in its place.
///
/// A payload for a hypervisor that was built from other source, with another compiler or configuration, would load and crash it.
struct OriginalCheck {
    let sets: [ChangeSet]
    let selection: Selection
    let architecture: any TargetArchitecture

    struct Verdict {
        var equal = 0
        /// Of them, those that are so in their instructions, not in all their bytes.
        var equalInInstructions = 0
        var unequal: [UnequalOriginal] = []
        var diagnostics: [Diagnostic] = []
    }

    private var hypervisor: Hypervisor { selection.hypervisor }

    func run() -> Verdict {
        var verdict = Verdict()
        for node in selection.carried where selection.isReplacement(node) {
            let set = sets[node.object]
            guard let symbol = selection.running(node) else { continue }
            let twin = set.twins.original[node.item].map { Node(object: node.object, item: $0) } ?? selection.moved.origins[node]
            guard let twin else {
                verdict.diagnostics.append(
                    Diagnostic(
                        .originalNotCompared, .warning, symbol: symbol.qualifiedName, location: set.locations[node.item],
                        message: "the hypervisor's '\(symbol.qualifiedName)' is of a file that this patch does not touch: it is replaced, but was not compared with the source"))
                continue
            }
            switch agreement(twin.item, symbol, object: twin.object) {
            case .identical: verdict.equal += 1
            case .sameInstructions:
                verdict.equal += 1
                verdict.equalInInstructions += 1
            case .different(let difference):
                let neighbours = neighbours(of: twin)
                verdict.unequal.append(
                    UnequalOriginal(
                        name: symbol.qualifiedName, objectName: sets[twin.object].objectName, source: sets[twin.object].source,
                        location: set.locations[node.item], difference: difference, otherFunctions: neighbours.all,
                        otherFunctionsEqual: neighbours.equal, payload: hypervisor.running.replacement(of: symbol)?.payload.name))
            }
        }
        return verdict
    }

    /// A function and its unlikely part.
    private func agreement(_ index: Int, _ symbol: XenImage.Symbol, object: Int) -> CodeAgreement {
        let running = hypervisor.running.replacement(of: symbol)?.code
        let whole = code(index, object, running?.newAddress ?? symbol.address, running?.newSize ?? symbol.size).agreement()
        if case .different = whole { return whole }
        var result = whole
        for (part, item) in sets[object].original.items.enumerated() where item.parent == index {
            guard let place = hypervisor.symbol(of: part, object: object) else { continue }
            switch code(part, object, place.address, place.size).agreement() {
            case .identical: break
            case .sameInstructions: result = .sameInstructions
            case .different(let difference): return .different("its unlikely part: \(difference)")
            }
        }
        return result
    }

    private func code(_ index: Int, _ object: Int, _ address: UInt64, _ size: UInt64) -> RunningCode {
        RunningCode(
            sets: sets, hypervisor: hypervisor, architecture: architecture, object: object, index: index, address: address, size: size)
    }

    /// How many other functions of the same object the hypervisor has, and how many of them agree.
    private func neighbours(of node: Node) -> (all: Int, equal: Int) {
        var (all, equal) = (0, 0)
        for (index, item) in sets[node.object].original.items.enumerated()
        where index != node.item && item.kind == .function && item.role == .code && item.parent == nil && item.isNamed {
            guard let symbol = hypervisor.symbol(of: index, object: node.object) else { continue }
            all += 1
            if case .different = agreement(index, symbol, object: node.object) { continue }
            equal += 1
        }
        return (all, equal)
    }
}

/// A function to be replaced that is not what runs, and what else is known of its object.
package struct UnequalOriginal: Sendable, Equatable {
    /// As in the hypervisor's symbol table.
    package var name: String
    package var objectName: String
    /// Relative to `xen/`.
    package var source: String
    package var location: SourceLocation?
    /// What differs first.
    package var difference: String
    /// The other functions of the object that the hypervisor has, and those of them that agree.
    package var otherFunctions: Int
    package var otherFunctionsEqual: Int
    /// The applied payload whose version of the function was looked at; nil for the hypervisor's own.
    package var payload: String?

    package init(
        name: String, objectName: String, source: String, location: SourceLocation?, difference: String, otherFunctions: Int,
        otherFunctionsEqual: Int, payload: String? = nil
    ) {
        self.name = name
        self.objectName = objectName
        self.source = source
        self.location = location
        self.difference = difference
        self.otherFunctions = otherFunctions
        self.otherFunctionsEqual = otherFunctionsEqual
        self.payload = payload
    }
}

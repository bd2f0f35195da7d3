import Diagnostics
import ObjectDiff
import TargetArchitecture
import XenSource

/// Compares each function to be replaced, as compiled here from the original source, with the code that runs in its place; and the other
/// functions of the objects that code comes from.
///
/// If the hypervisor was built from other source, or with another compiler or configuration, the payload would load and crash it. A function
/// that agrees does not prove the rest: a struct may be laid out otherwise in a part that only the new code uses.
struct OriginalCheck: Sendable {
    /// How many functions agree.
    private(set) var equal = 0
    /// How many of those agree only in their instructions, not in all their bytes.
    private(set) var equalInInstructions = 0
    private(set) var unequal: [UnequalOriginal] = []
    private(set) var diagnostics: [Diagnostic] = []
}

/// Checks all functions that the payload replaces.
func verifyOriginals(_ selection: Selection, _ input: LinkInput) -> OriginalCheck { OriginalCheck(selection, input) }

extension OriginalCheck {
    fileprivate init(_ selection: Selection, _ input: LinkInput) {
        var compared: [ObjectID: Set<OriginalItem.ID>] = [:]
        for key in selection.included where input.objects[key].item.kind == .function { compared[key.object] = [] }
        for key in selection.included where input.isReplacement(key) {
            guard let symbol = input.running(key) else { continue }
            let location = input.objects[key].location
            guard let original = input.original(key) else {
                diagnostics.append(
                    Diagnostic(
                        .originalNotCompared, .warning, symbol: symbol.qualifiedName, location: location,
                        message:
                            "the hypervisor's '\(symbol.qualifiedName)' comes from a file that this patch does not touch: it is replaced, but was not compared with its source"
                    ))
                continue
            }
            // Assembly without `.size`: the hypervisor does not say where the function ends. It is refused as too short.
            if symbol.size == 0 { continue }
            compared[original.object, default: []].insert(original.item)
            let functions = OriginalFunctions(set: input.objects[original.object], input: input)
            switch functions.agreement(original.item, symbol) {
            case .identical: equal += 1
            case .sameInstructions:
                equal += 1
                equalInInstructions += 1
            case .different(let difference):
                let neighbours = functions.neighbours(of: original.item)
                unequal.append(
                    UnequalOriginal(
                        name: symbol.qualifiedName, objectName: original.object.name, source: functions.set.source, location: location,
                        difference: difference, otherFunctions: neighbours.all, otherFunctionsEqual: neighbours.equal,
                        payload: input.hypervisor.running.replacement(of: symbol)?.payload.name))
            }
        }
        for (object, items) in compared.sorted(by: { $0.key < $1.key }) where !unequal.contains(where: { $0.objectName == object.name }) {
            let functions = OriginalFunctions(set: input.objects[object], input: input)
            if let neighbour = functions.unequalNeighbour(besides: items) ?? functions.unequalVariable() { unequal.append(neighbour) }
        }
    }
}

/// The functions of one original object, with the running hypervisor to compare them with.
private struct OriginalFunctions {
    let set: ChangeSet
    let input: LinkInput

    /// Compares a function together with its cold part.
    ///
    /// - Parameter comparesTexts: whether strings must be the same.
    func agreement(_ id: OriginalItem.ID, _ symbol: XenImage.Symbol, comparesTexts: Bool = true) -> CodeAgreement {
        let running = input.hypervisor.running.replacement(of: symbol)?.code
        let whole = code(set.original[id], running?.newAddress ?? symbol.address, running?.newSize ?? symbol.size, comparesTexts).agreement()
        if case .different = whole { return whole }
        var result = whole
        for part in set.original.items where part.parent == id {
            guard let place = input.hypervisor.symbol(of: OriginalKey(object: set.object, item: part.id)) else { continue }
            switch code(part, place.address, place.size, comparesTexts).agreement() {
            case .identical: break
            case .sameInstructions: result = .sameInstructions
            case .different(let difference): return .different("its unlikely part: \(difference)")
            }
        }
        return result
    }

    private func code(_ item: OriginalItem, _ address: UInt64, _ size: UInt64, _ comparesTexts: Bool) -> RunningCode {
        RunningCode(
            graph: set.original, hypervisor: input.hypervisor, architecture: input.architecture, item: item, address: address, size: size,
            comparesTexts: comparesTexts)
    }

    /// The first of the object's other functions that differs. Boot code counts, too: it shows the same structs.
    func unequalNeighbour(besides items: Set<OriginalItem.ID>) -> UnequalOriginal? {
        for (item, symbol) in running(besides: items) {
            // What an applied patch does to boot code and to initial values is in no payload.
            guard symbol.size > 0, !isTakenOver(item, symbol), !symbol.isFreedAfterBoot || !input.hypervisor.hasOtherBootCode(set.object),
                case .different(let difference) = agreement(item.id, symbol, comparesTexts: false)
            else { continue }
            return unequal(symbol, difference, besides: item.id)
        }
        return nil
    }

    /// The first of the object's variables and constants that has another size or another initial value. New code may have either in its
    /// instructions.
    func unequalVariable() -> UnequalOriginal? {
        for item in set.original.items where item.kind == .data && item.isNamed {
            guard let symbol = input.hypervisor.symbol(of: OriginalKey(object: set.object, item: item.id)), symbol.size > 0 || item.size == 0,
                !isTakenOver(item, symbol), isAsBuilt(item) || symbol.payload != nil,
                let difference = code(item, symbol.address, symbol.size, false).dataDifference()
            else { continue }
            return unequal(symbol, difference, besides: item.id)
        }
        return nil
    }

    /// Whether the hypervisor has another file's strong definition instead.
    private func isTakenOver(_ item: OriginalItem, _ symbol: XenImage.Symbol) -> Bool { item.isWeak && !symbol.isWeak }

    private func isAsBuilt(_ item: OriginalItem) -> Bool { input.hypervisor.isAsBuilt(OriginalKey(object: set.object, item: item.id)) }

    private func unequal(_ symbol: XenImage.Symbol, _ difference: String, besides item: OriginalItem.ID) -> UnequalOriginal {
        let neighbours = neighbours(of: item)
        return UnequalOriginal(
            name: symbol.qualifiedName, objectName: set.object.name, source: set.source, location: SourceLocation(file: set.originalSource ?? set.source),
            difference: difference, otherFunctions: neighbours.all, otherFunctionsEqual: neighbours.equal,
            payload: input.hypervisor.running.replacement(of: symbol)?.payload.name, isReplaced: false)
    }

    /// The other functions of the object that the hypervisor has.
    private func running(besides items: Set<OriginalItem.ID>) -> [(item: OriginalItem, symbol: XenImage.Symbol)] {
        set.original.items.filter { $0.kind == .function && $0.isNamed && $0.parent == nil && !items.contains($0.id) }.compactMap { item in
            input.hypervisor.symbol(of: OriginalKey(object: set.object, item: item.id)).map { (item, $0) }
        }
    }

    /// How many other functions of the same object the hypervisor has, and how many of them agree.
    func neighbours(of id: OriginalItem.ID) -> (all: Int, equal: Int) {
        var (all, equal) = (0, 0)
        for (item, symbol) in running(besides: [id]) {
            all += 1
            if case .different = agreement(item.id, symbol) { continue }
            equal += 1
        }
        return (all, equal)
    }
}

/// A function that differs from the running one, and what else is known about its object.
package struct UnequalOriginal: Sendable, Equatable {
    /// The name in the hypervisor's symbol table.
    package var name: String
    package var objectName: String
    /// Relative to `xen/`.
    package var source: String
    package var location: SourceLocation?
    /// What differs first.
    package var difference: String
    /// How many other functions of the object the hypervisor has, and how many of those agree.
    package var otherFunctions: Int
    package var otherFunctionsEqual: Int
    /// The applied payload that the compared version of the function belongs to; nil for the hypervisor's own.
    package var payload: String?
    /// False for a function that the payload leaves alone, in an object that it includes code of.
    package var isReplaced: Bool

    package init(
        name: String, objectName: String, source: String, location: SourceLocation?, difference: String, otherFunctions: Int,
        otherFunctionsEqual: Int, payload: String? = nil, isReplaced: Bool = true
    ) {
        self.name = name
        self.objectName = objectName
        self.source = source
        self.location = location
        self.difference = difference
        self.otherFunctions = otherFunctions
        self.otherFunctionsEqual = otherFunctionsEqual
        self.payload = payload
        self.isReplaced = isReplaced
    }
}

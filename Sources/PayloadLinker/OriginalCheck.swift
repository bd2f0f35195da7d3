import Diagnostics
import ELFModel
import ObjectDiff
import TargetArchitecture
import XenSource

/// Holds each function that is to be replaced, as compiled here from the original source, against the running hypervisor.
///
/// A payload for a hypervisor that was built from other source, with another compiler or configuration, would load and crash it.
struct OriginalCheck {
    let sets: [ChangeSet]
    let selection: Selection
    let architecture: any TargetArchitecture

    struct Verdict {
        var equalCount = 0
        var diagnostics: [Diagnostic] = []
    }

    private var image: XenImage { selection.hypervisor.image }

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
            let item = sets[twin.object].original.items[twin.item]
            guard let difference = difference(item, symbol, object: twin.object) else {
                verdict.equalCount += 1
                continue
            }
            verdict.diagnostics.append(
                Diagnostic(
                    .originalDiffers, .error, symbol: symbol.qualifiedName, location: set.locations[node.item],
                    message: "'\(symbol.qualifiedName)' as compiled here is not what the hypervisor runs: \(difference)",
                    help: "give the source, the configuration (-c) and the compiler (CC) that the hypervisor was built with; --trust-source goes on all the same"))
        }
        return verdict
    }

    /// nil when the item's bytes, relocated to the symbol's address, are what the hypervisor has there.
    private func difference(_ item: Item, _ symbol: XenImage.Symbol, object: Int) -> String? {
        let graph = sets[object].original
        guard symbol.size == UInt64(item.symbolSize) else { return "\(item.symbolSize) bytes here, \(symbol.size) there" }
        guard let there = image.bytes(at: symbol.address, count: item.size).map(Array.init) else {
            return "xen-syms has no bytes at its address"
        }
        let here = Array(graph.bytes(of: item))
        guard here.count == there.count else { return "its bytes are missing here" }
        var slots = IndexSet(count: here.count)
        for reference in item.references {
            let width = architecture.relocationKind(reference.type)?.width ?? 0
            slots.insert(reference.offset..<min(reference.offset + width, here.count))
            if let difference = difference(reference, width, item, symbol, there, object) { return difference }
        }
        for index in here.indices where !slots.contains(index) && here[index] != there[index] {
            return "they differ from byte \(index) on"
        }
        return nil
    }

    private func difference(
        _ reference: Reference, _ width: Int, _ item: Item, _ symbol: XenImage.Symbol, _ there: [UInt8], _ object: Int
    ) -> String? {
        guard reference.offset + width <= there.count, width == 4 || width == 8 else { return nil }
        let raw = there[reference.offset..<reference.offset + width]
        let little = architecture.byteOrder == .little ? Array(raw.reversed()) : Array(raw)
        let stored = little.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let isRelative = architecture.relocationKind(reference.type)?.isPCRelative ?? false
        let value = isRelative && width == 4 ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: stored))) : stored
        let place = symbol.address &+ UInt64(reference.offset)
        let start = (isRelative ? value &+ place : value) &- UInt64(bitPattern: reference.addend)
        let what = "byte \(reference.offset) refers to something else"

        switch reference.target {
        case .absolute(let expected): return start == expected ? nil : what
        case .unclear: return nil
        case .external(let name):
            guard let expected = image.global(name) else { return "it needs '\(name)', which the hypervisor does not have" }
            return start == expected.address ? nil : "\(what) than '\(name)'"
        case .item(let index):
            let target = sets[object].original.items[index]
            if let expected = selection.hypervisor.symbol(of: target, object: object) {
                return start == expected.address ? nil : "\(what) than '\(target.name)'"
            }
            // Strings and constants have no symbols there: what is found at the place decides.
            guard target.references.isEmpty, !target.isZeroFilled, target.size > 0 else { return nil }
            let expected = sets[object].original.bytes(of: target)
            guard let found = image.bytes(at: start, count: target.size) else { return what }
            return found.elementsEqual(expected) ? nil : "\(what): '\(text(expected))' here, '\(text(found))' there"
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(40).filter { $0 >= 32 && $0 < 127 }, as: UTF8.self)
    }
}

/// A set of small indices.
private struct IndexSet {
    private var members: [Bool]
    init(count: Int) { members = Array(repeating: false, count: count) }
    mutating func insert(_ range: Range<Int>) {
        for index in range where members.indices.contains(index) { members[index] = true }
    }
    func contains(_ index: Int) -> Bool { members[index] }
}

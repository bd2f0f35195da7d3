import Diagnostics
import ObjectDiff

/// A warning for each function that the patch removes or renames, although its address was taken.
///
/// A payload replaces functions under the names that they have. A function that is gone keeps its code in the hypervisor, and nothing leads
/// from there to the new code. Its callers are compiled again and are part of the change, but a stored pointer to it stays as it is.
func removedFunctions(_ input: LinkInput) -> [Diagnostic] {
    let gone = input.objects.sets.flatMap { set in
        set.removed.map { OriginalKey(object: set.object, item: $0) }.filter { key in
            let item = set.original[key.item]
            guard item.isRuntimeFunction, let symbol = input.hypervisor.symbol(of: key), !symbol.isFreedAfterBoot else { return false }
            // A function that moves to another file is still replaced.
            return !item.isGlobal || item.names.allSatisfy { input.definer(of: $0) == nil }
        }
    }
    guard !gone.isEmpty else { return [] }
    let takers = AddressTakers(input)
    return gone.sorted().compactMap { key in
        let set = input.objects[key.object], name = set.original[key.item].name
        guard let taker = takers.taker(of: key) else { return nil }
        return Diagnostic(
            .oldCodeReachable, .warning, symbol: name, location: SourceLocation(file: set.originalSource ?? set.source),
            message: "function '\(name)' is gone or has another name now, and \(taker) took its address: whoever kept that address still calls the old code",
            help: "leave the function its name, and change what it does; or replace the stored pointers in a load hook")
    }
}

/// Which items of the original objects take the addresses of functions: with anything but a call or a jump.
private struct AddressTakers {
    private var ofItems: [OriginalKey: String] = [:]
    private var ofNames: [String: String] = [:]
    private let objects: Objects

    init(_ input: LinkInput) {
        objects = input.objects
        for set in objects.sets {
            for item in set.original.items {
                let taker = item.isNamed ? "'\(item.name)'" : "data of \(set.original.sectionName(of: item))"
                for reference in item.references where reference.distance == 0 && !isBranch(reference, of: item, in: set, input) {
                    switch reference.target {
                    case .item(let id):
                        let key = OriginalKey(object: set.object, item: id)
                        if ofItems[key] == nil, id != item.id { ofItems[key] = taker }
                    case .external(let name): if ofNames[name] == nil { ofNames[name] = taker }
                    case .absolute, .unclear: break
                    }
                }
            }
        }
    }

    /// The first one in the objects' order, for a message; nil if there is none.
    func taker(of key: OriginalKey) -> String? {
        if let taker = ofItems[key] { return taker }
        let item = objects.item(key)
        return item.isGlobal ? item.names.lazy.compactMap { ofNames[$0] }.first : nil
    }

    private func isBranch(_ reference: OriginalItem.Reference, of item: OriginalItem, in set: ChangeSet, _ input: LinkInput) -> Bool {
        guard item.kind == .function || item.kind == .replacementCode else { return false }
        if input.architecture.relocationKind(reference.type)?.isBranch == true { return true }
        let text = input.architecture.instructionText(at: reference.offset, in: set.original.bytes(of: item))
        // On x86, `call` and all kinds of `jmp`. Where instructions have no text, only the relocation tells.
        return text?.mnemonic.map { $0.hasPrefix("call") || $0.hasPrefix("j") } ?? false
    }
}

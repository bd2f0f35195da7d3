import Diagnostics
import ELFModel
import ObjectDiff
import XenSource

/// An error for each global function or variable that the patch removes or makes static, although other code still uses it.
///
/// The patched source can be linked only if another definition takes its place for these users: a weak one, or one of a library. In the
/// running hypervisor they stay bound to the one that was there, and new code would be, too.
func lostDefinitions(_ input: LinkInput) -> [Diagnostic] {
    let lost = input.objects.sets.flatMap { set -> [LostDefinition] in
        let items = set.original.items.filter { $0.isGlobal && ($0.isRuntimeFunction || $0.kind == .data && $0.role != .boot) }
        return items.flatMap { item in
            item.names.compactMap { name in
                guard isLost(name, of: item, in: set, input), let symbol = input.hypervisor.global(name), !symbol.isFreedAfterBoot else { return nil }
                let size = item.kind == .data ? UInt64(max(item.size, 1)) : 1
                return LostDefinition(set: set, item: item, name: name, addresses: symbol.address..<symbol.address &+ size)
            }
        }
    }
    guard !lost.isEmpty else { return [] }
    let users = Users(of: lost, input)
    return lost.compactMap { definition in
        guard let user = users.first(of: definition) else { return nil }
        let name = definition.name, successor = definition.set.successor(of: definition.item.id)
        let isFunction = definition.item.kind == .function, isGone = successor.map { $0.item.isGlobal } ?? true
        return Diagnostic(
            .globalNameMoved, .error, symbol: name,
            location: successor.flatMap(\.location) ?? SourceLocation(file: definition.set.originalSource ?? definition.set.source),
            message:
                "the global \(isFunction ? "function" : "variable") '\(name)' \(isGone ? "is gone" : "becomes static"), and '\(user)' still uses it: "
                + "the patched source can be linked only if another definition takes its place, and in the running hypervisor none can",
            help: isFunction ? "keep the function, and let it do what the other definition does" : "keep the variable")
    }
}

/// Whether the hypervisor took a name from this item, and the patched objects leave it to another definition.
private func isLost(_ name: String, of item: OriginalItem, in set: ChangeSet, _ input: LinkInput) -> Bool {
    let key = OriginalKey(object: set.object, item: item.id)
    guard let symbol = input.hypervisor.symbol(of: key), symbol.payload == nil,
        input.hypervisor.global(name)?.address == symbol.address, !item.weakNames.contains(name) || symbol.isWeak
    else { return false }
    guard let definer = input.definer(of: name) else { return true }
    // A weak definition that was there all along did not become this one.
    return input.item(definer).weakNames.contains(name) && !item.weakNames.contains(name) && input.objects.twin(of: definer) != key
}

private struct LostDefinition {
    let set: ChangeSet
    let item: OriginalItem
    let name: String
    /// In the running hypervisor: of a function, where it starts; of a variable, all of it.
    let addresses: Range<UInt64>
}

/// Who uses lost definitions once the patch is in.
private struct Users {
    /// Users of a name in the patched objects.
    private var byName: [String: Set<String>] = [:]
    /// Users of an address among what was not compiled, by where the definition starts: functions, and variables with its address in them.
    private var byAddress: [UInt64: Set<String>] = [:]

    init(of lost: [LostDefinition], _ input: LinkInput) {
        let names = Set(lost.map(\.name))
        var compiled: Set<UInt64> = []
        for set in input.objects.sets {
            for item in set.original.items where item.isNamed {
                if let symbol = input.hypervisor.symbol(of: OriginalKey(object: set.object, item: item.id)) { compiled.insert(symbol.address) }
            }
            for item in set.patched.items where item.isNamed && item.role != .boot {
                for name in item.allReferences.compactMap({ Self.name($0.target, in: set.patched) }) where names.contains(name) {
                    byName[name, default: []].insert(item.name)
                }
            }
        }
        let image = input.hypervisor.image, architecture = input.architecture
        for symbol in image.functions + image.unsizedCode + image.variables where !symbol.isFreedAfterBoot && !compiled.contains(symbol.address) {
            guard let bytes = image.bytes(at: symbol.address, count: Int(clamping: symbol.size)) else { continue }
            let places =
                symbol.isFunction
                ? architecture.namedPlaces(in: bytes, at: symbol.address)
                : bytes.addresses(size: architecture.elfClass.addressSize, order: architecture.byteOrder)
            for definition in lost where places.contains(where: definition.addresses.contains) {
                byAddress[definition.addresses.lowerBound, default: []].insert(symbol.qualifiedName)
            }
        }
    }

    /// The name by which the linker finds what a reference means: a weak definition of its own object gives way to any other.
    private static func name(_ target: PatchedItem.Reference.Target, in graph: ObjectGraph<PatchedSide>) -> String? {
        switch target {
        case .external(let name): name
        case .item(let id) where graph[id].isGlobal && graph[id].isWeak: graph[id].name
        default: nil
        }
    }

    /// The first one in the order of names; nil if there is none.
    func first(of definition: LostDefinition) -> String? {
        (byAddress[definition.addresses.lowerBound] ?? []).union(byName[definition.name] ?? []).min()
    }
}

extension ArraySlice<UInt8> {
    /// What stands in the words of a variable.
    fileprivate func addresses(size: Int, order: ByteOrder) -> Set<UInt64> {
        Set(stride(from: 0, to: count - size + 1, by: size).map { order.number(dropFirst($0).prefix(size)) })
    }
}

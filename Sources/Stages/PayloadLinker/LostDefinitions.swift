import Diagnostics
import ObjectDiff
import XenSource

/// An error for each global function that the patch removes or makes static, although code that stays in the hypervisor calls it.
///
/// The patched source can be linked only if another definition takes its place for those callers: a weak one, or one of a library. The
/// callers in the running hypervisor stay bound to the one that was there.
func lostDefinitions(_ input: LinkInput) -> [Diagnostic] {
    let lost = input.objects.sets.flatMap { set -> [LostDefinition] in
        set.original.items.filter { $0.isGlobal && $0.isRuntimeFunction }.compactMap { item in
            guard item.names.allSatisfy({ input.definer(of: $0) == nil }),
                let symbol = input.hypervisor.symbol(of: OriginalKey(object: set.object, item: item.id)),
                symbol.payload == nil, !symbol.isFreedAfterBoot
            else { return nil }
            return LostDefinition(set: set, item: item, address: symbol.address)
        }
    }
    guard !lost.isEmpty else { return [] }
    let callers = StayingCallers(of: Set(lost.map(\.address)), input)
    return lost.compactMap { definition in
        guard let caller = callers.caller(of: definition) else { return nil }
        let successor = definition.set.successor(of: definition.item.id)
        return Diagnostic(
            .globalNameMoved, .error, symbol: definition.item.name,
            location: successor.flatMap(\.location) ?? SourceLocation(file: definition.set.originalSource ?? definition.set.source),
            message:
                "the global function '\(definition.item.name)' \(successor == nil ? "is gone" : "becomes static"), and '\(caller)', which stays, calls it: "
                + "in the patched source another definition takes its place, and in the running hypervisor none can",
            help: "keep the function, and let it do what the other definition does")
    }
}

private struct LostDefinition {
    let set: ChangeSet
    let item: OriginalItem
    let address: UInt64
}

/// Which functions of the hypervisor call others, as far as the patch leaves these calls alone.
private struct StayingCallers {
    private var callers: [UInt64: [String]] = [:]
    /// The compiled functions, by their addresses in the hypervisor.
    private let compiled: [UInt64: (set: ChangeSet, item: OriginalItem)]

    init(of targets: Set<UInt64>, _ input: LinkInput) {
        let known = input.objects.sets.flatMap { set in
            set.original.items.filter { $0.kind == .function && $0.isNamed }.compactMap { item in
                input.hypervisor.symbol(of: OriginalKey(object: set.object, item: item.id)).map { ($0.address, (set, item)) }
            }
        }
        compiled = Dictionary(known) { first, _ in first }
        for function in input.hypervisor.image.functions where !function.isFreedAfterBoot {
            let code = input.hypervisor.image.bytes(at: function.address, count: Int(clamping: function.size)) ?? []
            let called = (input.architecture.resolvedReferences(code, relocated: []) ?? []).map { function.address &+ UInt64(bitPattern: Int64($0.target)) }
            for address in Set(called).intersection(targets) where stays(function, calling: address) {
                callers[address, default: []].append(function.qualifiedName)
            }
        }
    }

    /// A compiled function still calls another by its name if its patched version does.
    private func stays(_ function: XenImage.Symbol, calling target: UInt64) -> Bool {
        guard let (set, item) = compiled[function.address] else { return true }
        guard let callee = compiled[target], let successor = set.successor(of: item.id) else { return false }
        return successor.item.allReferences.contains { reference in
            if case .external(let name) = reference.target { callee.item.names.contains(name) } else { false }
        }
    }

    /// The first one in the order of names; nil if there is none.
    func caller(of definition: LostDefinition) -> String? { callers[definition.address]?.min() }
}

import ELFModel
import TargetArchitecture
import XenSource

// What entries do to each other's places, and to those of the payloads below.

extension PayloadLoader {
    /// Looks for bytes that two entries overwrite.
    mutating func checkPatches() {
        // Xen reverts in the order in which it applied (`revert_payload`, Xen 4.7 to 4.22): the later entry puts back what the earlier one wrote.
        let ordered = patches.indices.filter { patches[$0].size > 0 }.sorted { (patches[$0].address, $0) < (patches[$1].address, $1) }
        for (one, other) in zip(ordered, ordered.dropFirst()) where patches[one].overlaps(patches[other]) {
            let first = patches[min(one, other)], second = patches[max(one, other)]
            let both =
                functions[one].oldAddress == functions[other].oldAddress
                ? "two entries patch the function '\(first.function)'" : "the entries of '\(first.function)' and '\(second.function)' patch the same bytes"
            spoil(
                second.breaks(first) && first.address != second.address
                    ? "\(both): the second leaves only a part of the first one's jump"
                    : "\(both): when they are reverted, the jump of the first stays, into a payload that can be unloaded",
                at: second.breaks(first) && first.address != second.address ? .call : .revert)
        }
        // A payload on top is reverted first: only half of a jump does harm.
        for below in patchesBelow {
            if let patch = patches.first(where: { $0.breaks(below) }) {
                spoil("'\(patch.function)' is patched where a payload below has its jump from '\(below.function)', and a part of that jump stays", at: .call)
            }
        }
    }

    /// Looks at where the jumps lead.
    mutating func checkNewCode() {
        var jumps: [UInt64: UInt64] = [:]
        for patch in patchesBelow + patches {
            if let target = patch.target { jumps[patch.address] = target }
        }
        let places = (patchesBelow + patches).filter { $0.target != nil }.map(\.address).sorted()
        for patch in patches {
            guard let target = patch.target else { continue }
            if !hasCode(at: target) {
                spoil("'\(patch.function)' is replaced by \(describe(target))", at: .call)
            } else if let middle = jump(around: target, in: places) {
                spoil("'\(patch.function)' is replaced by \(hexadecimal(target)), in the middle of the jump at \(hexadecimal(middle))", at: .call)
            }
        }
        checkLoops(jumps)
    }

    /// The jump that an address is inside of, but not at the start.
    private func jump(around address: UInt64, in places: [UInt64]) -> UInt64? {
        var (low, high) = (0, places.count)
        while low < high {
            let middle = (low + high) / 2
            if places[middle] < address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, places.count <= low || places[low] != address else { return nil }
        let size = UInt64(architecture.trampoline(at: 0, to: 0).count)
        return address - places[low - 1] < size ? places[low - 1] : nil
    }

    /// Jumps that lead to each other in a circle never end.
    private mutating func checkLoops(_ jumps: [UInt64: UInt64]) {
        var endsSomewhere: Set<UInt64> = []
        for patch in patches where patch.target != nil {
            var path: Set<UInt64> = [], place = patch.address
            while let target = jumps[place], !endsSomewhere.contains(place) {
                guard path.insert(place).inserted else {
                    return spoil("the jump of '\(patch.function)' leads back to itself, and never to any code", at: .call)
                }
                place = jumps[target] == nil ? target &+ UInt64(spared(at: target)) : target
            }
            endsSomewhere.formUnion(path)
        }
    }

    /// A payload that takes the place of others must not need them: they can be unloaded afterwards.
    mutating func checkReplacedPayloads() {
        guard replacesPayloads else { return }
        if let name = usesOfPayloads.first {
            spoil("it uses '\(name)' of a payload that it replaces: when that one is unloaded, nothing is there", at: .unloadReplaced)
        }
        for function in functions where !memory.contains(function.oldAddress) && !hypervisor.isInImage(function.oldAddress) {
            spoil("it patches '\(function.name)' of a payload that it replaces: when that one is unloaded, nothing is there to revert", at: .unloadReplaced)
        }
    }
}

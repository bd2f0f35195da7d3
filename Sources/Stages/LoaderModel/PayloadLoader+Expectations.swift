import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

extension PayloadLoader {
    /// Compares what the entries expect with what is in memory when the payload is applied (`livepatch_verify_expectation_fn`, Xen 4.14 and
    /// later): the hypervisor's code after boot, with the jumps of the payloads below.
    mutating func checkExpectations() {
        guard entries.contains(where: { $0.expectation?.isEnabled == true }) else { return }
        let boot = BootChanges(hypervisor, architecture, version)
        var isMet = true
        for (entry, function) in zip(entries, functions) {
            guard let expectation = entry.expectation, expectation.isEnabled, let unmet = fault(expectation, entry, function, boot) else { continue }
            findings.append(.init(.expectationFails, unmet.reason))
            // The first one ends it.
            guard isMet else { continue }
            isMet = false
            if entry.isPrintable {
                unmetExpectation = .init(step: .apply, error: unmet.error, reason: unmet.reason)
            } else {
                spoil("\(unmet.reason), and the hypervisor prints a name that leads to no memory")
            }
        }
    }

    /// Why an expectation is not met, in the order of the hypervisor's checks; nil if it is.
    private mutating func fault(
        _ expectation: FunctionEntry.Expectation, _ entry: Entry, _ function: LoadResult.Function, _ boot: BootChanges
    ) -> (error: LoadResult.ErrorNumber, reason: String)? {
        let count = expectation.count, address = function.oldAddress, name = entry.shown
        if expectation.reserved != 0 { return (.invalid, "reserved bits of \(name)'s expectation are set") }
        if Int(function.oldSize) < count { return (.outOfRange, "the payload expects \(count) bytes of \(name), which has \(function.oldSize)") }
        guard count > 0 else { return nil }
        guard let image = bytes(at: address, count: count) else { return (.invalid, "\(name) does not start with the bytes that the payload expects") }
        var there = image.map(Optional.some)
        for patch in patchesBelow where patch.overlaps(address, count: UInt64(count)) {
            for index in 0..<count where (address &+ UInt64(index)) &- patch.address < patch.size {
                there[index] = patch.bytes?[Int((address &+ UInt64(index)) &- patch.address)]
            }
        }
        let differs = (0..<count).filter { there[$0] != expectation.data[$0] }
        if differs.contains(where: { isPatchedBelow(address &+ UInt64($0)) }) {
            return (.invalid, "\(name) has the jump of a payload below, not the bytes that the payload expects")
        }
        // The processor decides about these bytes, unless a payload below has overwritten them.
        let all = memory.contains(address) ? [] : boot.changes(at: address, count: count)
        func changes(_ index: Int) -> [BootChanges.Change] {
            let byte = address &+ UInt64(index)
            return isPatchedBelow(byte) ? [] : all.filter { byte &- $0.address < $0.size }
        }
        if differs.contains(where: { changes($0).isEmpty }) { return (.invalid, "\(name) does not start with the bytes that the payload expects") }
        if differs.isEmpty, (0..<count).contains(where: { changes($0).contains(where: \.isCertain) }) {
            return (.invalid, "the hypervisor changes the start of \(name) when it boots, and the payload expects it as it was before")
        }
        if (0..<count).contains(where: { !changes($0).isEmpty }) {
            findings.append(
                .init(
                    .dependsOnProcessor,
                    "the payload expects bytes of \(name) that the hypervisor changes at boot on some processors: there it refuses to apply the payload"))
        }
        return nil
    }

    private func isPatchedBelow(_ address: UInt64) -> Bool { patchesBelow.contains { address &- $0.address < $0.size } }
}

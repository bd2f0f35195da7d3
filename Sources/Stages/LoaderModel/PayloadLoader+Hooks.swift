import ELFModel
import TargetArchitecture
import XenVersions

extension PayloadLoader {
    mutating func readHooks() throws(Stop) {
        for hook in abi.hooks {
            guard let (index, section) = section(named: hook.section) else { continue }
            try checkEntries(section, of: pointerSize, .hooks)
            guard hook.isArray || section.size == pointerSize else {
                throw .refuseSilently(.hooks, .invalid, "section \(hook.section) may hold one hook only")
            }
            spoilUnlessAligned(index)
            let name = String(hook.section.dropFirst(abi.hooksPrefix.count))
            if isCalled(hook, index, at: PayloadABI.isForReverting(hook: name) ? .revert : .apply) { hooks.append(name) }
        }
        if let hook = hooks.first(where: PayloadABI.isAction(hook:)), !functions.isEmpty {
            findings.append(
                .init(
                    .actionHook,
                    "the hook \(hook) does the hypervisor's work, and the hypervisor stops itself unless the hook marks every function as done"))
        }
    }

    /// Whether the hypervisor calls the functions in a hook's section.
    private mutating func isCalled(_ hook: PayloadABI.Hook, _ index: Int, at moment: LoadResult.Moment) -> Bool {
        guard sections[index].isLoaded, let bytes = memory.bytes(of: index) else {
            if hook.isArray || behaviour.readsNotLoadedFromFile {
                spoil("section \(hook.section) is not loaded (no SHF_ALLOC), but the loader follows it", at: moment)
            } else {
                findings.append(.init(.tableIgnored, "the hypervisor ignores section \(hook.section), which is not loaded (no SHF_ALLOC)"))
            }
            return false
        }
        for offset in stride(from: 0, to: bytes.count, by: pointerSize) {
            let function = bytes.word(at: UInt64(offset), architecture.elfClass) ?? 0
            if function == 0, !hook.isArray {
                findings.append(.init(.tableIgnored, "the hypervisor ignores section \(hook.section), which holds a null pointer"))
                return false
            } else if function == 0 {
                spoil("section \(hook.section) holds a null pointer, which is called", at: moment)
            } else if !hasCode(at: function) {
                spoil("section \(hook.section) makes the hypervisor call \(describe(function))", at: moment)
            }
        }
        return true
    }
}

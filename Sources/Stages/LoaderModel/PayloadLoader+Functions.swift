import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

/// What the loader keeps of an entry of the functions section, beside what everybody wants to know (`LoadResult.Function`).
struct Entry {
    /// The name, or what stands for it in messages.
    var shown: String
    /// Whether the hypervisor can print the name.
    var isPrintable: Bool
    var expectation: FunctionEntry.Expectation?
}

/// What the name pointer of an entry leads to.
private enum EntryName: Equatable {
    case text(SymbolName)
    /// To memory whose content is not known here.
    case unknown
    /// To nothing: the hypervisor faults when it reads the name.
    case unreadable

    var text: SymbolName? { if case .text(let name) = self { name } else { nil } }
}

extension PayloadLoader {
    mutating func readFunctions() throws(Stop) {
        guard let (index, section) = section(named: abi.functionsSection) else { return }
        let layout = FunctionEntry.Layout(abi, pointerSize: pointerSize)
        try checkEntries(section, of: layout.size, .functions)
        let bytes = try readBytes(index)
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: layout.size) {
            guard let entry = FunctionEntry(bytes[start..<min(start + layout.size, bytes.endIndex)], layout: layout, byteOrder: architecture.byteOrder)
            else { throw .refuse(.functions, .invalid, "an entry is cut short") }
            try readFunction(entry, index)
        }
        if !rules.overridesReadOnly, !behaviour.keepsStateApart, !section.isWritable, !functions.isEmpty {
            spoil("section \(section.name) is read-only, and applying writes to it")
        }
    }

    private mutating func readFunction(_ entry: FunctionEntry, _ section: Int) throws(Stop) {
        guard entry.version == abi.version else {
            throw .refuse(.functions, .notSupported, "an entry has format version \(entry.version), and the loader takes \(abi.version)")
        }
        try checkAligned(section)
        let (newAddress, newSize, oldSize) = (entry.newAddress, entry.newSize, entry.oldSize)
        var oldAddress = entry.oldAddress
        let name = self.name(at: entry.name)
        let shown = name.text?.text ?? "the entry at \(functions.count)"
        let needsNew = !abi.takesHooksAndNOPs && (newAddress == 0 || newSize == 0)
        guard oldSize != 0, !needsNew else {
            throw .refuse(.functions, .invalid, "\(shown) has a size or an address of zero")
        }
        if oldAddress == 0 {
            guard name != .unreadable else { throw .crash("\(shown) has neither an address nor a readable name") }
            guard let text = name.text else { throw .unknown("the name of \(shown) is in memory that the hypervisor changes") }
            guard let found = hypervisor.address(ofSymbol: text), found != 0, !text.isEmpty else {
                throw .refuse(.functions, .notFound, "the hypervisor has no function '\(text.text)'")
            }
            oldAddress = found
        }
        try checkMemory(shown, oldAddress, isReadAtUpload: rules.sparesLandingPads && newAddress != 0)
        functions.append(
            .init(
                name: name.text?.text ?? "", oldAddress: oldAddress, oldSize: oldSize, newAddress: newAddress, newSize: newSize))
        // A null pointer is printed as such.
        entries.append(Entry(shown: shown, isPrintable: name != .unreadable || entry.name < PayloadMemory.pageSize, expectation: entry.expectation))
        try checkRoom(shown, oldAddress, oldSize, newAddress, newSize)
        patches.append(patch(shown, oldAddress, newAddress, newSize))
    }

    /// What applying an entry overwrites. The size of NOPs is counted from the function's start.
    private func patch(_ name: String, _ oldAddress: UInt64, _ newAddress: UInt64, _ newSize: UInt32) -> CodePatch {
        let spared = UInt64(self.spared(at: oldAddress)), place = oldAddress &+ spared
        guard newAddress != 0 else { return CodePatch(function: name, address: place, size: max(UInt64(newSize), spared) - spared) }
        let jump = architecture.trampoline(at: place, to: newAddress)
        return CodePatch(function: name, address: place, size: UInt64(jump.count), target: newAddress, bytes: jump)
    }

    /// How many bytes at a function's start stay as they are when it is patched: the function's mark for indirect calls, if the loader
    /// leaves it alone.
    func spared(at address: UInt64) -> Int {
        guard rules.sparesLandingPads, let start = bytes(at: address, count: architecture.landingPadSize), architecture.beginsWithLandingPad(start)
        else { return 0 }
        return architecture.landingPadSize
    }

    /// What the name pointer of an entry leads to: memory of the payload, or of the hypervisor. No symbol has a name of more than 127 bytes.
    private func name(at address: UInt64) -> EntryName {
        if memory.contains(address) { return memory.string(at: address).map { .text($0) } ?? .unreadable }
        guard address >= PayloadMemory.pageSize, hasMemory(at: address) else { return .unreadable }
        var text: [UInt8] = []
        while text.count < 128 {
            guard let byte = hypervisor.bytes(at: address &+ UInt64(text.count), count: 1)?.first else { return .unknown }
            if byte == 0 { break }
            text.append(byte)
        }
        return .text(SymbolName(text[...]))
    }

    /// If the payload itself contains the address, the hypervisor uses it unchecked. A name may also lead to code that was freed after
    /// boot, because the symbol table still has it. Pages are whole: the hypervisor can also write to what follows its code on the last page.
    private mutating func checkMemory(_ name: String, _ address: UInt64, isReadAtUpload: Bool) throws(Stop) {
        let reason: String
        if memory.contains(address) {
            if rules.patchesImageOnly { spoil("\(name) lies in the payload itself, and this hypervisor can write to its own image only") }
            return
        } else if !hypervisor.hasMemory(at: address) {
            reason = "\(name) is to be patched at \(hexadecimal(address)), which belongs neither to the hypervisor nor to a payload"
        } else if hypervisor.isFreedAfterBoot(address) {
            reason = "\(name) is to be patched, and the hypervisor has freed it after boot"
        } else {
            if rules.patchesImageOnly, !hypervisor.isInImage(address) {
                spoil("\(name) lies in another payload, and this hypervisor can write to its own image only: one payload has to replace all")
            }
            return
        }
        if isReadAtUpload { throw .crash(reason) }
        spoil(reason)
    }

    /// The trampoline or the NOPs must fit into the old function, and the trampoline must reach the new one.
    private mutating func checkRoom(
        _ name: String, _ oldAddress: UInt64, _ oldSize: UInt32, _ newAddress: UInt64, _ newSize: UInt32
    ) throws(Stop) {
        if newAddress == 0 {
            try checkNOPs(name, oldAddress, oldSize, newSize)
            if rules.holdsNOPsToFunction { return }
        }
        let first = bytes(at: oldAddress, count: 4)
        if first == nil {
            findings.append(.init(.originalUnknown, "the first bytes of \(name) are not known: the trampoline may not fit"))
        }
        let needed = architecture.minimumFunctionSize(firstBytes: first ?? [])
        guard oldSize >= needed else {
            throw .refuseSilently(
                .functions, .invalid, "\(name) has \(oldSize) bytes, the trampoline needs \(needed)")
        }
        guard newAddress != 0 else { return }
        // The distance as a signed number of a pointer's size.
        let difference = oldAddress &- newAddress
        let distance = pointerSize == 8 ? Int64(bitPattern: difference) : Int64(Int32(truncatingIfNeeded: difference))
        guard distance >= -architecture.trampolineReach, distance < architecture.trampolineReach else {
            throw .refuseSilently(.functions, .overflow, "\(name) is too far from its replacement")
        }
        let instructions = UInt64(rules.instructionSize)
        if oldAddress % instructions != 0 || newAddress % instructions != 0 {
            spoil("\(name) or its replacement does not start at a multiple of \(instructions)", at: .call)
        }
    }

    private mutating func checkNOPs(_ name: String, _ oldAddress: UInt64, _ oldSize: UInt32, _ newSize: UInt32) throws(Stop) {
        guard newSize <= PayloadABI.maximumNOPs else {
            throw .refuseSilently(.functions, .notSupported, "\(name): at most \(PayloadABI.maximumNOPs) bytes can become NOPs")
        }
        if newSize < spared(at: oldAddress) {
            spoil("\(name): \(newSize) bytes of NOPs end in the mark for indirect calls, which counts and stays: applying overwrites memory without end")
        }
        guard newSize % rules.instructionSize == 0 else {
            throw .refuseSilently(.functions, .notSupported, "\(name): \(newSize) bytes are not a whole number of NOPs of \(rules.instructionSize) bytes")
        }
        guard oldSize < newSize else { return }
        if rules.holdsNOPsToFunction { throw .refuseSilently(.functions, .invalid, "\(name): more NOPs than the function has bytes") }
        spoil("\(name): more NOPs than the function has bytes, so what follows it is overwritten")
    }
}

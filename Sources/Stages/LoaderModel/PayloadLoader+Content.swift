import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

extension PayloadLoader {
    /// Checks the sections that every payload must have.
    func checkRequiredSections() throws(Stop) {
        let names =
            (abi.needsFunctions ? [abi.functionsSection] : []) + [abi.dependsSection]
            + [behaviour.checksHypervisorFirst ? nil : abi.xenDependsSection].compactMap(\.self) + [abi.buildIDSection]
        for name in names {
            guard let found = section(named: name)?.section else {
                throw .refuse(.requiredSections, .invalid, "it has no section \(name)")
            }
            guard found.size > 0 else { throw .refuse(.requiredSections, .invalid, "section \(name) is empty") }
        }
    }

    /// Since format version 2: the payload must have functions or hooks, and none of their sections may be empty.
    func checkPatchingSections() throws(Stop) {
        guard !abi.needsFunctions else { return }
        var count = 0
        for name in [abi.functionsSection] + abi.hooks.map(\.section) {
            guard let found = section(named: name)?.section else { continue }
            guard found.size > 0 else { throw .refuse(.patchingSections, .invalid, "section \(name) is empty") }
            count += 1
        }
        guard count > 0 else { throw .refuse(.patchingSections, .invalid, "it has neither functions nor hooks") }
    }

    mutating func readFunctions() throws(Stop) {
        guard let (index, section) = section(named: abi.functionsSection) else { return }
        let layout = FunctionEntry.Layout(abi, pointerSize: pointerSize)
        try checkEntries(section, of: layout.size, .functions)
        let bytes = try loadedBytes(index)
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
        let name = memory.string(at: entry.name)
        let shown = name ?? "the entry at \(functions.count)"
        let needsNew = !abi.takesHooksAndNOPs && (newAddress == 0 || newSize == 0)
        guard oldSize != 0, !needsNew else {
            throw .refuse(.functions, .invalid, "\(shown) has a size or an address of zero")
        }
        if oldAddress == 0 {
            guard let name else { throw .crash("\(shown) has neither an address nor a readable name") }
            guard let found = hypervisor.address(ofSymbol: name), found != 0, !name.isEmpty else {
                throw .refuse(.functions, .notFound, "the hypervisor has no function '\(name)'")
            }
            oldAddress = found
        }
        try checkMemory(shown, oldAddress, isReadAtUpload: rules.sparesLandingPads && newAddress != 0)
        functions.append(
            .init(
                name: name ?? "", oldAddress: oldAddress, oldSize: oldSize, newAddress: newAddress, newSize: newSize))
        try checkRoom(shown, oldAddress, oldSize, newAddress, newSize)
        checkExpectation(entry.expectation, shown, oldAddress, oldSize)
    }

    /// If the payload itself contains the address, the hypervisor uses it unchecked. A name may also lead to code that was freed after
    /// boot, because the symbol table still has it.
    private mutating func checkMemory(_ name: String, _ address: UInt64, isReadAtUpload: Bool) throws(Stop) {
        let reason: String
        if !hypervisor.hasMemory(at: address) {
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
        let first = hypervisor.bytes(at: oldAddress, count: 4)
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
            spoil("\(name) or its replacement does not start at a multiple of \(instructions)")
        }
    }

    private mutating func checkNOPs(_ name: String, _ oldAddress: UInt64, _ oldSize: UInt32, _ newSize: UInt32) throws(Stop) {
        guard newSize <= PayloadABI.maximumNOPs else {
            throw .refuseSilently(.functions, .notSupported, "\(name): at most \(PayloadABI.maximumNOPs) bytes can become NOPs")
        }
        if newSize < hypervisor.spared(at: oldAddress, architecture, rules) {
            spoil("\(name): \(newSize) bytes of NOPs end in the mark for indirect calls, which counts and stays: applying overwrites memory without end")
        }
        guard newSize % rules.instructionSize == 0 else {
            throw .refuseSilently(.functions, .notSupported, "\(name): \(newSize) bytes are not a whole number of NOPs of \(rules.instructionSize) bytes")
        }
        guard oldSize < newSize else { return }
        if rules.holdsNOPsToFunction { throw .refuseSilently(.functions, .invalid, "\(name): more NOPs than the function has bytes") }
        spoil("\(name): more NOPs than the function has bytes, so what follows it is overwritten")
    }

    /// The hypervisor checks this when it applies the payload. The entry has one byte of flags, then the expected bytes.
    private mutating func checkExpectation(
        _ expectation: FunctionEntry.Expectation?, _ name: String, _ oldAddress: UInt64, _ oldSize: UInt32
    ) {
        guard let expectation, expectation.isEnabled else { return }
        let count = expectation.count
        // The checks in the order of `livepatch_verify_expectation_fn`, Xen 4.14 and later.
        let unmet: (error: LoadResult.ErrorNumber, reason: String)? =
            if expectation.reserved != 0 {
                (.invalid, "reserved bits of \(name)'s expectation are set")
            } else if Int(oldSize) < count {
                (.outOfRange, "the payload expects \(count) bytes of \(name), which has \(oldSize)")
            } else if hypervisor.bytes(at: oldAddress, count: count).map(Array.init) != Array(expectation.bytes) {
                (.invalid, "\(name) does not start with the bytes that the payload expects")
            } else {
                nil
            }
        functions[functions.count - 1].expected = count
        guard let unmet else { return }
        findings.append(.init(.expectationFails, unmet.reason))
        if unmetExpectation == nil { unmetExpectation = .init(step: .apply, error: unmet.error, reason: unmet.reason) }
    }

    mutating func readHooks() throws(Stop) {
        for hook in abi.hooks {
            guard let (index, section) = section(named: hook.section) else { continue }
            try checkEntries(section, of: pointerSize, .hooks)
            guard hook.isArray || section.size == pointerSize else {
                throw .refuseSilently(.hooks, .invalid, "section \(hook.section) may hold one hook only")
            }
            spoilUnlessAligned(index)
            if isCalled(hook, index) { hooks.append(String(hook.section.dropFirst(abi.hooksPrefix.count))) }
        }
        if let hook = hooks.first(where: PayloadABI.isAction(hook:)), !functions.isEmpty {
            findings.append(
                .init(
                    .actionHook,
                    "the hook \(hook) does the hypervisor's work, and the hypervisor stops itself unless the hook marks every function as done"))
        }
    }

    /// Whether the hypervisor calls the functions in a hook's section.
    private mutating func isCalled(_ hook: PayloadABI.Hook, _ index: Int) -> Bool {
        guard sections[index].isLoaded, let bytes = memory.bytes(of: index) else {
            if hook.isArray || behaviour.readsNotLoadedFromFile {
                spoil("section \(hook.section) is not loaded (no SHF_ALLOC), but the loader follows it")
            } else {
                findings.append(.init(.tableIgnored, "the hypervisor ignores section \(hook.section), which is not loaded (no SHF_ALLOC)"))
            }
            return false
        }
        for offset in stride(from: 0, to: bytes.count, by: pointerSize) where bytes.word(at: UInt64(offset), architecture.elfClass) == 0 {
            if hook.isArray {
                spoil("section \(hook.section) holds a null pointer, which is called")
            } else {
                findings.append(.init(.tableIgnored, "the hypervisor ignores section \(hook.section), which holds a null pointer"))
                return false
            }
        }
        return true
    }

    mutating func readNotes() throws(Stop) {
        buildID = try readNote(abi.buildIDSection) ?? []
        guard !hypervisor.payloadBuildIDs.contains(buildID) else {
            throw .refuseSilently(.notes, .exists, "a payload of build-id \(BuildIDNote.text(buildID)) is loaded already")
        }
        depends = try readNote(abi.dependsSection) ?? []
        if let name = abi.xenDependsSection, !behaviour.checksHypervisorFirst { xenDepends = try readNote(name) ?? [] }
    }

    /// The build-id in the note at the start of a section.
    private func readNote(_ name: String) throws(Stop) -> [UInt8]? {
        guard let (index, section) = section(named: name) else { return nil }
        return try buildID(inNote: loadedBytes(index), section, at: memory.address(of: index) ?? 0) { error, reason in
            .refuseSilently(.notes, behaviour.reportsFaultyNotes ? error : .invalid, "section \(name) \(reason)")
        }
    }

    /// - Parameter address: where the hypervisor reads the note.
    private func buildID(
        inNote bytes: ArraySlice<UInt8>, _ section: RawELF.Section, at address: UInt64,
        fault: (LoadResult.ErrorNumber, String) -> Stop
    ) throws(Stop) -> [UInt8] {
        guard section.size > 12, let nameSize: UInt32 = bytes.number(at: 0), let idSize: UInt32 = bytes.number(at: 4),
            let type: UInt32 = bytes.number(at: 8)
        else { throw fault(.invalid, "is shorter than a note") }
        try checkAligned(address, "the note in section \(section.name)")
        guard type == ELF.NoteType.gnuBuildID else { throw fault(.noData, "is not a build-id note") }
        let (sum, wraps) = nameSize.addingReportingOverflow(idSize)
        guard !wraps, nameSize >= 4, UInt64(sum) <= section.size - 12 else { throw fault(.invalid, "has wrong sizes in its note") }
        guard Array(bytes.dropFirst(12).prefix(4)) == Array("GNU\0".utf8) else { throw fault(.noData, "is not a GNU note") }
        guard idSize > 0 else { throw fault(.invalid, "has an empty build-id") }
        // The id starts at a multiple of 4 after the name. The hypervisor ignores that padding in its size check.
        let start = 12 + (Int(nameSize) + 3) / 4 * 4
        guard start + Int(idSize) <= bytes.count else {
            throw .crash("section \(section.name): the build-id goes past the section")
        }
        return Array(bytes.dropFirst(start).prefix(Int(idSize)))
    }

    /// This check comes before anything of the payload is loaded, so it reads the file, whatever the section's flags say.
    mutating func checkHypervisorFirst() throws(Stop) {
        guard behaviour.checksHypervisorFirst, let name = abi.xenDependsSection else { return }
        func fault(_: LoadResult.ErrorNumber, _ reason: String) -> Stop {
            .refuse(.hypervisorDependency, .invalid, "section \(name) \(reason)")
        }
        guard let section = section(named: name)?.section else {
            throw .refuse(.hypervisorDependency, .invalid, "it has no section \(name)")
        }
        guard let bytes = file.contents(section) else { throw fault(.invalid, "is cut short") }
        xenDepends = try buildID(inNote: bytes, section, at: section.offset, fault: fault)
        try compareHypervisor()
    }

    func checkHypervisorDependency() throws(Stop) {
        if abi.xenDependsSection != nil, !behaviour.checksHypervisorFirst { try compareHypervisor() }
    }

    private func compareHypervisor() throws(Stop) {
        guard xenDepends == hypervisor.buildID else {
            throw .refuse(
                .hypervisorDependency, .invalid,
                "it is for the hypervisor \(BuildIDNote.text(xenDepends)), this one is \(BuildIDNote.text(hypervisor.buildID))")
        }
    }
}

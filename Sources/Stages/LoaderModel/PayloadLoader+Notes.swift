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

    mutating func readNotes() throws(Stop) {
        buildID = try readNote(abi.buildIDSection) ?? []
        guard !hypervisor.payloadBuildIDs.contains(buildID) else {
            throw .refuseSilently(.notes, .exists, "a payload of build-id \(BuildIDNote.text(buildID)) is loaded already")
        }
        depends = try readNote(abi.dependsSection) ?? []
        if let name = abi.xenDependsSection, !behaviour.checksHypervisorFirst { xenDepends = try readNote(name) ?? [] }
    }

    /// The build-id in the note at the start of a section.
    private mutating func readNote(_ name: String) throws(Stop) -> [UInt8]? {
        guard let (index, section) = section(named: name) else { return nil }
        let note = try readBytes(index), behaviour = behaviour
        return try buildID(inNote: note, section, at: memory.address(of: index)) { error, reason in
            .refuseSilently(.notes, behaviour.reportsFaultyNotes ? error : .invalid, "section \(name) \(reason)")
        }
    }

    /// - Parameter address: where the hypervisor reads the note; nil when it does so in the file.
    private func buildID(
        inNote bytes: ArraySlice<UInt8>, _ section: RawELF.Section, at address: UInt64?,
        fault: (LoadResult.ErrorNumber, String) -> Stop
    ) throws(Stop) -> [UInt8] {
        guard section.size > 12, let nameSize: UInt32 = bytes.number(at: 0), let idSize: UInt32 = bytes.number(at: 4),
            let type: UInt32 = bytes.number(at: 8)
        else { throw fault(.invalid, "is shorter than a note") }
        try checkAligned(address ?? section.offset, "the note in section \(section.name)")
        guard type == ELF.NoteType.gnuBuildID else { throw fault(.noData, "is not a build-id note") }
        let (sum, wraps) = nameSize.addingReportingOverflow(idSize)
        guard !wraps, nameSize >= 4, UInt64(sum) <= section.size - 12 else { throw fault(.invalid, "has wrong sizes in its note") }
        guard Array(bytes.dropFirst(12).prefix(4)) == Array("GNU\0".utf8) else { throw fault(.noData, "is not a GNU note") }
        guard idSize > 0 else { throw fault(.invalid, "has an empty build-id") }
        // The id starts at a multiple of 4 after the name. The hypervisor ignores that padding in its size check, and reads on behind the section.
        let start = 12 + (UInt64(nameSize) + 3) / 4 * 4
        let id = address.map { memory.bytes(at: $0 &+ start, count: Int(idSize)) } ?? file.bytes(at: section.offset &+ start, count: UInt64(idSize))
        guard let id else { throw .crash("section \(section.name): the build-id goes past the payload's memory") }
        return Array(id)
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
        xenDepends = try buildID(inNote: bytes, section, at: nil, fault: fault)
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

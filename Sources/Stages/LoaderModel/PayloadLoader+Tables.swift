import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

/// The longest stretch of code that an alternative may patch, in bytes. Beyond that the hypervisor stops itself.
private let maximumAlternative = 254
/// How many bytes of a name the hypervisor's symbol table keeps.
private let keptNameLength = 126

extension PayloadLoader {
    private var tables: [SpecialTable] {
        architecture.specialTables(of: version).filter(\.isLoaded)
    }

    private static func isBugTable(_ table: SpecialTable) -> Bool { SectionName.isBugFrames(table.section) }

    mutating func readTables() throws(Stop) {
        // All bug frames have one C structure. The longer entries end in an array that `sizeof` does not count.
        let bugs = tables.filter(Self.isBugTable)
        if let size = bugs.map(\.entrySize).min() {
            for table in bugs {
                guard let (index, section) = section(named: table.section) else { continue }
                try checkEntries(section, of: size, .tables)
                spoilUnlessAligned(index)
                if !section.isLoaded, section.size > 0 { spoilSearch(in: section) }
            }
        }
        for table in tables where table.replacement?.lengthOffset != nil { try readAlternatives(table) }
        for name in rules.refusedSections where section(named: name) != nil {
            throw .refuse(.tables, .notSupported, "the loader does not take section \(name)")
        }
        for table in tables where !Self.isBugTable(table) && table.replacement?.lengthOffset == nil {
            guard let (index, section) = section(named: table.section) else { continue }
            try checkEntries(section, of: table.entrySize, .tables)
            if section.size > 0, !section.isLoaded {
                // Sorting a single entry reads nothing.
                guard behaviour.readsNotLoadedFromFile || section.size == table.entrySize else {
                    _ = try loadedBytes(index)
                    continue
                }
                spoilSearch(in: section)
            }
            if let call = table.call, section.size > 0 { try readAlternativeCalls(index, call) }
        }
    }

    private mutating func spoilSearch(in section: RawELF.Section) {
        spoil("section \(section.name) is not loaded (no SHF_ALLOC), but the hypervisor searches it when it reaches one of its places")
    }

    /// Each entry must point to a call through a pointer, in the payload's own text. The hypervisor overwrites it with a direct call.
    private func readAlternativeCalls(_ index: Int, _ form: SpecialTable.Call) throws(Stop) {
        let bytes = try loadedBytes(index), text = memory.region(.text)
        guard text.size > 0 else { throw .refuse(.tables, .invalid, "it has alternative calls, but no text") }
        guard let start = memory.address(of: index) else { return }
        for offset in stride(from: 0, to: UInt64(bytes.count), by: 4) {
            guard let distance: UInt32 = bytes.number(at: offset) else { return }
            let call = follow(distance, from: start &+ offset)
            guard Self.contains(text.address, text.size, call, UInt64(form.size)) else {
                throw .refuse(.tables, .invalid, "alternative call \(offset / 4) is outside the payload's text")
            }
            guard memory.bytes(at: call, count: form.start.count) == form.start[...] else {
                throw .refuse(.tables, .invalid, "alternative call \(offset / 4) is not a call through a pointer")
            }
        }
    }

    /// Each alternative must patch the payload's own text with bytes from the section for replacement code.
    private func readAlternatives(_ table: SpecialTable) throws(Stop) {
        guard let (index, section) = section(named: table.section), let code = table.replacement,
            let lengthOffset = code.lengthOffset
        else { return }
        try checkEntries(section, of: table.entrySize, .tables)
        guard section.size > 0 else { return }
        let text = memory.region(.text)
        guard text.size > 0 else { throw .refuse(.tables, .invalid, "it has alternatives, but no text") }
        guard let codes = self.section(named: code.section) else {
            throw .refuse(.tables, .invalid, "it has alternatives, but no section \(code.section)")
        }
        let bytes = try loadedBytes(index)
        guard let start = memory.address(of: index), let codeStart = memory.address(of: codes.index) else {
            throw .crash("section \(code.section) is not loaded")
        }
        try checkAligned(index)
        // The hypervisor checks all alternatives before it applies the first.
        var fault: Stop?
        for offset in stride(from: 0, to: UInt64(bytes.count), by: table.entrySize) {
            guard table.fields.count >= 2, let original: UInt32 = bytes.number(at: offset),
                let replacement: UInt32 = bytes.number(at: offset + 4),
                let oldLength: UInt8 = bytes.number(at: offset + UInt64(lengthOffset) - 1),
                let newLength: UInt8 = bytes.number(at: offset + UInt64(lengthOffset))
            else { return }
            let number = offset / UInt64(table.entrySize)
            let target = follow(original, from: start &+ offset)
            guard Self.contains(text.address, text.size, target, UInt64(oldLength)) else {
                let reason = "alternative \(number) patches code outside the payload"
                guard behaviour.holdsAlternativesToPayload else { throw fault ?? .crash(reason) }
                throw .refuse(.tables, .invalid, reason)
            }
            guard
                !behaviour.holdsAlternativesToPayload
                    || Self.contains(
                        codeStart, codes.section.size, follow(replacement, from: start &+ offset &+ 4), UInt64(newLength))
            else {
                throw .refuse(.tables, .invalid, "the replacement of alternative \(number) is outside \(code.section)")
            }
            // If the table counts padding separately, its length follows that of the replacement code.
            let padding: UInt8 = lengthOffset + 2 < table.entrySize ? bytes.number(at: offset + UInt64(lengthOffset) + 1) ?? 0 : 0
            fault = fault ?? self.fault(number, room: Int(oldLength) + Int(padding), length: Int(newLength))
        }
        if let fault { throw fault }
    }

    /// The fault in the lengths of an alternative, which are in bytes; nil if there is none.
    private func fault(_ number: UInt64, room: Int, length: Int) -> Stop? {
        if !rules.wantsAlternativesOfOneLength {
            return length > room || room > maximumAlternative ? .crash("alternative \(number) has \(length) bytes for a place of \(room)") : nil
        }
        if length == room { return nil }
        // The processor decides which alternatives are applied.
        return length == 0
            ? .unknown("a function fills in alternative \(number)")
            : .crash("alternative \(number) has \(length) bytes for a place of \(room), which stops the hypervisor on a processor that it is for")
    }

    private func follow(_ distance: UInt32, from address: UInt64) -> UInt64 {
        (address &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance)))) & file.lastAddress
    }

    private static func contains(_ start: UInt64, _ size: UInt64, _ address: UInt64, _ count: UInt64) -> Bool {
        address >= start && count <= size && address &+ count <= start &+ size
    }

    /// Reads texts of the form `key=value`, each ended by a zero byte. Since format version 2.
    func readMetadata() throws(Stop) {
        guard let name = abi.metadataSection, let (index, section) = section(named: name) else { return }
        let bytes = try loadedBytes(index)
        guard section.size > 0 else { throw .crash("section \(name) is empty: the byte before it is read") }
        guard bytes.last == 0 else {
            throw .refuse(.metadata, .invalid, "section \(name) does not end with a zero byte")
        }
    }

    /// All names of the payload must be new to the hypervisor, except those of replaced functions.
    mutating func buildSymbolTable() throws(Stop) {
        let replaced = Set(functions.map(\.newAddress))
        for symbol in symbols.dropFirst() where isPayloadSymbol(symbol) {
            if symbol.name.utf8.count > keptNameLength {
                findings.append(.init(.longSymbol, "the hypervisor keeps \(keptNameLength) bytes of the name '\(symbol.name)'"))
            }
            guard !replaced.contains(symbol.value) else { continue }
            let kept = String(decoding: symbol.name.utf8.prefix(keptNameLength), as: UTF8.self)
            if let address = hypervisor.address(ofSymbol: kept), address != 0 {
                throw .refuse(.symbolTable, .exists, "the hypervisor has a symbol '\(kept)' already")
            }
            newSymbols.append(
                .init(
                    name: kept, address: symbol.value, size: symbol.size,
                    isFunction: symbol.info & 0xf == ELF.SymbolType.function))
        }
    }

    private func isPayloadSymbol(_ symbol: RawELF.Symbol) -> Bool {
        guard symbol.section != 0, symbol.section < sections.count, !symbol.name.isEmpty else { return false }
        let section = sections[Int(symbol.section)]
        guard section.isLoaded else { return false }
        if section.flags & ELF.SectionFlag.merge != 0 && symbol.name.hasPrefix(".L") { return false }
        return !architecture.isMappingSymbol(symbol.name)
    }

    /// Finds what the upload does not check but an operator needs to know.
    mutating func lookFurther() {
        if memory.region(.text).size == 0 {
            findings.append(.init(.noExecutableSection, "it has no executable section, and old debug hypervisors crash on that"))
        }
        if !isSafeToReapply {
            let names = memory.sections(of: sections).filter {
                $0.region == .writable && !$0.bytes.isEmpty && $0.name != abi.functionsSection
            }.map(\.name)
            findings.append(
                .init(.notReappliable, "writable sections (\(names.joined(separator: ", "))) forbid a second apply after a revert"))
        }
        var names = Set([abi.functionsSection, abi.dependsSection, abi.buildIDSection] + tables.map(\.section))
        if let name = abi.xenDependsSection { names.insert(name) }
        let known = sections.dropFirst().map(\.name)
        for name in names.sorted() where known.count(where: { $0 == name }) > 1 {
            findings.append(.init(.sectionSeenOnce, "of several sections \(name) the hypervisor sees only the first"))
        }
        for table in architecture.specialTables(of: version) where !table.isLoaded {
            if let found = section(named: table.section)?.section, found.isLoaded, found.size > 0 {
                findings.append(.init(.tableIgnored, "the hypervisor ignores section \(table.section)"))
            }
        }
        let running = RunningFunctions(version: version, rules: rules)
        findings += functions.flatMap { running.findings(on: $0.name) }
        var seen: Set<UInt64> = []
        for function in functions where !seen.insert(function.oldAddress).inserted {
            // Xen reverts both in the order in which they were applied (`revert_payload`, Xen 4.7 to 4.22).
            spoil("two entries patch the function '\(function.name)': when they are reverted, the jump of the first stays, into a payload that can be unloaded")
        }
        if depends != hypervisor.buildID {
            findings.append(.init(.stacked, "it applies on top of the payload \(BuildIDNote.text(depends))"))
        }
    }
}

import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

/// How many bytes the names of a payload's symbols may have together. The hypervisor copies them to memory in one piece, of the next power of two.
private let maximumNames: UInt64 = 1 << 30
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
                // Xen's sort (xen/lib/sort.c, and xen/include/xen/sort.h of 4.17) exchanges the first entry with itself, even a single one.
                guard behaviour.readsNotLoadedFromFile else {
                    _ = try readBytes(index)
                    continue
                }
                spoilSearch(in: section)
            }
            if let call = table.call, section.size > 0 { try readAlternativeCalls(index, call) }
        }
    }

    private mutating func spoilSearch(in section: RawELF.Section) {
        spoil("section \(section.name) is not loaded (no SHF_ALLOC), but the hypervisor searches it when it reaches one of its places", at: .call)
    }

    /// Reads texts of the form `key=value`, each ended by a zero byte. Since format version 2.
    mutating func readMetadata() throws(Stop) {
        guard let name = abi.metadataSection, let (index, section) = section(named: name) else { return }
        guard section.size > 0 else { throw .crash("section \(name) is empty: the byte before it is read, at a number of 32 bits") }
        let bytes = try readBytes(index)
        guard bytes.last == 0 else {
            throw .refuse(.metadata, .invalid, "section \(name) does not end with a zero byte")
        }
    }

    /// All names of the payload must be new to the hypervisor, except those of replaced functions.
    mutating func buildSymbolTable() throws(Stop) {
        try checkNames()
        let replaced = Set(functions.map(\.newAddress))
        for symbol in symbols.dropFirst() where isPayloadSymbol(symbol) {
            let kept = symbol.name.prefix(keptNameLength)
            if symbol.name.bytes.count > keptNameLength {
                findings.append(.init(.longSymbol, "the hypervisor keeps \(keptNameLength) bytes of the name '\(symbol.name.text)'"))
            }
            guard !replaced.contains(symbol.value) else { continue }
            if let address = hypervisor.address(ofSymbol: kept), address != 0 {
                throw .refuse(.symbolTable, .exists, "the hypervisor has a symbol '\(kept.text)' already")
            }
            newSymbols.append(
                .init(name: kept, address: symbol.value, size: symbol.size, isFunction: symbol.info & 0xf == ELF.SymbolType.function))
        }
    }

    /// A name counts for each symbol that has it, and with its zero byte.
    private func checkNames() throws(Stop) {
        guard let names = file.contents(sections[Int(sections[symbolTable].link)]) else { return }
        var ends: [Int] = [], sum: UInt64 = 0
        for symbol in symbols.dropFirst() where isPayloadSymbol(symbol) {
            sum += UInt64(symbol.name.bytes.count) + 1
            // A long name was cut: look where it ends.
            guard symbol.name.bytes.count == RawELF.maximumName else { continue }
            if ends.isEmpty { ends = names.indices.filter { names[$0] == 0 } }
            let end = symbol.name.bytes.endIndex, next = ends.partitioningIndex { $0 >= end }
            if ends.indices.contains(next) { sum += UInt64(ends[next] - end) }
        }
        guard sum <= maximumNames else {
            throw .refuseSilently(.symbolTable, .outOfMemory, "the names of its symbols have \(sum >> 20) MiB, which the hypervisor wants to have in one piece")
        }
    }

    private func isPayloadSymbol(_ symbol: RawELF.Symbol) -> Bool {
        guard symbol.section != 0, symbol.section < sections.count, !symbol.name.isEmpty else { return false }
        let section = sections[Int(symbol.section)]
        guard section.isLoaded else { return false }
        if section.flags & ELF.SectionFlag.merge != 0 && symbol.name.hasPrefix(".L") { return false }
        return !architecture.isMappingSymbol(symbol.name.text)
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
        if depends != hypervisor.buildID {
            findings.append(.init(.stacked, "it can be applied only on top of build-id \(BuildIDNote.text(depends))"))
        }
    }
}

import Diagnostics
import ELFModel
import SystemPackage
import XenVersions

/// An `xen-syms`: the linked hypervisor that is running, as its build left it. It does not have what payloads changed since:
/// see `RunningHypervisor`.
package struct XenImage: Sendable {
    /// A symbol that has an address in the running hypervisor.
    package struct Symbol: Sendable, Equatable {
        package var name: String
        /// For a local symbol: the name in the STT_FILE symbol above it (`kernel.c`, `common/kernel.c`).
        package var file: String?
        /// The index of that STT_FILE symbol among all such, from 0: two files of the same name are two groups. Nil for globals.
        package var group: Int?
        package var address: UInt64
        package var size: UInt64
        package var isFunction: Bool
        /// The section that the symbol is in, or nil for an absolute symbol.
        package var section: String?
        /// For a symbol that a payload added: the payload's name. Its address is unknown before the payload is loaded; `address` only
        /// tells it apart from others.
        package var payload: String?
        /// Whether the linker took a weak definition, because no file has a strong one.
        package var isWeak: Bool

        package init(
            name: String, file: String? = nil, group: Int? = nil, address: UInt64, size: UInt64, isFunction: Bool,
            section: String?, payload: String? = nil, isWeak: Bool = false
        ) {
            self.name = name
            self.file = file
            self.group = group
            self.address = address
            self.size = size
            self.isFunction = isFunction
            self.section = section
            self.payload = payload
            self.isWeak = isWeak
        }

        /// The name in the hypervisor's own symbol table (`xen/tools/symbols.c`): local ones are `FILE#name`.
        package var qualifiedName: String {
            if group != nil, let file, !file.isEmpty { "\(file)#\(name)" } else { name }
        }

        /// The address, if it is known before the next payload is loaded; nil for a symbol that another payload added.
        package var knownAddress: UInt64? { payload == nil ? address : nil }

        /// Whether the hypervisor's own symbol table has it. That leaves out absolute symbols, except the ends of code (`tools/symbols.c`).
        package var isInOwnTable: Bool {
            section != nil || ["_stext", "_etext", "_sinittext", "_einittext", "_sextratext", "_eextratext", "__gp"].contains(name)
        }

        /// Whether it lies in memory that the hypervisor frees at the end of booting.
        package var isFreedAfterBoot: Bool { payload == nil && section.map(SectionName.isFreedAfterBoot) ?? false }
    }

    /// The local symbols of one object file.
    package struct FileGroup: Sendable, Equatable {
        package var file: String
        package var symbols: [Symbol]
    }

    package let path: FilePath
    package let machine: UInt16
    package let elfClass: ELFClass
    package let buildID: [UInt8]
    package let fileGroups: [FileGroup]
    private let globals: [String: Symbol]
    private let qualifiedCounts: [String: Int]
    private let file: ELFFile

    /// Reads an `xen-syms`.
    ///
    /// - Throws: `InputError` when the file is missing, cut short, not ELF, not linked, for another machine than `machine`, or
    ///   without build-id or symbols.
    package static func read(_ path: FilePath, machine: UInt16? = nil) throws(InputError) -> XenImage {
        let file: ELFFile
        do {
            file = try ELFFile.read(path, debugSections: false)
        } catch {
            throw InputError(file: path, reason: error.reason)
        }
        return try XenImage(file: file, path: path, machine: machine)
    }

    init(file: ELFFile, path: FilePath, machine: UInt16?) throws(InputError) {
        func fail(_ reason: String, _ help: String? = nil) -> InputError {
            InputError(file: path, reason: reason, help: help)
        }
        guard file.header.type == ELF.FileType.executable || file.header.type == ELF.FileType.shared else {
            throw fail("is not a linked hypervisor", "give the xen-syms that the hypervisor's own build left beside xen.gz")
        }
        if let machine, machine != file.header.machine {
            throw fail("is for another machine (ELF machine \(file.header.machine), expected \(machine))")
        }
        // `objcopy --only-keep-debug` keeps the sections' headers and the symbols, and makes the sections zero-filled.
        let code = file.sections.filter { $0.isAllocated && $0.isExecutable && $0.size > 0 }
        if !code.isEmpty, code.allSatisfy(\.isZeroFilled) {
            throw fail("has no code: it has only the debug information of a hypervisor", "give the xen-syms with the code; this file was split off from it")
        }
        guard let buildID = BuildIDNote.find(in: file) else {
            throw fail("has no build-id", "live patching needs a hypervisor that was linked with --build-id")
        }
        self.path = path
        self.machine = file.header.machine
        self.elfClass = file.header.elfClass
        self.buildID = buildID
        self.file = file

        var groups: [FileGroup] = []
        var globals: [String: Symbol] = [:]
        var counts: [String: Int] = [:]
        for symbol in file.symbols.dropFirst() where !symbol.isSection {
            if symbol.isFile {
                groups.append(FileGroup(file: symbol.name, symbols: []))
                continue
            }
            let section: String?
            switch symbol.place {
            case .section(let index): section = file.sections.indices.contains(index) ? file.sections[index].name : nil
            case .absolute: section = nil
            default: continue
            }
            guard !symbol.name.isEmpty else { continue }
            let local = symbol.isLocal && !groups.isEmpty
            let known = Symbol(
                name: symbol.name, file: local ? groups.last?.file : nil, group: local ? groups.count - 1 : nil,
                address: symbol.value, size: symbol.size, isFunction: symbol.isFunction, section: section,
                isWeak: symbol.binding == ELF.Binding.weak)
            counts[known.qualifiedName, default: 0] += 1
            if local {
                groups[groups.count - 1].symbols.append(known)
            } else {
                globals[known.name] = known
            }
        }
        guard !globals.isEmpty else {
            throw fail("has no symbols", "a stripped file can't be used: give the xen-syms of that build")
        }
        // Local symbols have a meaning only with the name of their file in front.
        guard !groups.isEmpty else {
            throw fail(
                "has no FILE symbols, so it can't be told which static function belongs to which source",
                "give the xen-syms as the build left it: 'strip -g' and 'objcopy -g' take these symbols out")
        }
        guard groups.contains(where: { !$0.symbols.isEmpty }) else {
            throw fail(
                "has no local symbols, so its static functions can't be found", "give the xen-syms as the build left it: 'strip -x' takes these symbols out")
        }
        self.fileGroups = groups
        self.globals = globals
        self.qualifiedCounts = counts
    }

    package func global(_ name: String) -> Symbol? { globals[name] }
    /// Whether the hypervisor was linked with a strong definition of a name.
    package func hasStrong(_ name: String) -> Bool { globals[name].map { !$0.isWeak } ?? false }

    /// Another function or variable at the place of a symbol; nil if the place has no other name.
    package func namesake(of symbol: Symbol) -> Symbol? {
        symbols { $0.address == symbol.address && $0.qualifiedName != symbol.qualifiedName && $0.isFunction == symbol.isFunction && $0.size == symbol.size }
            .first
    }

    /// All functions of known size, sorted by address.
    package var functions: [Symbol] { symbols { $0.isFunction && $0.size > 0 } }
    /// All variables and constants of known size, sorted by address.
    package var variables: [Symbol] { symbols { !$0.isFunction && $0.size > 0 } }

    /// Code under labels without a size, as assembly has it: each up to the next symbol or the end of its section. Sorted by address.
    package var unsizedCode: [Symbol] {
        let all = symbols { $0.section != nil }, next = Self.nextAddresses(of: all)
        return all.indices.compactMap { index in
            var label = all[index]
            guard label.size == 0, let section = file.sections.first(where: { $0.name == label.section }), section.isExecutable else { return nil }
            label.size = min(next[index], section.address &+ section.size) &- label.address
            label.isFunction = true
            return label.size > 0 && label.size < 1 << 20 ? label : nil
        }
    }

    /// Symbols without a size, sorted by address; not those that only say whether code or data follows (ARM's `$a`, `$d`, `$x`).
    package var labels: [Symbol] { symbols { $0.section != nil && $0.size == 0 && !$0.name.hasPrefix("$") } }

    /// Data under labels without a size, as assembly and linker scripts have it: each up to the next such label or the end of its section, at
    /// most 64 KiB. Sorted by address.
    package var unsizedData: [Symbol] {
        let labels = labels, next = Self.nextAddresses(of: labels)
        return labels.indices.compactMap { index in
            var label = labels[index]
            guard let section = file.sections.first(where: { $0.name == label.section }), section.isAllocated, !section.isExecutable else { return nil }
            label.size = min(next[index], section.address &+ section.size) &- label.address
            return label.size > 0 && label.size <= 64 << 10 ? label : nil
        }
    }

    /// For each of some symbols, sorted by address, the next higher address that one has.
    private static func nextAddresses(of symbols: [Symbol]) -> [UInt64] {
        var next = [UInt64](repeating: .max, count: symbols.count)
        for index in symbols.indices.dropLast().reversed() {
            let address = symbols[index + 1].address
            next[index] = address > symbols[index].address ? address : next[index + 1]
        }
        return next
    }

    /// Sorted by address.
    private func symbols(where fits: (Symbol) -> Bool) -> [Symbol] {
        (fileGroups.flatMap(\.symbols) + globals.values).filter(fits).sorted { ($0.address, $0.name) < ($1.address, $1.name) }
    }

    /// How many symbols have a qualified name in the hypervisor's own table. More than one makes the name ambiguous.
    package func count(ofQualifiedName name: String) -> Int { qualifiedCounts[name] ?? 0 }

    /// The symbol with that name in the hypervisor's own table, if exactly one has it; nil if not.
    package func symbol(ofQualifiedName name: String) -> Symbol? {
        if let symbol = globals[name] { return symbol }
        guard let hash = name.firstIndex(of: "#"), count(ofQualifiedName: name) == 1 else { return nil }
        let (file, local) = (name[..<hash], name[name.index(after: hash)...])
        for group in fileGroups where group.file == file {
            if let symbol = group.symbols.first(where: { $0.name == local }) { return symbol }
        }
        return nil
    }

    /// The address that the loader finds for a name; nil when the hypervisor's own table does not have it.
    package func address(ofSymbol name: SymbolName) -> UInt64? {
        guard let symbol = name.exactText.flatMap({ symbol(ofQualifiedName: $0) }), symbol.isInOwnTable, SymbolName(symbol.qualifiedName) == name
        else { return nil }
        return symbol.address
    }

    /// The bytes that are at an address when the hypervisor starts; nil if the file has none there (zero-filled or outside).
    package func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        for section in file.sections where section.isAllocated && !section.isZeroFilled {
            if let bytes = section.data.stretch(of: count, at: address, startingAt: section.address) { return bytes }
        }
        return nil
    }

    /// Whether the hypervisor has memory of its own at an address, zero-filled or not: pages are whole, so also behind a section.
    package func hasMemory(at address: UInt64) -> Bool { section(onPageOf: address) != nil }

    /// Whether the hypervisor has memory of its own at an address and frees it at the end of booting.
    package func isFreedAfterBoot(_ address: UInt64) -> Bool { section(onPageOf: address).map { SectionName.isFreedAfterBoot($0.name) } ?? false }

    /// Whether the hypervisor's own code is on the page of an address.
    package func hasCode(at address: UInt64) -> Bool { section(onPageOf: address)?.isExecutable ?? false }

    /// The section at an address, or else the last one that begins before it and ends on the same page.
    private func section(onPageOf address: UInt64) -> ELFSection? {
        let before = file.sections.filter { $0.isAllocated && $0.size > 0 && $0.address <= address && ($0.address &+ $0.size &- 1) | 0xFFF >= address }
        return before.first { address - $0.address < $0.size } ?? before.last
    }

    /// The texts in memory that is never written, from zero byte to zero byte, that contain some characters; at most 4,096 bytes each.
    func constants(containing mark: String) -> [String] {
        let mark = Array(mark.utf8)
        guard let first = mark.first else { return [] }
        var found: [String] = []
        for section in file.sections where section.isAllocated && !section.isZeroFilled && !section.isWritable && !section.isExecutable {
            var rest = section.data[...]
            while let index = rest.firstIndex(of: first) {
                guard rest[index...].starts(with: mark) else {
                    rest = rest[(index + 1)...]
                    continue
                }
                let before = section.data[..<index].suffix(4096), start = before.lastIndex(of: 0).map { $0 + 1 } ?? before.startIndex
                let end = section.data[index...].prefix(4096).firstIndex(of: 0) ?? section.data.endIndex
                found.append(String(decoding: section.data[start..<end], as: UTF8.self))
                rest = section.data[end...]
            }
        }
        return found
    }

    /// The address of the given bytes in memory that is never written and stays after boot; nil if they are not there.
    package func address(ofConstant bytes: some Collection<UInt8>) -> UInt64? {
        let wanted = Array(bytes)
        guard let first = wanted.first else { return nil }
        for section in file.sections
        where section.isAllocated && !section.isZeroFilled && !section.isWritable && !section.isExecutable && !SectionName.isFreedAfterBoot(section.name) {
            var rest = section.data[...]
            while let index = rest.firstIndex(of: first) {
                if rest[index...].starts(with: wanted) { return section.address &+ UInt64(index) }
                rest = rest[(index + 1)...]
            }
        }
        return nil
    }

    /// How the hypervisor was built, as far as the file itself says: by which compilers, and with what configuration. The compilers'
    /// options are in its debug information, which this type does not read.
    package var buildTraits: BuildTraits {
        var traits = BuildTraits(configuration: configuration)
        if let comment = file.sections.first(where: { $0.name == SectionName.comment }) {
            traits.compilers = BuildTraits.compilers(inComment: comment.data)
        }
        return traits
    }

    /// The configuration that the hypervisor was built with, from its copy of the `.config`; nil if it has no copy.
    package var configuration: KernelConfiguration? { configurationText.map { KernelConfiguration(text: $0) } }

    /// The `.config` that the hypervisor was built with; nil if it has no copy. The copy is compressed, and guests can ask for it
    /// (`xen/common/config_data.S`, since Xen 4.14; CONFIG_HYPFS_CONFIG).
    package var configurationText: String? {
        guard let data = globals["xen_config_data"], let length = globals["xen_config_data_size"],
            let size = bytes(at: length.address, count: 4)
        else { return nil }
        return bytes(at: data.address, count: Int(file.header.byteOrder.number(size))).flatMap { gunzip(Array($0), limit: 1 << 20) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The group of local symbols that come from the given object file.
    ///
    /// - Parameters:
    ///   - names: the names that its STT_FILE symbol may have, for example `kernel.c` and `common/kernel.c`.
    ///   - locals: the object's own local symbols with their sizes, to tell groups of the same name apart.
    /// - Returns: the group with the most symbols in common. If no group has any of the same size, the one with the most names in common, at least
    ///   half of them: it was built from another source, which a comparison shows. Nil when there is neither, or when two groups have equally many.
    package func fileGroup(named names: Set<String>, locals: [String: UInt64]) -> FileGroup? {
        let groups = fileGroups.filter { names.contains($0.file) }
        func isSame(_ symbol: Symbol) -> Bool { locals[symbol.name] == symbol.size }
        guard groups.contains(where: { $0.symbols.contains(where: isSame) }) else {
            return Self.best(of: groups, atLeast: (locals.count + 1) / 2) { locals[$0.name] != nil }
        }
        return Self.best(of: groups, atLeast: 1, counts: isSame)
    }

    private static func best(of groups: [FileGroup], atLeast least: Int, counts: (Symbol) -> Bool) -> FileGroup? {
        var best: (group: FileGroup, score: Int)?
        var tied = false
        for group in groups {
            let score = group.symbols.count(where: counts)
            guard score >= max(least, 1) else { continue }
            if let known = best, known.score == score { tied = true }
            if score > best?.score ?? 0 {
                best = (group, score)
                tied = false
            }
        }
        return tied ? nil : best?.group
    }
}

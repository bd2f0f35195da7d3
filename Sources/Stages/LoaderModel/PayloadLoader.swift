import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

// The hypervisor's payload loader, modelled in user space.
//
// Source of the rules: `xen/common/livepatch.c`, `livepatch_elf.c` and `arch/x86/livepatch.c` of Xen 4.17. Where other versions differ,
// see `PayloadABI` (the format) and `LoaderBehaviour`; the versions read for those are 4.7, 4.8, 4.11, 4.13, 4.14 and 4.18 to 4.22. Where
// the loaders of other processors differ, see `LoaderRules` and `TargetArchitecture.loaded`; the versions of `arch/arm` read for those
// are 4.8, 4.11, 4.14, 4.17, 4.20 and 4.22. The checks are in the hypervisor's order, because the first fault decides what an operator
// sees.
//
// A payload that passes the upload, but ruins the hypervisor when it is applied or runs, counts as a crash. This model knows what each
// relocation means, so it can compare that with the value that the loader stores.

/// Loads a payload as the hypervisor would at upload: every check in order, memory layout, relocation.
///
/// Other payloads count if `hypervisor` knows them: a `RunningHypervisor` knows the applied ones.
/// - Parameters:
///   - bytes: the payload file.
///   - hypervisor: symbols, bytes and build-id of the running hypervisor.
///   - abi: the payload format that this hypervisor understands.
///   - version: the hypervisor's version, which decides what tables its loader knows.
package func loadPayload(
    _ bytes: [UInt8], into hypervisor: some HypervisorSymbols, architecture: any TargetArchitecture, abi: PayloadABI,
    version: XenVersion
) -> LoadResult {
    var loader = PayloadLoader(
        file: RawELF(bytes: bytes, elfClass: architecture.elfClass), hypervisor: hypervisor, architecture: architecture, abi: abi, version: version)
    do {
        try loader.load()
        return loader.result(loader.spoilt.map { .crashes($0.reason) } ?? .accepted, ruin: loader.spoilt?.moment ?? .upload)
    } catch {
        return loader.result(error.verdict)
    }
}

/// Ends the upload.
struct Stop: Error {
    var verdict: LoadResult.Verdict

    /// The hypervisor refuses the payload and says why on its console.
    static func refuse(_ step: LoadResult.Step, _ error: LoadResult.ErrorNumber, _ reason: String) -> Stop {
        Stop(verdict: .refused(.init(step: step, error: error, reason: reason)))
    }

    /// The hypervisor refuses the payload without a message.
    static func refuseSilently(_ step: LoadResult.Step, _ error: LoadResult.ErrorNumber, _ reason: String) -> Stop {
        Stop(verdict: .refused(.init(step: step, error: error, reason: reason, isLogged: false)))
    }

    static func crash(_ reason: String) -> Stop { Stop(verdict: .crashes(reason)) }
    static func unknown(_ reason: String) -> Stop { Stop(verdict: .notModelled(reason)) }
}

/// The state of one upload.
struct PayloadLoader {
    let file: RawELF
    let hypervisor: any HypervisorSymbols
    let architecture: any TargetArchitecture
    let abi: PayloadABI
    let version: XenVersion
    let behaviour: LoaderBehaviour
    let rules: LoaderRules

    /// The hypervisor never looks at `sections[0]`, except when it trusts an index. Then it uses a null pointer.
    var sections: [RawELF.Section] = []
    var symbolTable = 0
    var symbols: [RawELF.Symbol] = []
    var memory = PayloadMemory()
    var functions: [LoadResult.Function] = []
    var patches: [CodePatch] = []
    /// What else the entries of the functions say.
    var entries: [Entry] = []
    /// What the applied payloads overwrote and this one finds when it is applied: nothing when it replaces them.
    var patchesBelow: [CodePatch] = []
    var freedUses: [FreedUse] = []
    /// The payloads' symbols that this one uses.
    var usesOfPayloads: [String] = []
    var hooks: [String] = []
    var newSymbols: [LoadResult.Symbol] = []
    var buildID: [UInt8] = []
    var depends: [UInt8] = []
    var xenDepends: [UInt8] = []
    var findings: [LoadResult.Finding] = []
    var unmetExpectation: LoadResult.Refusal?
    var isSafeToReapply = false
    /// Why and when the payload ruins the hypervisor, although the upload succeeds.
    var spoilt: (reason: String, moment: LoadResult.Moment)?

    init(
        file: RawELF, hypervisor: any HypervisorSymbols, architecture: any TargetArchitecture, abi: PayloadABI,
        version: XenVersion
    ) {
        self.file = file
        self.hypervisor = hypervisor
        self.architecture = architecture
        self.abi = abi
        self.version = version
        behaviour = LoaderBehaviour(version)
        rules = architecture.loaderRules(of: version)
    }

    /// Runs the upload, in the hypervisor's order.
    mutating func load() throws(Stop) {
        guard architecture.byteOrder == .little else { throw .unknown("only the loaders of little-endian hypervisors are modelled") }
        // The file
        try checkUpload()
        try readSections(checkHeader())
        try readSymbols()
        try checkHypervisorFirst()
        // Its place in memory
        try layOut()
        try resolveSymbols()
        try relocate()
        // What it holds
        try checkRequiredSections()
        try checkPatchingSections()
        try readFunctions()
        try readHooks()
        try readNotes()
        try readTables()
        try readMetadata()
        try checkHypervisorDependency()
        try buildSymbolTable()
        // What follows the upload
        patchesBelow = replacesPayloads ? [] : hypervisor.patches
        checkExpectations()
        checkPatches()
        checkNewCode()
        checkFreedUses()
        checkReplacedPayloads()
        lookFurther()
    }

    /// Notes a fault that the upload does not detect. What comes first when the payload is used counts; of several, the first one found.
    mutating func spoil(_ reason: String, at moment: LoadResult.Moment = .apply) {
        if let spoilt, spoilt.moment <= moment { return }
        spoilt = (reason, moment)
    }

    /// Whether the payload takes the place of all that are applied, rather than going on top of them.
    var replacesPayloads: Bool { !hypervisor.payloadBuildIDs.isEmpty && depends == hypervisor.buildID }

    func result(_ verdict: LoadResult.Verdict, ruin: LoadResult.Moment = .upload) -> LoadResult {
        LoadResult(
            verdict: verdict, ruin: ruin, findings: findings, regions: memory.regions, sections: memory.sections(of: sections),
            functions: functions, patches: patches, hooks: hooks, newSymbols: newSymbols, buildID: buildID, depends: depends,
            unmetExpectation: unmetExpectation, isSafeToReapply: isSafeToReapply)
    }

    /// The first section with that name, as the hypervisor looks it up.
    func section(named name: String) -> (index: Int, section: RawELF.Section)? {
        guard let index = sections.indices.dropFirst().first(where: { sections[$0].name == name }) else { return nil }
        return (index, sections[index])
    }

    /// The bytes of a section that the hypervisor is about to read, and goes on to use after the upload.
    mutating func readBytes(_ index: Int) throws(Stop) -> ArraySlice<UInt8> {
        if sections[index].isLoaded, let bytes = memory.bytes(of: index) { return bytes }
        let name = sections[index].name
        guard behaviour.readsNotLoadedFromFile, let bytes = file.contents(sections[index]) else {
            throw .crash("section \(name) is not loaded (no SHF_ALLOC), but read through a null pointer")
        }
        spoil("section \(name) is not loaded (no SHF_ALLOC), but the hypervisor goes on to use it when the file is gone")
        return bytes
    }

    /// The bytes at an address of the payload or of the hypervisor; nil when they are not known.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        memory.contains(address) ? memory.bytes(at: address, count: count) : hypervisor.bytes(at: address, count: count)
    }

    /// Whether there is memory at an address once the hypervisor has booted.
    func hasMemory(at address: UInt64) -> Bool {
        memory.contains(address) || hypervisor.hasMemory(at: address) && !hypervisor.isFreedAfterBoot(address)
    }

    /// Whether the processor can execute what is at an address.
    func hasCode(at address: UInt64) -> Bool {
        memory.contains(address) ? memory.hasCode(at: address) : hypervisor.hasCode(at: address) && !hypervisor.isFreedAfterBoot(address)
    }

    /// What is at an address, to complete "it leads to": for an address without code.
    func describe(_ address: UInt64) -> String {
        var place = hexadecimal(address)
        if memory.contains(address) {
            let section = memory.sections(at: address, count: 1, besides: nil).first.map { ", in section \(sections[$0].name)" } ?? ""
            return "\(place)\(section), which is not executable"
        }
        guard hypervisor.hasMemory(at: address) else { return "\(place), where nothing is" }
        if let variable = hypervisor.variable(at: address) { place += " (\(variable))" }
        return hypervisor.isFreedAfterBoot(address) ? "\(place), which the hypervisor has freed after boot" : "\(place), which is not executable"
    }

    /// The payload's function that has an address, to complete a sentence: `, in 'foo'`; empty if no symbol says which.
    func function(at address: UInt64) -> String {
        let symbol = symbols.last { $0.isFunction && $0.value <= address && address - $0.value < $0.size }
        return symbol.map { ", in '\($0.name.text)'," } ?? ""
    }

    /// The size of a pointer, in bytes.
    var pointerSize: Int { architecture.elfClass.addressSize }

    /// Checks that a word is at an address where the processor can read it.
    ///
    /// - Parameter what: names the thing at the address, to start a sentence with.
    func checkAligned(_ address: UInt64, _ what: @autoclosure () -> String) throws(Stop) {
        guard address % rules.wordAlignment == 0 else {
            throw .crash("\(what()) lies at \(hexadecimal(address)), and words can be accessed at multiples of \(rules.wordAlignment) only")
        }
    }

    /// Checks a section that is read word by word at upload.
    func checkAligned(_ index: Int) throws(Stop) {
        if let address = memory.address(of: index) { try checkAligned(address, "section \(sections[index].name)") }
    }

    /// Checks a section that is read word by word after the upload.
    mutating func spoilUnlessAligned(_ index: Int) {
        do { try checkAligned(index) } catch {
            if case .crashes(let reason) = error.verdict { spoil(reason) }
        }
    }

    /// Checks that a table holds whole entries.
    func checkEntries(
        _ section: RawELF.Section, of size: Int, _ step: LoadResult.Step
    ) throws(Stop) {
        guard section.size % UInt64(size) == 0 else {
            throw .refuse(
                step, .invalid, "section \(section.name) is \(section.size) bytes long, not a multiple of \(size)")
        }
    }
}

func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

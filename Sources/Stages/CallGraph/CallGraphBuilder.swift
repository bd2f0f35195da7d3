import ELFModel
import LoaderModel
import TargetArchitecture
import XenSource
import XenVersions

/// What the code and data of a hypervisor do with each other, without any payload. It takes a third of a second to read, and is needed only
/// when there is a payload.
package struct HypervisorReading: Sendable {
    private let builder: CallGraphBuilder

    /// - Throws: `CancellationError`.
    package init(of image: XenImage, architecture: any TargetArchitecture, version: XenVersion) throws(CancellationError) {
        var builder = CallGraphBuilder(image, architecture, version)
        builder.readData(of: builder.places.indices)
        try builder.readCode(of: builder.places.indices)
        builder.readAlternatives()
        builder.readBugFrames()
        self.builder = builder
    }

    /// The call graph of the hypervisor with the payloads on it.
    package func graph(with payloads: [AppliedPayload]) throws(CancellationError) -> CallGraph {
        var builder = builder
        try builder.apply(payloads)
        builder.followSetters()
        builder.followStructures()
        return CallGraph(places: builder.places, edges: builder.edges())
    }
}

/// The call graph while it is made: first what each function does, then what data holds, then the links.
private struct CallGraphBuilder: Sendable {
    /// What a function does with another place.
    enum Deed: Sendable {
        case calls(Int)
        /// Reads the word at an offset of a variable.
        case reads(Int, offset: UInt64, register: UInt8?)
        /// `isKnown`: whether the code shows which address it writes.
        case writes(Int, register: UInt8?, isKnown: Bool)
        case takes(Int, isHandedOn: Bool)
        case registers(Int, Occasion, with: String)
    }

    /// A pointer that data has at an offset.
    struct Pointer: Hashable, Sendable {
        var offset: UInt64
        var to: Int
        /// The structure that it was copied from, or nil.
        var from: Int?
    }

    private(set) var running: RunningHypervisor
    let architecture: any TargetArchitecture
    let version: XenVersion
    private(set) var places: [CallGraph.Place] = []
    private var byStart: [UInt64: Int] = [:]
    private(set) var code = PlaceIndex([])
    private(set) var data = PlaceIndex([])
    /// By place, in the order of the code.
    private(set) var deeds: [[Deed]] = []
    /// Where each deed is, in bytes from the code's start.
    private var deedOffsets: [[Int]] = []
    private(set) var pointers: [Set<Pointer>] = []
    /// For each function, the data that callers may give to it.
    private(set) var given: [Int: Set<Int>] = [:]
    /// For each function, the deeds by which it takes addresses that it gives to others, who may keep them.
    private var passedOn: [Int: Set<Int>] = [:]
    /// Who gives it.
    private var callers: [Int: Set<Int>] = [:]
    /// For each function, the addresses that callers give to it: in which register, and which deed of which caller it is.
    private var arguments: [Int: [(register: UInt8, place: Int, caller: Int, deed: Int)]] = [:]
    /// Structures that are copied into variables at boot, each with the code that names it for that: this code hands out nothing else.
    private(set) var copied: [Int: Set<Int>] = [:]
    /// The variables that such structures are copied into, and single pointers that code fills.
    private(set) var filled: Set<Int> = []
    /// Data that has pointers when the hypervisor starts.
    private var hasOwnPointers: Set<Int> = []
    /// For each label where something begins that a linker script collected, where that ends.
    private var bounds: [UInt64: UInt64] = [:]
    /// For each label of a known array, where that ends.
    private var arrayEnds: [UInt64: UInt64] = [:]
    /// Where the hypervisor has the addresses of all its symbols, which nobody calls.
    private var symbolTables: Set<UInt64> = []
    private let registrars: [String: Occasion]

    init(_ image: XenImage, _ architecture: any TargetArchitecture, _ version: XenVersion) {
        running = RunningHypervisor(image)
        self.architecture = architecture
        self.version = version
        registrars = Dictionary(
            Occasion.allCases.flatMap { occasion in occasion.registrars.map { ($0, occasion) } }, uniquingKeysWith: { first, _ in first })
        findPlaces()
    }

    private var wordSize: UInt64 { UInt64(architecture.elfClass.addressSize) }

    // MARK: Places

    private mutating func findPlaces() {
        let image = running.image, functions = image.functions, labels = image.labels
        for function in functions { add(function, isCode: true) }
        let sized = PlaceIndex(functions.map { ($0.address, $0.address &+ $0.size, 0) })
        for label in image.unsizedCode where sized.place(at: label.address) == nil && !architecture.isMappingSymbol(label.name) {
            add(label, isCode: true, mayFallThrough: true)
        }
        for variable in image.variables { add(variable, isCode: false) }
        // A label with variables behind it is the bound of a section, unless it is known as an array.
        let variables = PlaceIndex(image.variables.map { ($0.address, $0.address &+ $0.size, 0) })
        symbolTables = Set(labels.filter { Occasion.symbolTables.contains($0.name) }.map(\.address))
        for label in image.unsizedData where !symbolTables.contains(label.address) {
            let next = variables.start(after: label.address &- 1) ?? .max
            if next >= label.address &+ label.size || Occasion.collectedArrays.contains(label.name) { add(label, isCode: false) }
        }
        for label in labels {
            let ends = [label.name.replacing("_start", with: "_end"), label.name.replacing("_start", with: "_stop")].filter { $0 != label.name }
            guard let end = ends.lazy.compactMap({ image.global($0) }).first else { continue }
            if Occasion.collectedArrays.contains(label.name) { arrayEnds[label.address] = end.address } else { bounds[label.address] = end.address }
        }
        index()
    }

    /// Adds a place, or a name to the one of its kind that is there.
    private mutating func add(_ symbol: XenImage.Symbol, isCode: Bool, mayFallThrough: Bool = false) {
        // Nothing in a hypervisor is larger, and nothing goes beyond the last address.
        guard symbol.size <= 1 << 30, symbol.address <= .max - symbol.size else { return }
        let name = AppliedPayload.withoutTag(symbol.name)
        if let known = byStart[symbol.address], places[known].isCode == isCode, isCode || places[known].size == symbol.size {
            places[known].names.insert(name)
            return
        }
        byStart[symbol.address] = places.count
        places.append(
            CallGraph.Place(
                name: symbol.payload == nil ? symbol.name : name, file: symbol.file, address: symbol.address, size: symbol.size, isCode: isCode,
                isBoot: symbol.isFreedAfterBoot, mayFallThrough: mayFallThrough, code: symbol.address..<symbol.address &+ symbol.size, names: [name]))
        deeds.append([])
        deedOffsets.append([])
        pointers.append([])
    }

    private mutating func index() {
        code = PlaceIndex(
            places.indices.filter { places[$0].isCode }.flatMap { index in
                let place = places[index]
                let own = (place.address, place.address &+ place.size, index), new = (place.code.lowerBound, place.code.upperBound, index)
                return place.code.lowerBound == place.address ? [own] : [own, new]
            })
        data = PlaceIndex(places.indices.filter { !places[$0].isCode }.map { (places[$0].address, places[$0].address &+ places[$0].size, $0) })
    }

    // MARK: Payloads

    /// Puts payloads on the hypervisor: what they add, and in place of each function that they replace, the new code.
    mutating func apply(_ payloads: [AppliedPayload]) throws(CancellationError) {
        guard !payloads.isEmpty else { return }
        for payload in payloads { running.apply(payload) }
        var changed: Set<Int> = []
        for replacement in payloads.flatMap(\.replacements) {
            guard let place = byStart[replacement.oldAddress], places[place].isCode, replacement.newSize <= 1 << 30,
                replacement.newAddress <= .max - replacement.newSize
            else { continue }
            places[place].code = replacement.newAddress..<replacement.newAddress &+ replacement.newSize
            changed.insert(place)
        }
        let first = places.count, replacements = Set(payloads.flatMap(\.replacements).map(\.newAddress))
        for symbol in payloads.flatMap(\.symbols) where symbol.size > 0 && !replacements.contains(symbol.address) { add(symbol, isCode: symbol.isFunction) }
        index()
        for place in changed { (deeds[place], deedOffsets[place], passedOn[place]) = ([], [], nil) }
        for (function, given) in arguments { arguments[function] = given.filter { !changed.contains($0.caller) } }
        readData(of: first..<places.count)
        try readCode(of: changed.sorted() + (first..<places.count))
    }

    // MARK: Code

    mutating func readCode(of some: some Sequence<Int>) throws(CancellationError) {
        for index in some where places[index].isCode {
            if Task.isCancelled { throw CancellationError() }
            let range = places[index].code
            guard let bytes = running.bytes(at: range.lowerBound, count: Int(clamping: range.upperBound &- range.lowerBound)) else { continue }
            let uses = architecture.placeUses(in: bytes, at: range.lowerBound)
            read(uses, of: index)
            // Assembly code without a size may go on in the next piece.
            if places[index].mayFallThrough, let next = code.place(from: range.upperBound) { note(.calls(next), of: index, at: bytes.count) }
        }
    }

    private func registrar(_ place: CallGraph.Place) -> (name: String, occasion: Occasion)? {
        for name in place.names { if let occasion = registrars[name] { return (name, occasion) } }
        return nil
    }

    /// The function that begins at an address, or the data that has it in it.
    private func place(named address: UInt64) -> Int? { code.place(from: address) ?? data.place(at: address)?.place }

    private mutating func read(_ uses: [PlaceUse], of index: Int) {
        let named = Set(uses.map(\.place))
        let ends = Set(named.compactMap { arrayEnds[$0] })
        // For each address that was taken, the deed.
        var taken: [Int: Int] = [:]
        for use in uses {
            switch use.kind {
            case .goesTo:
                guard let (target, offset) = code.place(at: use.place), target != index || offset == 0 else { continue }
                note(.calls(target), of: index, at: use.offset)
                if offset == 0, target != index { readArguments(use.arguments, to: target, of: index, taken) }
            case .takesAddress:
                guard let target = place(named: use.place) else {
                    readUnnamed(use, of: index)
                    continue
                }
                guard target != index else { continue }
                // Code that names both bounds of a section means all that is between, and not the first variable there.
                if let end = bounds[use.place], named.contains(end) { continue }
                // The end of an array is no part of it, and not the next array.
                if ends.contains(use.place), arrayEnds[use.place].map({ !named.contains($0) }) ?? true { continue }
                taken[target] = deeds[index].count
                note(.takes(target, isHandedOn: true), of: index, at: use.offset)
            case .reads:
                guard let (variable, offset) = data.place(at: use.place) else {
                    readUnnamed(use, of: index)
                    continue
                }
                note(.reads(variable, offset: offset, register: use.register), of: index, at: use.offset)
            case .writes:
                guard let (variable, offset) = data.place(at: use.place) else { continue }
                let stored = use.value.flatMap { place(named: $0) }
                note(.writes(variable, register: use.register, isKnown: stored != nil), of: index, at: use.offset)
                guard let stored else { continue }
                pointers[variable].insert(Pointer(offset: offset / wordSize * wordSize, to: stored))
                // A structure that gets a pointer may be given to others all the same, such as an entry of a list.
                if places[variable].size == wordSize { filled.insert(variable) }
                if let deed = taken[stored] { deeds[index][deed] = .takes(stored, isHandedOn: false) }
            }
        }
    }

    /// A function is called with addresses as arguments.
    ///
    /// - Parameter taken: the deeds by which the caller took them.
    private mutating func readArguments(_ given: [UInt8: UInt64], to target: Int, of index: Int, _ taken: [Int: Int]) {
        let list = given.sorted { $0.key < $1.key }.compactMap { register, address -> (register: UInt8, place: Int, deed: Int)? in
            guard let place = place(named: address), let deed = taken[place] else { return nil }
            return (register, place, deed)
        }
        if let (name, occasion) = registrar(places[target]) {
            for argument in list where places[argument.place].isCode || hasFunctions(argument.place) {
                deeds[index][argument.deed] = .registers(argument.place, occasion, with: name)
            }
        } else if !places[target].names.isDisjoint(with: Occasion.callers) {
            for argument in list where places[argument.place].isCode { deeds[index][argument.deed] = .calls(argument.place) }
        } else {
            for argument in list { arguments[target, default: []].append((argument.register, argument.place, index, argument.deed)) }
            if places[target].names.isDisjoint(with: Occasion.copiers) { passedOn[index, default: []].formUnion(list.map(\.deed)) }
            // A structure may also be given by a pointer that is read from an array.
            let named = taken.keys.filter { !places[$0].isCode }
            if !named.isEmpty {
                self.given[target, default: []].formUnion(named)
                callers[target, default: []].insert(index)
            }
        }
    }

    /// Constants without a symbol, which compilers make: of vectors of pointers, and of structures that are copied.
    private mutating func readUnnamed(_ use: PlaceUse, of index: Int) {
        guard !symbolTables.contains(use.place) else { return }
        let next = data.start(after: use.place) ?? .max
        for step in 0..<8 {
            let place = use.place &+ UInt64(step) &* wordSize
            guard place < next, let target = pointer(at: place) else { break }
            note(.takes(target, isHandedOn: true), of: index, at: use.offset)
        }
    }

    private mutating func note(_ deed: Deed, of index: Int, at offset: Int) {
        deeds[index].append(deed)
        deedOffsets[index].append(offset)
    }

    /// Finds the functions that store an argument in a variable: `register_gic_ops(&gicv2_ops)`.
    mutating func followSetters() {
        for (setter, given) in arguments {
            for deed in deeds[setter] {
                guard case .writes(let variable, let register?, false) = deed, places[variable].size == wordSize else { continue }
                for argument in given where argument.register == register {
                    pointers[variable].insert(Pointer(offset: 0, to: argument.place))
                    filled.insert(variable)
                    deeds[argument.caller][argument.deed] = .takes(argument.place, isHandedOn: false)
                }
            }
        }
    }

    mutating func readAlternatives() {
        for alternative in alternatives(of: running, architecture, version) {
            guard alternative.newLength > 0, alternative.replacement <= .max - UInt64(alternative.newLength),
                let owner = code.place(at: alternative.original)?.place,
                let bytes = running.image.bytes(at: alternative.replacement, count: Int(alternative.newLength))
            else { continue }
            for use in architecture.placeUses(in: bytes, at: alternative.replacement) where use.kind == .goesTo {
                if let target = code.place(from: use.place), target != owner { note(.calls(target), of: owner, at: 0) }
            }
        }
    }

    /// The frames of `run_in_exception_handler` name the function that the trap handler calls.
    mutating func readBugFrames() {
        let image = running.image
        guard let layout = architecture.specialTables(of: version).first(where: { $0.section == SectionName.bugFrames(0) }), layout.fields.count > 1,
            let start = image.global("__start_bug_frames") ?? image.global("__start_bug_frames_0"), let end = image.global("__stop_bug_frames_0"),
            end.address > start.address, end.address - start.address < 1 << 20,
            let bytes = image.bytes(at: start.address, count: Int(end.address - start.address))
        else { return }
        func target(_ field: SpecialTable.Field, ofEntryAt offset: Int) -> UInt64 {
            let number = architecture.byteOrder.number(bytes.dropFirst(offset + field.offset).prefix(4))
            let unused = UInt64(64 - field.bits)
            let distance = UInt64(bitPattern: Int64(bitPattern: number << unused) >> Int64(unused))
            return start.address &+ UInt64(offset) &+ UInt64(bitPattern: Int64(field.offset)) &- UInt64(bitPattern: field.bias) &+ distance
        }
        for offset in stride(from: 0, through: bytes.count - layout.entrySize, by: layout.entrySize) {
            guard let owner = code.place(at: target(layout.fields[0], ofEntryAt: offset))?.place,
                let called = code.place(from: target(layout.fields[1], ofEntryAt: offset))
            else { continue }
            note(.calls(called), of: owner, at: 0)
        }
    }

    // MARK: Data

    mutating func readData(of some: some Sequence<Int>) {
        for index in some where !places[index].isCode {
            let place = places[index], first = (place.address &+ wordSize &- 1) / wordSize &* wordSize
            guard place.size >= wordSize, first &+ wordSize <= place.address &+ place.size,
                let bytes = running.bytes(at: first, count: Int(place.address &+ place.size &- first) / Int(wordSize) * Int(wordSize))
            else { continue }
            for offset in stride(from: 0, to: bytes.count, by: Int(wordSize)) {
                let word = architecture.byteOrder.number(bytes.dropFirst(offset).prefix(Int(wordSize)))
                guard word != 0, let target = target(of: word), target != index else { continue }
                hasOwnPointers.insert(index)
                pointers[index].insert(Pointer(offset: first &- place.address &+ UInt64(offset), to: target))
            }
        }
    }

    private func pointer(at address: UInt64) -> Int? {
        running.bytes(at: address, count: Int(wordSize)).flatMap { target(of: architecture.byteOrder.number($0)) }
    }

    /// What a pointer of this value leads to: the start of a function, or any part of data.
    private func target(of word: UInt64) -> Int? { code.place(from: word) ?? data.place(at: word)?.place }

    // MARK: Structures

    /// Finds the structures of pointers that boot code copies into variables of the same size: `hvm_funcs = *start_svm()`.
    ///
    /// Certain is a copy through a register, which is loaded from the structure and stored in the variable. Otherwise, a variable may get
    /// each such structure that the code names near the variable. The structure may also be named by boot code that is called near there, by
    /// a pointer that is read there, or by whoever calls the code. Structures that are copied somewhere for certain are not copied elsewhere.
    mutating func followStructures() {
        let registered = Set(
            deeds.joined().compactMap { deed -> Int? in if case .registers(let place, _, _) = deed { place } else { nil } })
        let structures = Dictionary(
            grouping: places.indices.filter { !places[$0].isCode && places[$0].size >= 2 * wordSize && hasFunctions($0) && !registered.contains($0) },
            by: { places[$0].size })
        let perCPU = perCPUVariables
        let readLater = Set(
            places.indices.filter { places[$0].isCode && !places[$0].isBoot }.flatMap { deeds[$0] }
                .compactMap { deed -> Int? in if case .reads(let variable, _, _) = deed { variable } else { nil } })
        var certain: [(variable: Int, structure: Int, by: Set<Int>)] = [], possible = certain
        for user in places.indices where places[user].isCode {
            for (deed, offset) in zip(deeds[user], deedOffsets[user]) {
                let variable: Int, register: UInt8?
                switch deed {
                // What is overwritten word by word may have had pointers before.
                case .writes(let other, let source, let isKnown) where !isKnown || !hasOwnPointers.contains(other): (variable, register) = (other, source)
                case .takes(let other, _) where !hasOwnPointers.contains(other): (variable, register) = (other, nil)
                case .calls, .reads, .registers, .writes, .takes: continue
                }
                let place = places[variable]
                // Alternative calls through a variable that is freed after boot have become direct ones by then; any other such variable is
                // used at boot only.
                guard !place.isCode, !place.isBoot || readLater.contains(variable), let candidates = structures[place.size], !perCPU.contains(place.address)
                else { continue }
                let near = deedsOf(user, near: offset)
                let loaded = near.compactMap { deed -> Int? in
                    if case .reads(let other, _, let target?) = deed, target == register { other } else { nil }
                }
                let named = namedData(by: user, near)
                for structure in candidates where structure != variable && (places[user].isBoot || places[structure].isBoot) {
                    if loaded.contains(structure) { certain.append((variable, structure, [user])) }
                    if let namers = named[structure] { possible.append((variable, structure, namers)) }
                }
            }
        }
        let placed = Set(certain.map(\.structure))
        for (variable, structure, namers) in certain + possible.filter({ !placed.contains($0.structure) }) {
            for pointer in pointers[structure] { pointers[variable].insert(Pointer(offset: pointer.offset, to: pointer.to, from: structure)) }
            copied[structure, default: []].formUnion(namers)
            filled.insert(variable)
        }
    }

    private func hasFunctions(_ index: Int) -> Bool { pointers[index].contains { places[$0.to].isCode } }

    /// What a function does within some distance of an offset.
    private func deedsOf(_ code: Int, near offset: Int) -> [Deed] {
        zip(deeds[code], deedOffsets[code]).filter { abs($0.1 - offset) <= Self.reachOfCopy }.map(\.0)
    }

    /// Variables that exist once for each processor: only an offset is at their own addresses.
    private var perCPUVariables: Range<UInt64> {
        guard let start = running.image.global("__per_cpu_start")?.address, let end = running.image.global("__per_cpu_data_end")?.address, start <= end
        else { return 0..<0 }
        return start..<end
    }

    /// How many bytes of code may be between what names a variable and what names the structure that goes there.
    private static let reachOfCopy = 1024
    /// How many pointers away from what the code names a structure may be.
    private static let pointerSteps = 3

    /// The data that some deeds of boot code name, as `followStructures` says, each with the code that names it.
    private func namedData(by user: Int, _ near: [Deed]) -> [Int: Set<Int>] {
        func own(_ deeds: some Sequence<Deed>) -> [Int] {
            deeds.compactMap { deed in
                switch deed {
                case .reads(let other, _, _), .takes(let other, _): places[other].isCode ? nil : other
                case .calls, .writes, .registers: nil
                }
            }
        }
        func called(_ deeds: [Deed]) -> [Int] {
            deeds.compactMap { deed in if case .calls(let other) = deed, places[other].isBoot { other } else { nil } }
        }
        let first = called(near), second = first.flatMap { called(deeds[$0]) }
        var found: [Int: Set<Int>] = [:]
        for data in own(near) { found[data, default: []].insert(user) }
        for code in first + second { for data in own(deeds[code]) { found[data, default: []].insert(code) } }
        // Who gives it names it.
        for data in given[user] ?? [] { found[data, default: []].formUnion(givers(of: data, to: user)) }
        var front = Array(found)
        for _ in 0..<Self.pointerSteps {
            let further = front.flatMap { data, namers in pointers[data].map { ($0.to, namers) } }.filter { !places[$0.0].isCode && found[$0.0] == nil }
            for (data, namers) in further { found[data, default: []].formUnion(namers) }
            front = further.map { (key: $0.0, value: $0.1) }
        }
        return found
    }

    private func givers(of data: Int, to function: Int) -> [Int] {
        (callers[function] ?? []).filter { caller in deeds[caller].contains { if case .takes(data, _) = $0 { true } else { false } } }
    }

    /// Whether that code names a structure only because it is copied somewhere, or an array that lists only such structures.
    private func isUsedUp(_ index: Int, by code: Int) -> Bool {
        func isCopied(_ structure: Int) -> Bool { copied[structure]?.contains(code) ?? false }
        return isCopied(index) || (!pointers[index].isEmpty && pointers[index].allSatisfy { isCopied($0.to) })
    }

    // MARK: Links

    func edges() -> [[CallGraph.Edge]] {
        places.indices.map { index in
            var list: [CallGraph.Edge] = []
            var seen: Set<[Int]> = []
            func add(_ to: Int, _ link: CallGraph.Link, _ kind: Int) {
                if to != index, seen.insert([to, kind]).inserted { list.append(CallGraph.Edge(to: to, link: link)) }
            }
            for (number, deed) in deeds[index].enumerated() {
                switch deed {
                case .calls(let other): add(other, .calls, 0)
                case .reads(let variable, let offset, _):
                    let start = offset / wordSize * wordSize
                    for pointer in pointers[variable] where pointer.offset == start { add(pointer.to, .through(variable: places[variable].name), 1) }
                case .writes: break
                case .takes(let other, let isHandedOn):
                    let isPassedOn = passedOn[index]?.contains(number) ?? false
                    guard isHandedOn, isPassedOn || !(places[index].isBoot && isUsedUp(other, by: index)) else { continue }
                    add(other, places[other].isCode ? .takes : filled.contains(other) ? .usesFilled : .uses, 2)
                case .registers(let other, let occasion, let name): add(other, .registers(occasion, with: name), 3)
                }
            }
            for pointer in pointers[index].sorted(by: { ($0.offset, $0.to) < ($1.offset, $1.to) }) {
                add(pointer.to, .holds(from: pointer.from.map { places[$0].name }), 4)
            }
            return list
        }
    }
}

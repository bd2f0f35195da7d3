import ELFModel

/// One walk through a payload, from the functions that it replaces to all that they refer to.
struct PayloadCheck {
    let payload: TorturePayload
    let files: [TortureJudge.File]
    let hypervisor: HypervisorSymbols
    /// See `TortureJudge.faults`.
    let hasOtherFileNames: Bool
    let mayExchangeLookalikes: Bool
    var faults: [String] = []

    /// A thing of the patched objects that the payload has a copy of.
    struct Thing: Hashable {
        var file: Int
        var place: OracleObject.Place
    }

    struct Work {
        var thing: Thing
        var size: UInt64
        var place: OracleObject.Place
        var name: String
    }

    private var copies: [Thing: OracleObject.Place] = [:]
    private var waiting: [Work] = []
    /// Replaced functions by file.
    private var replaced: [Set<String>] = []
    /// The payload's ranges of new variables that are written.
    private var storage: [String: OracleObject.Item] = [:]
    /// The hypervisor's addresses that stand for variables that are written, both ways. Where two are allowed, all users must have the same one.
    private var taken: [Variable: UInt64] = [:]
    private var takers: [UInt64: Variable] = [:]

    /// A variable of a patched object.
    private struct Variable: Hashable {
        var file: Int
        var name: String
    }

    init(payload: TorturePayload, files: [TortureJudge.File], hypervisor: HypervisorSymbols, hasOtherFileNames: Bool, mayExchangeLookalikes: Bool) {
        (self.payload, self.files, self.hypervisor) = (payload, files, hypervisor)
        (self.hasOtherFileNames, self.mayExchangeLookalikes) = (hasOtherFileNames, mayExchangeLookalikes)
        replaced = files.map { _ in [] }
    }

    mutating func run() {
        for replacement in payload.replacements { start(replacement) }
        for (index, file) in files.enumerated() {
            let (must, may) = file.changed
            for name in must.subtracting(replaced[index]).sorted() {
                faults.append("\(file.source): \(name) differs and is not replaced (\(file.diff.difference(of: name)))")
            }
            for name in replaced[index].subtracting(must).subtracting(may).sorted() where !name.hasSuffix(".cold") {
                faults.append("\(file.source): \(name) is replaced and does not differ")
            }
        }
        while let work = waiting.popLast() { check(work) }
    }

    private mutating func start(_ replacement: TorturePayload.Replacement) {
        for (index, file) in files.enumerated() {
            for (name, item) in file.diff.patched.functions {
                guard let before = file.diff.original.functions[name], let plain = file.plainNames[before.place],
                    hypervisor.address(of: plain, in: file.source) == replacement.oldAddress
                else { continue }
                replaced[index].insert(name)
                if item.size != replacement.size { faults.append("\(name): \(replacement.size) bytes, the compiler made \(item.size)") }
                add(Work(thing: Thing(file: index, place: item.place), size: item.size, place: replacement.place, name: name))
                return
            }
        }
        faults.append("\(replacement.name) is replaced and is no function of the patch's files that the original has")
    }

    /// Notes that the payload has a copy of a thing. There is one at most.
    private mutating func add(_ work: Work) {
        if let known = copies[work.thing] {
            if known != work.place { faults.append("\(work.name) is at two places of the payload") }
            return
        }
        copies[work.thing] = work.place
        waiting.append(work)
    }

    // MARK: Contents

    private mutating func check(_ work: Work) {
        let object = files[work.thing.file].diff.patched
        let item = OracleObject.Item(place: work.thing.place, size: work.size)
        guard payload.holds(OracleObject.Item(place: work.place, size: work.size)) else {
            return faults.append("\(work.name): \(work.size) bytes go past the end of its section")
        }
        let wanted = object.references(in: item)
        var found = payload.references(at: work.place, size: work.size)
        var ours = object.bytes(of: item), theirs = payload.bytes(at: work.place, count: Int(clamping: work.size))
        if payload.file.header.machine == ELF.Machine.x86_64 {
            mask(&ours, wanted.map { $0.offset - item.place.offset })
            mask(&theirs, wanted.map { $0.offset - item.place.offset })
        }
        let branches = wanted.compactMap { payload.branch(like: $0, item.place.offset, at: work.place, besides: found) }
        mask(&theirs, branches.map { $0.offset &- work.place.offset }, bytes: 3)
        found = (found + branches).sorted { $0.offset < $1.offset }
        if ours != theirs { faults.append("\(work.name): other bytes than the compiler's") }
        check(wanted, from: item.place.offset, found, from: work.place.offset, in: work.thing.file, work.name)
        if let function = object.functions.first(where: { $0.value.place == work.thing.place })?.key { checkEntries(of: function, work) }
    }

    /// A linker may or may not put the addend into the field as well.
    private func mask(_ bytes: inout [UInt8], _ offsets: [UInt64], bytes count: Int = 4) {
        for offset in offsets {
            for index in 0..<count where offset &+ UInt64(index) < UInt64(bytes.count) { bytes[Int(offset) + index] = 0 }
        }
    }

    mutating func check(
        _ wanted: [OracleObject.Reference], from start: UInt64, _ found: [TorturePayload.Reference], from base: UInt64, in file: Int, _ name: String
    ) {
        guard wanted.count == found.count else {
            faults.append("\(name): \(found.count) references, the compiler made \(wanted.count)")
            return
        }
        for (want, got) in zip(wanted, found) {
            let offset = want.offset - start
            guard got.offset &- base == offset, OracleObject.isSameKind(want.type, got.type, payload.file.header.machine) else {
                faults.append("\(name)+\(offset): another kind of reference than the compiler's")
                continue
            }
            // The compiler's distance taken off, what remains is the very thing that it meant.
            if let fault = check(want, got.target.moved(by: -want.addend), in: file) { faults.append("\(name)+\(offset): \(fault)") }
        }
    }

    // MARK: References

    private mutating func check(_ want: OracleObject.Reference, _ target: TorturePayload.Target, in file: Int) -> String? {
        if case .unknown(let name) = target { return "no symbol \(name) in the hypervisor" }
        switch want.meaning {
        case .outside(let name):
            guard case .hypervisor(let address) = target, address == hypervisor.address(name) else { return "\(name) expected, \(words(target))" }
            return nil
        case .function(let name): return function(name, want, target, in: file)
        case .variable(let name): return variable(name, target, in: file)
        case .block(let section): return block(section, target, in: file)
        case .content(let place):
            let object = files[file].diff.patched
            switch target {
            case .own(let own):
                let item = object.extent(of: place)
                add(Work(thing: Thing(file: file, place: place), size: item.size, place: own, name: "a constant"))
                return nil
            case .hypervisor(let address): return constant(object.extent(of: place), at: address, in: file)
            case .unknown: return nil
            }
        }
    }

    private mutating func function(_ name: String, _ want: OracleObject.Reference, _ target: TorturePayload.Target, in file: Int) -> String? {
        let diff = files[file].diff
        let isStart = diff.patched.isStart(want)
        guard let item = diff.patched.functions[name] else { return "\(name) is no function" }
        switch target {
        case .own(let place):
            add(Work(thing: Thing(file: file, place: item.place), size: item.size, place: place, name: name))
            return nil
        case .hypervisor(let address):
            guard let before = diff.original.functions[name] else { return "\(name) is new, \(words(target))" }
            guard address == self.address(of: before, in: file) else { return "\(name) expected, \(words(target))" }
            if replaced[file].contains(name) { return isStart ? nil : "leads into the middle of the old \(name)" }
            if case .content(let difference) = diff.difference(of: name) { return "the hypervisor's \(name) is used: \(difference)" }
            return oldCode(diff.original.references(in: before), in: file).map { "the hypervisor's \(name) is used: \($0)" }
        case .unknown: return nil
        }
    }

    /// The hypervisor's own thing must not lead into the middle of a function that is replaced.
    private func oldCode(_ references: [OracleObject.Reference], in file: Int) -> String? {
        for reference in references {
            guard case .function(let name) = reference.meaning, replaced[file].contains(name) else { continue }
            if !files[file].diff.original.isStart(reference) { return "it leads into the middle of the old \(name)" }
        }
        return nil
    }

    private mutating func variable(_ name: String, _ target: TorturePayload.Target, in file: Int) -> String? {
        let diff = files[file].diff
        guard let item = diff.patched.variables[name] else { return "\(name) is no variable" }
        let before = diff.original.variables[name]
        let isConstant = diff.patched.isConstant(item)
        switch target {
        case .own(let place):
            if !isConstant {
                if before != nil, !files[file].mayBeRenewed(name) { return "\(name) is the hypervisor's, \(words(target))" }
                let own = OracleObject.Item(place: place, size: item.size)
                if let other = storage.first(where: { $0.key != name && $0.value.overlaps(own) })?.key { return "\(name) has the storage of \(other)" }
                storage[name] = own
            }
            add(Work(thing: Thing(file: file, place: item.place), size: item.size, place: place, name: name))
            return nil
        case .hypervisor(let address):
            let twin = files[file].diff.twins[name]
            // A line that stays says which one it is, whatever else has the same words.
            let lookalikes = mayExchangeLookalikes && twin == nil ? files[file].exchangeable(name) : []
            let allowed = ([name, twin].compactMap { $0 } + lookalikes.sorted()).compactMap { diff.original.variables[$0] }
            guard let old = allowed.first(where: { self.address(of: $0, in: file) == address }) else {
                if isConstant { return constant(item, at: address, in: file) }
                return before == nil ? "\(name) is new, \(words(target))" : "\(name) expected, \(words(target))"
            }
            if !isConstant, let fault = take(address, for: Variable(file: file, name: name)) { return fault }
            if old.size != item.size { return "\(name) has \(item.size) bytes, the hypervisor's has \(old.size)" }
            if let difference = diff.difference(old, item, 0) { return "the hypervisor's \(name) is used: \(difference)" }
            return oldCode(diff.original.references(in: old), in: file).map { "the hypervisor's \(name) is used: \($0)" }
        case .unknown: return nil
        }
    }

    /// Notes that an address of the hypervisor stands for a variable.
    private mutating func take(_ address: UInt64, for variable: Variable) -> String? {
        if let other = taken[variable], other != address { return "\(variable.name) is in two places of the hypervisor: \(words(.hypervisor(address)))" }
        if let other = takers[address], other != variable { return "\(variable.name) has the storage of \(other.name)" }
        taken[variable] = address
        takers[address] = variable
        return nil
    }

    /// A section with several variables: each must lie where the hypervisor has it.
    private func block(_ section: Int, _ target: TorturePayload.Target, in file: Int) -> String? {
        let diff = files[file].diff
        let inside = diff.patched.variables.filter { $0.value.place.section == section }.sorted { $0.value.place.offset < $1.value.place.offset }
        let known = inside.compactMap { name, item in diff.original.variables[name].map { (name, item, $0) } }
        for (name, item, before) in known {
            guard case .hypervisor(let base) = target else { return "\(name) is the hypervisor's, \(words(target))" }
            guard address(of: before, in: file) == base &+ item.place.offset else { return "\(name) does not lie at its place of \(words(target))" }
        }
        return nil
    }

    /// A constant in the hypervisor that has no name in the source.
    private func constant(_ item: OracleObject.Item, at address: UInt64, in file: Int) -> String? {
        let diff = files[file].diff
        if diff.patched.references(in: item).isEmpty {
            let bytes = diff.patched.bytes(of: item)
            return hypervisor.bytes(at: address, count: bytes.count) == bytes ? nil : "the hypervisor's constant has another content"
        }
        for (place, plain) in files[file].plainNames where hypervisor.address(of: plain, in: files[file].source) == address {
            let before = diff.original.extent(of: place)
            if let difference = diff.difference(before, item, 0) { return "the hypervisor's \(plain) is used: \(difference)" }
            return oldCode(diff.original.references(in: before), in: file).map { "the hypervisor's \(plain) is used: \($0)" }
        }
        return "a constant with references expected, \(words(.hypervisor(address)))"
    }

    private func address(of item: OracleObject.Item, in file: Int) -> UInt64? {
        files[file].plainNames[item.place].flatMap { hypervisor.address(of: $0, in: files[file].source) }
    }

    private func words(_ target: TorturePayload.Target) -> String {
        switch target {
        case .hypervisor(let address):
            let names = hypervisor.names(at: address)
            return "but it leads to the hypervisor's \(names.isEmpty ? "address 0x\(String(address, radix: 16))" : names.joined(separator: " = "))"
        case .own(let place):
            let section = payload.file.sections.indices.contains(place.section) ? payload.file.sections[place.section].name : "?"
            return "but it leads to the payload's own \(section)+\(place.offset)"
        case .unknown(let name): return "but it leads to \(name)"
        }
    }
}

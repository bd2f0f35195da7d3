import ELFModel
import TargetArchitecture
import XenSource
import XenVersions

/// The longest stretch of code that an alternative may patch, in bytes.
private let maximumAlternative = 254

extension PayloadLoader {
    /// Each alternative must patch the payload's own text with bytes from the section for replacement code.
    mutating func readAlternatives(_ table: SpecialTable) throws(Stop) {
        guard let (index, section) = section(named: table.section), let code = table.replacement else { return }
        try checkEntries(section, of: table.entrySize, .tables)
        guard section.size > 0 else { return }
        let text = memory.region(.text)
        guard text.size > 0 else { throw .refuse(.tables, .invalid, "it has alternatives, but no text") }
        guard let codes = self.section(named: code.section) else {
            throw .refuse(.tables, .invalid, "it has alternatives, but no section \(code.section)")
        }
        let bytes = try readBytes(index)
        // What is not loaded is nowhere near the payload's text.
        let start = memory.address(of: index) ?? 0, codeStart = memory.address(of: codes.index) ?? 0
        try checkAligned(index)
        var alternatives: [Alternative] = []
        // The hypervisor checks all alternatives before it applies the first.
        for offset in stride(from: 0, to: UInt64(bytes.count), by: table.entrySize) {
            guard var alternative = Alternative(bytes, offset, table, at: start) else { return }
            alternative.original &= file.lastAddress
            alternative.replacement &= file.lastAddress
            if !Self.contains(text.address, text.size, alternative.original, UInt64(alternative.originalLength)) {
                let reason = "alternative \(alternatives.count) patches code outside the payload"
                guard behaviour.holdsAlternativesToPayload else {
                    for (number, alternative) in alternatives.enumerated() { try apply(alternative, number) }
                    throw .crash(reason)
                }
                throw .refuse(.tables, .invalid, reason)
            }
            guard
                !behaviour.holdsAlternativesToPayload
                    || Self.contains(codeStart, codes.section.size, alternative.replacement, UInt64(alternative.newLength))
            else {
                throw .refuse(.tables, .invalid, "the replacement of alternative \(alternatives.count) is outside \(code.section)")
            }
            alternatives.append(alternative)
        }
        for (number, alternative) in alternatives.enumerated() { try apply(alternative, number) }
    }

    /// What the hypervisor does with an alternative that it has not refused.
    private mutating func apply(_ alternative: Alternative, _ number: Int) throws(Stop) {
        let room = alternative.wholeLength, length = Int(alternative.newLength)
        if rules.wantsAlternativesOfOneLength {
            if length == room { return }
            // The processor decides which alternatives are applied.
            throw length == 0
                ? .unknown("a function fills in alternative \(number)")
                : .crash("alternative \(number) has \(length) bytes for a place of \(room), which stops the hypervisor on a processor that it is for")
        }
        if length > room || room > maximumAlternative {
            throw faulty(.noSpace, "alternative \(number) has \(length) bytes for a place of \(room), and at most \(maximumAlternative) can be written")
        }
        if let features = rules.features {
            let words = hypervisor.size(ofGlobal: features.array).map { $0 / 4 } ?? features.reportedWords
            let feature = behaviour.invertsAlternatives ? alternative.feature & 0x7FFF : alternative.feature
            if UInt64(feature) >= 32 * (words + features.ownWords) {
                throw faulty(.outOfRange, "alternative \(number) is for feature \(feature), and the last one is \(32 * (words + features.ownWords) - 1)")
            }
        }
        if alternative.isDone { return }
        try checkPadding(alternative, number)
        try checkCall(alternative, number)
    }

    private func faulty(_ error: LoadResult.ErrorNumber, _ reason: String) -> Stop {
        behaviour.refusesFaultyAlternatives ? .refuse(.tables, error, reason) : .crash("\(reason): the hypervisor stops itself")
    }

    /// The loader does not count the padding when it checks that an alternative is in the payload's text, but writes over it: NOPs, or the end of
    /// a longer replacement. On some processors it does not, which is not known here.
    private mutating func checkPadding(_ alternative: Alternative, _ number: Int) throws(Stop) {
        let end = alternative.original &+ UInt64(alternative.originalLength), padding = UInt64(alternative.padding)
        guard padding > 0 else { return }
        guard memory.contains(end &+ padding &- 1) else {
            throw .crash("the padding of alternative \(number) goes past the payload's memory")
        }
        let own = memory.sections(at: alternative.original, count: 1, besides: nil).first
        let others = memory.sections(at: end, count: padding, besides: own)
        if let other = others.first(where: { !sections[$0].isExecutable }) ?? others.first {
            spoil(
                "the padding of alternative \(number) is written over section \(sections[other].name)",
                at: sections[other].isExecutable ? .call : .apply)
        }
    }

    /// A replacement that calls itself stands for where the pointer of the original call leads to. The hypervisor looks that up at upload.
    private mutating func checkCall(_ alternative: Alternative, _ number: Int) throws(Stop) {
        guard let features = rules.features, features.turnsCalls, alternative.feature == features.always, alternative.originalLength >= 6,
            alternative.newLength >= 5, let code = bytes(at: alternative.replacement, count: 5), Alternative.callsItself(code),
            let call = bytes(at: alternative.original, count: 6), call.elementsEqual([0xFF, code.first == 0xE8 ? 0x15 : 0x25] + call.dropFirst(2))
        else { return }
        try checkPointer(ofCallAt: alternative.original, call, "alternative \(number)")
    }

    /// Follows the pointer of a call that becomes a direct one.
    ///
    /// - Parameter call: the six bytes of `call *pointer(%rip)`, or of such a jump.
    private mutating func checkPointer(ofCallAt address: UInt64, _ call: ArraySlice<UInt8>, _ name: String) throws(Stop) {
        guard let distance: UInt32 = call.number(at: 2) else { return }
        let slot = follow(distance, from: address &+ 6), name = name + function(at: address)
        guard hasMemory(at: slot), hasMemory(at: slot &+ 7) else {
            throw .crash("\(name) calls through a pointer at \(describe(slot))")
        }
        // The value of the hypervisor's own variables changes as it runs.
        guard memory.contains(slot), let target = bytes(at: slot, count: 8)?.word(at: 0, .bits64), target != 0 else { return }
        if rules.readsTargetsOfCalls, !hasMemory(at: target) {
            throw .crash("\(name) calls through a pointer to \(describe(target))")
        }
        if !hasCode(at: target) { spoil("\(name) calls through a pointer to \(describe(target))", at: .call) }
    }

    /// Each entry must point to a call through a pointer, in the payload's own text. The hypervisor overwrites it with a direct call.
    mutating func readAlternativeCalls(_ index: Int, _ form: SpecialTable.Call) throws(Stop) {
        let bytes = try readBytes(index), text = memory.region(.text), start = memory.address(of: index) ?? 0
        guard text.size > 0 else { throw .refuse(.tables, .invalid, "it has alternative calls, but no text") }
        var places: [UInt64] = []
        for offset in stride(from: 0, to: UInt64(bytes.count), by: 4) {
            guard let distance: UInt32 = bytes.number(at: offset) else { return }
            let call = follow(distance, from: start &+ offset)
            guard Self.contains(text.address, text.size, call, UInt64(form.size)) else {
                throw .refuse(.tables, .invalid, "alternative call \(offset / 4) is outside the payload's text")
            }
            places.append(call)
        }
        for (number, place) in places.enumerated() {
            guard let call = memory.bytes(at: place, count: form.size), call.starts(with: form.start) else {
                throw .refuse(.tables, .invalid, "alternative call \(number) is not a call through a pointer")
            }
            try checkPointer(ofCallAt: place, call, "alternative call \(number)")
        }
    }

    private func follow(_ distance: UInt32, from address: UInt64) -> UInt64 {
        (address &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance)))) & file.lastAddress
    }

    private static func contains(_ start: UInt64, _ size: UInt64, _ address: UInt64, _ count: UInt64) -> Bool {
        address >= start && count <= size && address &+ count <= start &+ size
    }
}

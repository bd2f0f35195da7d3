import TargetArchitecture

/// Why the instructions of a function can't be paired with those of the running one.
struct CodeMismatch: Error, Equatable {
    var reason: String
    /// Whether the reason is a difference, and not that the code can't be read.
    var isAboutCode = true
}

/// The instructions of a function as compiled here, each beside the running one, filler left out. All places are in bytes from the start
/// of the function: a running one can be far behind its end.
struct PairedInstructions {
    private(set) var pairs: [(here: CodeInstruction, there: CodeInstruction)] = []
    /// The running place for a place here; for filler, the place of the instruction that the filler leads to.
    private(set) var places: [Int: Int] = [:]
    /// Where running filler leads.
    private var skipped: [Int: Int] = [:]

    /// Adds a stretch of code that runs from its first instruction to its last.
    ///
    /// - Parameter running: may go on behind the stretch if `isOpen`.
    mutating func add(_ here: ArraySlice<CodeInstruction>, _ running: [CodeInstruction], isOpen: Bool = false) throws(CodeMismatch) {
        let ours = here.filter { !$0.isFiller }
        var theirs = running.filter { !$0.isFiller }
        if isOpen { theirs = Array(theirs.prefix(ours.count)) }
        guard ours.count == theirs.count else { throw CodeMismatch(reason: "\(ours.count) instructions here, \(theirs.count) there") }
        let end = isOpen ? theirs.last?.range.upperBound : running.last?.range.upperBound
        if let last = here.last, let end { places[last.range.upperBound] = end }
        for (a, b) in zip(ours, theirs) { places[a.range.lowerBound] = b.range.lowerBound }
        pairs += zip(ours, theirs).map { ($0, $1) }

        var next = end
        for instruction in here.reversed() {
            if instruction.isFiller { places[instruction.range.lowerBound] = next }
            next = places[instruction.range.lowerBound] ?? next
        }
        next = end
        for instruction in running.reversed() where end.map({ instruction.range.lowerBound < $0 }) ?? true {
            if instruction.isFiller { skipped[instruction.range.lowerBound] = next } else { next = instruction.range.lowerBound }
        }
    }

    /// Whether a running place is the one for a place here, or filler that leads to it.
    func isReached(_ running: Int, from here: Int) -> Bool {
        guard let place = places[here] else { return false }
        return running == place || skipped[running] == place
    }
}

extension RunningCode {
    /// Reads the function here and the running one.
    ///
    /// Code that inline assembly moves out of the way (`.subsection`) lies behind its own function here. Where functions share a section
    /// it lies behind all of them, in the same order: the function's jumps lead there.
    func pairedInstructions() throws(CodeMismatch) -> PairedInstructions {
        guard let ours = architecture.instructions(here[...]) else { throw CodeMismatch(reason: "it can't be decoded here", isAboutCode: false) }
        guard let bytes = hypervisor.running.bytes(at: address, count: Int(clamping: size)), let theirs = architecture.instructions(bytes) else {
            throw CodeMismatch(reason: "it can't be decoded there", isAboutCode: false)
        }
        let body = ours.prefix { $0.range.lowerBound < item.symbolSize }, outside = ours.dropFirst(body.count)
        guard (body.last?.range.upperBound ?? 0) <= item.symbolSize else { throw CodeMismatch(reason: "its end is within an instruction", isAboutCode: false) }
        var paired = PairedInstructions()
        try paired.add(body, theirs)
        guard let first = outside.first(where: { !$0.isFiller }) else { return paired }

        // The first jump that leads out of the function tells where the running hypervisor has that code.
        let relocated = Set(item.references.map(\.offset))
        let ways = paired.pairs.filter { pair in
            pair.here.relative.map { !relocated.contains($0.lowerBound) } ?? false && pair.here.target == first.range.lowerBound
        }
        guard let start = ways.first?.there.target else { throw CodeMismatch(reason: "its code outside of the function can't be found", isAboutCode: false) }
        try paired.add(outside, instructionsBehind(outside, at: start), isOpen: true)
        return paired
    }

    /// The running instructions from a place on: at least as many as in the given code, if there are that many. Encodings may be longer.
    private func instructionsBehind(_ code: ArraySlice<CodeInstruction>, at start: Int) -> [CodeInstruction] {
        guard let first = code.first, let last = code.last else { return [] }
        let size = last.range.upperBound - first.range.lowerBound, place = address &+ UInt64(bitPattern: Int64(start))
        let most = size + 4 * code.count
        // The section may end before that.
        guard let bytes = stride(from: most, through: 1, by: -1).lazy.compactMap({ hypervisor.running.bytes(at: place, count: $0) }).first else { return [] }
        return architecture.leadingInstructions(bytes).map { $0.moved(by: start) }
    }

    /// - Returns: the first difference in meaning; nil when there is none.
    func instructionDifference(_ paired: PairedInstructions) -> String? {
        var references = item.references[...]
        for (a, b) in paired.pairs {
            let own = references.prefix { $0.offset < a.range.upperBound }
            references = references.dropFirst(own.count)
            if let difference = difference(a, b, own, in: paired) { return difference }
        }
        return nil
    }

    private func difference(_ a: CodeInstruction, _ b: CodeInstruction, _ references: ArraySlice<Reference>, in paired: PairedInstructions) -> String? {
        var (x, y) = (a.meaning, b.meaning)
        var isRelocated = false
        for var reference in references {
            guard let kind = architecture.relocationKind(reference.type), let slot = slot(reference, kind) else { continue }
            let seen: Sighting
            if slot == a.relative {
                guard let target = b.target else { return "another operand" }
                isRelocated = true
                // The processor counts from the end of the instruction. If an immediate operand follows the field, that is not the end of
                // the field.
                reference.distance = reference.addend &+ Int64(a.range.upperBound - slot.lowerBound)
                let start = address &+ UInt64(bitPattern: Int64(target)) &- UInt64(bitPattern: reference.distance)
                seen = Sighting(start &+ UInt64(bitPattern: reference.addend), mask: addressMask)
            } else {
                guard a.range.count == b.range.count, !kind.isPCRelative, slot.lowerBound >= a.range.lowerBound, slot.upperBound <= a.range.upperBound else {
                    return "another operand"
                }
                let local = slot.lowerBound - a.range.lowerBound..<slot.upperBound - a.range.lowerBound
                guard let filled = kind.sighting(of: number(y[local]), at: 0) else { return "another operand" }
                seen = Sighting(filled.value, mask: filled.mask & addressMask)
                for index in local { (x[index], y[index]) = (0, 0) }
            }
            let place = { (offset: Int) in paired.places[offset].map { address &+ UInt64(bitPattern: Int64($0)) } }
            if let difference = difference(reference, seen, isExact: false, place: place) { return difference }
        }
        guard x == y else { return "another instruction" }
        if a.relative != nil, !isRelocated {
            guard let from = a.target, let to = b.target, paired.isReached(to, from: from) else { return "another jump" }
        }
        return nil
    }
}

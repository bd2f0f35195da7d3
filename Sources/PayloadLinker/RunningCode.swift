import ObjectDiff
import TargetArchitecture
import XenSource

/// How a function of an original object agrees with the code that runs in its place.
enum CodeAgreement: Equatable {
    /// Relocated to its address, it is that code byte for byte.
    case identical
    /// The same instructions, some in another encoding: an assembler shortens jumps between functions that share a section, and
    /// fills up with other bytes.
    case sameInstructions
    /// With what differs first.
    case different(String)
}

/// Holds one function of an original object against the code that runs in its place.
struct RunningCode {
    let sets: [ChangeSet]
    let hypervisor: Hypervisor
    let architecture: any TargetArchitecture
    let object: Int
    /// An index into the original object's items.
    let index: Int
    /// Where the code is that runs, and its size in bytes.
    let address: UInt64
    let size: UInt64

    private var graph: ObjectGraph { sets[object].original }
    private var item: Item { graph.items[index] }
    private var here: [UInt8] { Array(graph.bytes(of: item)) }

    /// Tables that point to tables that point to tables: deeper than any compiler makes them.
    private static let deepest = 8

    func agreement() -> CodeAgreement {
        let difference = byteDifference()
        guard let difference else { return .identical }
        return instructionDifference() == nil ? .sameInstructions : .different(difference)
    }

    // MARK: Byte for byte

    private func byteDifference() -> String? {
        guard size == UInt64(item.symbolSize) else { return "\(item.symbolSize) bytes here, \(size) there" }
        guard let there = hypervisor.running.bytes(at: address, count: item.size).map(Array.init) else {
            return "there are no bytes at its address"
        }
        let here = here
        guard here.count == there.count else { return "its bytes are missing here" }
        var isSlot = Array(repeating: false, count: here.count)
        for reference in item.references {
            guard let slot = slot(reference), slot.upperBound <= here.count else { continue }
            for index in slot { isSlot[index] = true }
            let value = number(there[slot])
            let target = isRelative(reference) ? address &+ UInt64(slot.lowerBound) &+ signed(value, slot.count) : value
            let start = target &- UInt64(bitPattern: reference.addend)
            if let difference = difference(reference, start: start, isExact: true, place: { address &+ UInt64($0) }) {
                return "byte \(reference.offset) refers to something else: \(difference)"
            }
        }
        for index in here.indices where !isSlot[index] && here[index] != there[index] {
            return "they differ from byte \(index) on"
        }
        return nil
    }

    // MARK: Instruction by instruction

    private func instructionDifference() -> String? {
        // Code that the assembler puts behind the function lies behind all functions where they share a section.
        guard item.size == item.symbolSize, let there = hypervisor.running.bytes(at: address, count: Int(clamping: size)),
            let allOurs = architecture.instructions(here[...]), let allTheirs = architecture.instructions(there)
        else { return "it can't be compared" }
        let (ours, theirs) = (allOurs.filter { !$0.isFiller }, allTheirs.filter { !$0.isFiller })
        guard ours.count == theirs.count else { return "\(ours.count) instructions here, \(theirs.count) there" }
        let ends = (ours: allOurs.last?.range.upperBound ?? 0, theirs: allTheirs.last?.range.upperBound ?? 0)

        /// The place there of one here; of filler, that of the instruction that it leads to.
        var places: [Int: Int] = [ends.ours: ends.theirs]
        for (a, b) in zip(ours, theirs) { places[a.range.lowerBound] = b.range.lowerBound }
        var next = ends.theirs
        for instruction in allOurs.reversed() {
            if instruction.isFiller { places[instruction.range.lowerBound] = next }
            next = places[instruction.range.lowerBound] ?? next
        }
        func isReached(_ offset: Int, from a: Int) -> Bool {
            guard let place = places[a] else { return false }
            return offset == place || allTheirs.contains { $0.isFiller && $0.range.lowerBound == offset } && skipped(offset, allTheirs) == place
        }

        var references = item.references[...]
        for (a, b) in zip(ours, theirs) {
            let own = references.prefix { $0.offset < a.range.upperBound }
            references = references.dropFirst(own.count)
            var (x, y) = (a.meaning, b.meaning)
            for reference in own {
                guard let slot = slot(reference) else { continue }
                let start: UInt64
                if slot == a.relative {
                    guard let target = b.target else { return "another operand" }
                    start = address &+ UInt64(bitPattern: Int64(target)) &- UInt64(bitPattern: reference.distance)
                } else {
                    guard a.range.count == b.range.count, !isRelative(reference), slot.upperBound <= a.range.upperBound else { return "another operand" }
                    let local = slot.lowerBound - a.range.lowerBound..<slot.upperBound - a.range.lowerBound
                    start = number(y[local]) &- UInt64(bitPattern: reference.addend)
                    for index in local { (x[index], y[index]) = (0, 0) }
                }
                let place = { (offset: Int) in places[offset].map { address &+ UInt64($0) } }
                if let difference = difference(reference, start: start, isExact: false, place: place) { return difference }
            }
            guard x == y else { return "another instruction" }
            if let field = a.relative, !own.contains(where: { slot($0) == field }) {
                guard let from = a.target, let to = b.target, isReached(to, from: from) else { return "another jump" }
            }
        }
        return nil
    }

    /// The first place at or behind an offset that is no filler.
    private func skipped(_ offset: Int, _ instructions: [CodeInstruction]) -> Int {
        let rest = instructions.drop { $0.range.lowerBound < offset }
        return rest.first { !$0.isFiller }?.range.lowerBound ?? instructions.last?.range.upperBound ?? offset
    }

    // MARK: What a reference leads to

    /// - Parameters:
    ///   - start: the address, there, of the start of what the reference refers to.
    ///   - isExact: whether distances inside of functions are the same there.
    ///   - place: the address, there, of a place in this function.
    /// - Returns: nil when that is the same as here.
    private func difference(
        _ reference: Reference, start: UInt64, isExact: Bool, place: (Int) -> UInt64?, depth: Int = 0
    ) -> String? {
        switch reference.target {
        case .absolute(let expected): return start == expected ? nil : "another number"
        case .unclear: return nil
        case .external(let name):
            guard let expected = hypervisor.global(name) else { return "it needs '\(name)', which the hypervisor does not have" }
            return start == expected.address ? nil : "'\(name)' here"
        case .item(let target) where target == index:
            // Into itself: the code that runs, not the symbol that calls reach it by.
            let target = start &+ UInt64(bitPattern: reference.distance)
            let isSame = place(Int(reference.distance)) == target || reference.distance == 0 && start == hypervisor.symbol(of: index, object: object)?.address
            return isSame ? nil : "another place of itself"
        case .item(let target) where isKin(target):
            guard let kin = runningPlace(of: target) else { return nil }
            let place = start &+ UInt64(bitPattern: reference.distance)
            let isSame = isExact ? start == kin.address : place >= kin.address && place < kin.address &+ kin.size
            return isSame ? nil : "'\(graph.items[target].name)' here"
        case .item(let target):
            let other = graph.items[target]
            if let expected = hypervisor.symbol(of: target, object: object) {
                return start == expected.address ? nil : "'\(other.name)' here"
            }
            return contentDifference(other, start: start, isExact: isExact, place: place, depth: depth)
        }
    }

    /// Whether the other and this are parts of one function.
    private func isKin(_ other: Int) -> Bool {
        item.parent == other || graph.items[other].parent.map { $0 == index || $0 == item.parent } ?? false
    }

    private func runningPlace(of target: Int) -> (address: UInt64, size: UInt64)? {
        guard let symbol = hypervisor.symbol(of: target, object: object) else { return nil }
        return hypervisor.running.replacement(of: symbol).map { ($0.code.newAddress, $0.code.newSize) } ?? (symbol.address, symbol.size)
    }

    /// Strings and constants have no symbols there: what is found at the place decides.
    private func contentDifference(
        _ other: Item, start: UInt64, isExact: Bool, place: (Int) -> UInt64?, depth: Int
    ) -> String? {
        guard other.kind != .function, !other.isZeroFilled, other.size > 0, depth < Self.deepest else { return nil }
        let expected = graph.bytes(of: other)
        guard let found = hypervisor.running.bytes(at: start, count: other.size) else { return "nothing is there" }
        var (a, b) = (Array(expected), Array(found))
        for reference in other.references {
            guard let slot = slot(reference), slot.upperBound <= a.count else { continue }
            let value = number(b[slot])
            let target = isRelative(reference) ? start &+ UInt64(slot.lowerBound) &+ signed(value, slot.count) : value
            for index in slot { (a[index], b[index]) = (0, 0) }
            // Tables of places in this function hold those places' addresses there.
            if case .item(index) = reference.target {
                guard place(Int(reference.distance)) == target else { return "another place of itself" }
            } else if let difference = difference(
                reference, start: target &- UInt64(bitPattern: reference.addend), isExact: isExact, place: place, depth: depth + 1)
            {
                return difference
            }
        }
        return a == b ? nil : "'\(text(expected))' here, '\(text(found))' there"
    }

    // MARK: Numbers

    private func slot(_ reference: Reference) -> Range<Int>? {
        let width = architecture.relocationKind(reference.type)?.width ?? 0
        return width == 4 || width == 8 ? reference.offset..<reference.offset + width : nil
    }

    private func isRelative(_ reference: Reference) -> Bool { architecture.relocationKind(reference.type)?.isPCRelative ?? false }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { architecture.byteOrder.number(bytes) }

    private func signed(_ value: UInt64, _ width: Int) -> UInt64 {
        width == 4 ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value))) : value
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix(40).filter { $0 >= 32 && $0 < 127 }, as: UTF8.self)
    }
}

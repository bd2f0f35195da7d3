import ObjectDiff
import TargetArchitecture
import XenSource

/// How far a function of an original object agrees with the code that runs in its place.
enum CodeAgreement: Equatable {
    /// Relocated to its address, it equals that code byte for byte.
    case identical
    /// The same instructions, some with another encoding: an assembler shortens jumps between functions that share a section, and uses
    /// other filler bytes.
    case sameInstructions
    /// With the first difference.
    case different(String)
}

/// Compares one function of an original object with the code that runs in its place.
struct RunningCode {
    let graph: ObjectGraph<OriginalSide>
    let hypervisor: Hypervisor
    let architecture: any TargetArchitecture
    let item: OriginalItem
    /// The address of the running code, and its size in bytes.
    let address: UInt64
    let size: UInt64
    /// Whether strings must be the same: a date of compilation is another one in each build.
    var comparesTexts = true

    typealias Reference = OriginalItem.Reference

    var here: [UInt8] { Array(graph.bytes(of: item)) }

    /// Limit for tables that point to tables. Compilers never nest them as deep as this.
    private static let deepest = 8
    private static let incomplete = "the address there is not known in full"

    func agreement() -> CodeAgreement {
        guard let difference = byteDifference() else { return .identical }
        do {
            let paired = try pairedInstructions()
            guard let other = instructionDifference(paired) else { return .sameInstructions }
            // Another encoding alone makes no difference in meaning, so another size says nothing.
            return .different(size == UInt64(item.symbolSize) ? difference : other)
        } catch {
            return .different(error.isAboutCode && size != UInt64(item.symbolSize) ? error.reason : difference)
        }
    }

    // MARK: Byte for byte

    private func byteDifference() -> String? {
        // The symbol size of a payload's function includes what the assembler put after it.
        let isBrought = hypervisor.image.bytes(at: address, count: 1) == nil
        guard size == UInt64(item.symbolSize) || (isBrought && size == UInt64(item.size)) else {
            return "\(item.symbolSize) bytes here, \(size) there"
        }
        guard let there else { return "there are no bytes at its address" }
        guard here.count == there.count else { return "some of its bytes are missing here" }
        guard let sightings = sightings(of: item, in: there, at: address) else { return "the parts of an address do not fit together there" }
        var seen: [Reference] = []
        for reference in item.references {
            guard let sighting = sightings[.init(reference)] else { continue }
            seen.append(reference)
            if let difference = difference(reference, sighting, isExact: true, place: { address &+ UInt64($0) }) {
                return "byte \(reference.offset) refers to something else: \(difference)"
            }
        }
        return firstOtherByte(in: there, besides: seen).map { "they differ from byte \($0) on" }
    }

    /// The running bytes, as the compiler made them; nil if there are none at the address.
    private var there: [UInt8]? {
        hypervisor.running.bytes(at: address, count: item.size).map { running in
            architecture.withoutLinkerFixes(Array(running), like: here, at: address) { hypervisor.running.bytes(at: $0, count: $1) }
        }
    }

    /// - Parameter references: their fields do not count.
    private func firstOtherByte(in there: [UInt8], besides references: [Reference]) -> Int? {
        var (ours, theirs) = (here, there)
        for reference in references { clear(reference, in: &ours, &theirs) }
        return zip(ours, theirs).enumerated().first { $1.0 != $1.1 }?.offset
    }

    /// What the filled fields show about the addresses that an item refers to. All references that mean the same address are combined.
    ///
    /// - Parameter there: the item's bytes in the running code; `start` is their address.
    /// - Returns: nil when two references contradict each other.
    private func sightings(of item: OriginalItem, in there: [UInt8], at start: UInt64) -> [Sighting.Subject: Sighting]? {
        var found: [Sighting.Subject: Sighting] = [:]
        for reference in item.references {
            guard let kind = architecture.relocationKind(reference.type), let slot = slot(reference, kind), slot.upperBound <= there.count,
                let seen = kind.sighting(of: number(there[slot]), at: start &+ UInt64(slot.lowerBound))
            else { continue }
            let subject = Sighting.Subject(reference)
            let sighting = Sighting(seen.value, mask: seen.mask & addressMask)
            guard let joined = found[subject].map({ $0.joined(with: sighting) }) ?? sighting else { return nil }
            found[subject] = joined
        }
        return found
    }

    /// Zeroes the bits that a relocation fills, on both sides.
    private func clear(_ reference: Reference, in ours: inout [UInt8], _ theirs: inout [UInt8]) {
        guard let kind = architecture.relocationKind(reference.type), let slot = slot(reference, kind), slot.upperBound <= ours.count,
            slot.upperBound <= theirs.count
        else { return }
        let order = architecture.byteOrder
        ours.replaceSubrange(slot, with: order.bytes(number(ours[slot]) & ~kind.field.mask, count: slot.count))
        theirs.replaceSubrange(slot, with: order.bytes(number(theirs[slot]) & ~kind.field.mask, count: slot.count))
    }

    // MARK: Data

    /// What differs between a variable or constant, as compiled here, and the one that the hypervisor was linked with.
    func dataDifference() -> String? {
        guard size == UInt64(item.symbolSize) else { return "\(item.symbolSize) bytes here, \(size) there" }
        if item.isZeroFilled { return hypervisor.running.bytes(at: address, count: item.size)?.contains { $0 != 0 } == true ? "zero here, not there" : nil }
        return contentDifference(item, start: address, isExact: true, place: { address &+ UInt64($0) }, depth: 0)
    }

    // MARK: What a reference leads to

    /// - Parameters:
    ///   - seen: what is known about the running address that the reference leads to, addend included.
    ///   - isExact: whether distances inside functions are the same in the running code.
    ///   - place: the running address of a place in this function.
    /// - Returns: nil when the reference leads to the same as here.
    func difference(
        _ reference: Reference, _ seen: Sighting, isExact: Bool, place: (Int) -> UInt64?, depth: Int = 0
    ) -> String? {
        let start = seen.mask == addressMask ? (seen.value &- UInt64(bitPattern: reference.addend)) & addressMask : nil
        /// Whether the target of the reference can start at an address.
        func starts(at address: UInt64?) -> Bool {
            guard let address else { return false }
            return seen.fits(address &+ UInt64(bitPattern: reference.addend)) || start.flatMap(veneerTarget) == address
        }
        switch reference.target {
        case .absolute(let expected): return starts(at: expected) ? nil : "another number"
        case .unclear: return nil
        case .external(let name):
            guard let expected = hypervisor.global(name) else { return "it needs '\(name)', which the hypervisor does not have" }
            return starts(at: expected.address) ? nil : "'\(name)' here"
        case .item(let target) where target == item.id:
            // A reference into itself: compare with the running code, not with the symbol by which callers reach it.
            let expected = place(Int(reference.distance)).map { $0 &- UInt64(bitPattern: reference.distance) }
            let isSame = starts(at: expected) || reference.distance == 0 && starts(at: symbol(of: item.id)?.address)
            return isSame ? nil : "another place of itself"
        case .item(let target) where isKin(target):
            guard let kin = runningPlace(of: target) else { return nil }
            if isExact { return starts(at: kin.address) ? nil : "'\(graph[target].name)' here" }
            guard let place = start.map({ $0 &+ UInt64(bitPattern: reference.distance) }) else { return Self.incomplete }
            return isPlace(place, at: reference.distance, of: graph[target], runningAt: kin) ? nil : "'\(graph[target].name)' here"
        case .item(let target):
            let other = graph[target]
            if let expected = symbol(of: target) {
                return starts(at: expected.address) ? nil : "'\(other.name)' here"
            }
            guard let start else { return Self.incomplete }
            return contentDifference(other, start: start, isExact: isExact, place: place, depth: depth)
        }
    }

    /// Where a veneer that a payload brought leads; nil if there is no veneer.
    private func veneerTarget(_ address: UInt64) -> UInt64? {
        guard let veneer = architecture.veneer, hypervisor.image.bytes(at: address, count: 1) == nil,
            let there = hypervisor.running.bytes(at: address, count: veneer.code.count).map(Array.init),
            let kind = architecture.relocationKind(veneer.relocation.type)
        else { return nil }
        let slot = veneer.relocation.offset..<veneer.relocation.offset + kind.width
        let number = number(there[slot])
        guard there[..<slot.lowerBound] == veneer.code[..<slot.lowerBound], there[slot.upperBound...] == veneer.code[slot.upperBound...],
            let seen = kind.sighting(of: number, at: address &+ UInt64(slot.lowerBound))
        else { return nil }
        return (seen.value &- UInt64(bitPattern: veneer.relocation.addend)) & addressMask
    }

    /// Whether the other item and this one are parts of one function.
    private func isKin(_ other: OriginalItem.ID) -> Bool {
        item.parent == other || graph[other].parent.map { $0 == item.id || $0 == item.parent } ?? false
    }

    /// Whether a running address is the place at a distance from the start of another part of the function.
    private func isPlace(_ address: UInt64, at distance: Int64, of other: OriginalItem, runningAt running: (address: UInt64, size: UInt64)) -> Bool {
        let code = RunningCode(
            graph: graph, hypervisor: hypervisor, architecture: architecture, item: other, address: running.address, size: running.size)
        guard let paired = try? code.pairedInstructions() else { return false }
        return paired.isReached(Int(truncatingIfNeeded: address &- running.address), from: Int(clamping: distance))
    }

    private func symbol(of id: OriginalItem.ID) -> XenImage.Symbol? { hypervisor.symbol(of: OriginalKey(object: graph.object, item: id)) }

    private func runningPlace(of target: OriginalItem.ID) -> (address: UInt64, size: UInt64)? {
        guard let symbol = symbol(of: target) else { return nil }
        return hypervisor.running.replacement(of: symbol).map { ($0.code.newAddress, $0.code.newSize) } ?? (symbol.address, symbol.size)
    }

    /// Strings and constants have no symbols in the running hypervisor: the content found at the place decides.
    private func contentDifference(
        _ other: OriginalItem, start: UInt64, isExact: Bool, place: (Int) -> UInt64?, depth: Int
    ) -> String? {
        guard other.kind != .function, !other.isZeroFilled, other.size > 0, depth < Self.deepest, comparesTexts || other.kind != .string else { return nil }
        let expected = graph.bytes(of: other)
        guard let found = hypervisor.running.bytes(at: start, count: other.size) else { return "nothing is there" }
        var (a, b) = (Array(expected), Array(found))
        guard let sightings = sightings(of: other, in: b, at: start) else { return Self.incomplete }
        for reference in other.references {
            guard let sighting = sightings[.init(reference)] else { continue }
            clear(reference, in: &a, &b)
            if let difference = difference(reference, sighting, isExact: isExact, place: place, depth: depth + 1) { return difference }
        }
        return a == b ? nil : other.kind == .string ? "\(ContentText.string(expected)) here, \(ContentText.string(found)) there" : differentBytes(a, b)
    }

    // MARK: Numbers

    func slot(_ reference: Reference, _ kind: RelocationKind?) -> Range<Int>? {
        guard let width = kind?.width, width > 0 else { return nil }
        return reference.offset..<reference.offset + width
    }

    var addressMask: UInt64 { architecture.elfClass == .bits32 ? 0xffff_ffff : .max }

    func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { architecture.byteOrder.number(bytes) }

    /// A scalar's two values, or where the first bytes differ.
    private func differentBytes(_ here: [UInt8], _ there: [UInt8]) -> String {
        if [1, 2, 4, 8].contains(here.count) { return "\(number(here[...])) here, \(number(there[...])) there" }
        let first = zip(here, there).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
        func shown(_ bytes: [UInt8]) -> String { bytes[first...].prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ") }
        return "from byte \(first) on, \(shown(here)) here, \(shown(there)) there"
    }
}

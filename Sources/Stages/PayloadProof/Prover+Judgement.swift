import TargetArchitecture
import XenSource
import XenVersions

// Whether a reference may lead where it leads. Each function returns what is wrong, or nil.
extension Prover {
    /// - Parameters:
    ///   - offset: of the anchor in its section, in bytes.
    ///   - address: where the anchor is.
    mutating func judge(_ key: Key, anchor offset: Int, at address: UInt64, _ group: ReferenceGroup) -> ProofFailure? {
        let piece = piece(key)
        let start = (address &- UInt64(bitPattern: Int64(offset - piece.range.lowerBound))) & addressMask
        switch piece.kind {
        case .function: return judge(function: key, at: start, isMiddle: isMiddle(group, behind: offset - piece.range.lowerBound), group)
        case .variable: return judge(variable: key, at: start, group)
        case .constant, .code, .hook:
            // Wherever it is, its content is checked there.
            if !payload.contains(start), let failure = judge(constant: key, at: start, group) { return failure }
            locate(key, at: start, for: subject(group))
            return nil
        }
    }

    /// A constant of the hypervisor must be the one of that name. Only what the hypervisor's own tables lead to may be without a name.
    private mutating func judge(constant key: Key, at start: UInt64, _ group: ReferenceGroup) -> ProofFailure? {
        guard let first = group.references.first, first.isInPayload else { return nil }
        guard let symbol = symbols(key).first(where: { $0.address == start }) else {
            return failure(.reference, group, "it leads to \(place(start)) instead of '\(title(key))'")
        }
        trust(.constant, symbol.qualifiedName, evidence: "the hypervisor has the same content there")
        noteBootUse(of: symbol, group)
        return nil
    }

    private mutating func noteBootUse(of symbol: XenImage.Symbol, _ group: ReferenceGroup) {
        guard symbol.isFreedAfterBoot, let first = group.references.first, first.isInPayload else { return }
        bootUses.append((first.user, symbol.name, failure(.bootCode, group, "it newly uses '\(symbol.name)', which is freed at the end of booting")))
    }

    private func subject(_ group: ReferenceGroup) -> String { group.references.first?.subject ?? "" }

    private func isMiddle(_ group: ReferenceGroup, behind start: Int) -> Bool {
        group.references.contains { $0.distance &+ Int64(start) != 0 }
    }

    /// A function is called at its old address, where a replaced one has the jump to its new code, or in the payload. Only the payload's own
    /// copy may be entered in the middle.
    private mutating func judge(function key: Key, at start: UInt64, isMiddle: Bool, _ group: ReferenceGroup) -> ProofFailure? {
        let symbols = symbols(key), name = title(key)
        if payload.contains(start) {
            if !isMiddle, let target = jump(at: start, insteadOf: key) {
                guard symbols.contains(where: { $0.address == target }) else {
                    return failure(.reference, group, "the jump that it takes to '\(name)' leads to \(place(target))")
                }
                return nil
            }
            locate(key, at: start, for: subject(group))
            return nil
        }
        guard let symbol = symbols.first(where: { $0.address == start }) else {
            return failure(.reference, group, "it leads to \(place(start)) instead of '\(name)'")
        }
        noteBootUse(of: symbol, group)
        guard isMiddle else { return nil }
        let failure = failure(.middleOfFunction, group, "it leads to the middle of the hypervisor's '\(name)'")
        guard let first = group.references.first, !first.isInPayload else { return failure }
        // The hypervisor's own tables lead into the hypervisor's own functions, which is right as long as those stay.
        wrongIfReplaced.append((key, failure))
        return nil
    }

    /// Of what led to the middle of the hypervisor's functions, what leads to a function that is replaced.
    mutating func checkOldCode() {
        for (key, failure) in wrongIfReplaced where places[key] != nil && !proof.failures.contains(failure) { proof.failures.append(failure) }
    }

    private mutating func judge(variable key: Key, at start: UInt64, _ group: ReferenceGroup) -> ProofFailure? {
        let symbols = symbols(key), name = title(key), object = objects[key.object]
        if payload.contains(start) {
            if let symbol = symbols.first {
                return failure(
                    .variable, group, "it uses a copy of '\(name)' in the payload, and the hypervisor has that variable at \(hexadecimal(symbol.address))")
            }
            if places[key] == nil { noteNewVariable(key) }
            locate(key, at: start, for: subject(group))
            return nil
        }
        guard let symbol = symbols.first(where: { $0.address == start }) else {
            return failure(.reference, group, "it leads to \(place(start)) instead of '\(name)'")
        }
        guard symbols.count == 1 else {
            return failure(.ambiguous, group, "the hypervisor has \(symbols.count) variables '\(name)' of \(object.name)")
        }
        noteBootUse(of: symbol, group)
        noteVariable(symbol, evidence: hypervisor.evidence(for: piece(key), in: object.name))
        notePointers(in: key, group)
        return nil
    }

    /// The hypervisor may have a variable of the same name, which is another one.
    private mutating func noteNewVariable(_ key: Key) {
        guard input.claim.twins != nil, let name = piece(key).names.first else { return }
        let isOld =
            input.objects.first { $0.name == objects[key.object].name }?.original?.symbols.contains { $0.name == name && $0.sectionIndex != nil } ?? false
        if isOld { trust(.newVariable, "\(objects[key.object].name)#\(name)", evidence: "the comparison of the sources says so") }
    }

    /// A variable of the hypervisor begins with pointers to the hypervisor's code. If one leads to the middle of a function, new code must
    /// not follow it into the old version.
    private mutating func notePointers(in key: Key, _ group: ReferenceGroup) {
        let object = objects[key.object], piece = piece(key)
        for relocation in object.relocations(in: piece.range, of: piece.section) {
            guard let kind = architecture.relocationKind(relocation.type) else { continue }
            let reference = Reference(
                subject: title(key), offset: Int(relocation.offset) - piece.range.lowerBound, user: key, relocation: relocation, kind: kind, place: 0,
                number: 0,
                isInPayload: false, isCode: false)
            guard case .piece(let target, let anchor) = target(of: relocation, in: key.object, user: piece), self.piece(target).kind == .function,
                isMiddle(ReferenceGroup(references: [reference]), behind: anchor - self.piece(target).range.lowerBound)
            else { continue }
            wrongIfReplaced.append(
                (target, failure(.middleOfFunction, group, "the hypervisor's '\(title(key))' leads to the middle of the old '\(title(target))'")))
        }
    }

    mutating func judge(external name: String, at address: UInt64, _ group: ReferenceGroup) -> ProofFailure? {
        if let keeper = hypervisor.keeper(of: name, besides: "") {
            return failure(.reference, group, "no patched object defines '\(name)', and the hypervisor's is now one of \(keeper) only")
        }
        let symbols = hypervisor.global(name)
        var start = address
        if payload.contains(address) {
            guard let target = jump(at: address, insteadOf: nil) else {
                return failure(.reference, group, "it leads to the payload's \(place(address)) instead of the hypervisor's '\(name)'")
            }
            start = target
        }
        guard let symbol = symbols.first(where: { $0.address == start }) else {
            return failure(.reference, group, "it leads to \(place(start)) instead of '\(name)'")
        }
        noteBootUse(of: symbol, group)
        if symbol.isFunction, isMiddle(group, behind: 0) {
            return failure(.middleOfFunction, group, "it leads to the middle of the hypervisor's '\(name)'")
        }
        if !symbol.isFunction, symbol.section.map(isVariable) ?? false { noteVariable(symbol, evidence: "it has the same global name") }
        return nil
    }

    private func isVariable(_ section: String) -> Bool { SectionName.isWritableData(section) || SectionName.isPerCPU(section) }

    /// The reference could mean any piece of the section, so all must agree on where the section is.
    mutating func judge(section: Int, of object: Int, at address: UInt64, _ group: ReferenceGroup) -> ProofFailure? {
        let index = objects[object]
        let pieces = index.pieces(in: section)
        var meant: [Key] = []
        for number in pieces {
            let key = Key(object: object, piece: number), start = UInt64(bitPattern: Int64(piece(key).range.lowerBound))
            let here = (address &+ start) & addressMask
            let candidates = (places[key].map { [$0] } ?? []) + symbols(key).map(\.address)
            guard candidates.allSatisfy({ $0 == here }), !candidates.isEmpty else {
                locateCovering(section, of: object, at: address, group)
                return failure(
                    .ambiguous, group,
                    "it refers to section \(index.file.sections[section].name) of \(index.name), which has several variables, and '\(title(key))' would be elsewhere"
                )
            }
            meant.append(key)
        }
        for key in meant {
            let here = (address &+ UInt64(bitPattern: Int64(piece(key).range.lowerBound))) & addressMask
            if let failure = judge(key, anchor: piece(key).range.lowerBound, at: here, group) { return failure }
        }
        return meant.isEmpty ? failure(.unknown, group, "it refers to section \(index.file.sections[section].name), which has nothing there") : nil
    }

    /// Goes on with what a reference seems to mean, so that one doubt is reported once.
    private mutating func locateCovering(_ section: Int, of object: Int, at address: UInt64, _ group: ReferenceGroup) {
        guard let first = group.references.first, let piece = objects[object].piece(in: section, at: Int(clamping: first.distance)) else { return }
        let key = Key(object: object, piece: piece)
        let start = (address &+ UInt64(bitPattern: Int64(self.piece(key).range.lowerBound))) & addressMask
        if payload.contains(start), places[key] == nil { locate(key, at: start, for: subject(group)) }
    }

    // MARK: Jumps

    /// Where a jump of the payload to somewhere in the hypervisor leads; nil if there is none at the address.
    ///
    /// - Parameter key: the function that could be there itself.
    private mutating func jump(at address: UInt64, insteadOf key: Key?) -> UInt64? {
        guard let veneer = architecture.veneer, let kind = architecture.relocationKind(veneer.relocation.type),
            let bytes = payload.bytes(at: address, count: veneer.code.count)
        else { return nil }
        let slot = veneer.relocation.offset..<veneer.relocation.offset + kind.width
        func isJump(_ bytes: ArraySlice<UInt8>) -> Bool {
            zip(bytes, veneer.code).enumerated().allSatisfy { slot.contains($0) || $1.0 == $1.1 }
        }
        guard isJump(bytes) else { return nil }
        if let key, piece(key).range.count == veneer.code.count, isJump(objects[key.object].bytes(of: piece(key))[...]) { return nil }
        let number = architecture.byteOrder.number(bytes.dropFirst(slot.lowerBound).prefix(slot.count))
        guard let seen = kind.sighting(of: number, at: address &+ UInt64(slot.lowerBound)) else { return nil }
        payload.explain(address, count: veneer.code.count, alignment: architecture.functionAlignment)
        return (seen.value &- UInt64(bitPattern: veneer.relocation.addend)) & addressMask
    }

    // MARK: Words

    /// The place at an address, for a message.
    func place(_ address: UInt64) -> String {
        if let section = payload.section(at: address) { return "\(section.name)+\(address - section.address) of the payload" }
        return hexadecimal(address)
    }

    func describe(_ target: Target) -> String {
        switch target {
        case .piece(let key, _): "'\(title(key))'"
        case .section(let object, let section): "section \(objects[object].file.sections[section].name)"
        case .external(let name): "'\(name)'"
        case .absolute(let value): "\(value)"
        }
    }
}

import ELFModel
import LoaderModel
import TargetArchitecture
import XenSource
import XenVersions

// The proof follows what the payload's code can reach. It begins at the entries of the functions section and at the hooks. Each says: this
// function of that object is at this address. Then every byte there must be the object's, and every field must hold S + A - P for the very
// symbol that the object's relocation names. S is read from the field. It is the hypervisor's symbol, by file and name, or a place in the
// payload; and then the piece of the object that has the symbol must be there. That is the next thing to show, until nothing is left.
// What the payload holds beyond that is wrong.
//
// Nothing here knows how the payload was made: neither its symbols nor its relocations count, only the bytes in memory.

/// Proves that a payload means what its objects say.
///
/// - Parameter input: a payload that the model of the loader accepted.
/// - Returns: the proof. It holds if it has no failures.
package func provePayload(_ input: ProofInput) -> Proof {
    var prover = Prover(input)
    prover.readFunctions()
    prover.readHooks()
    prover.followAll()
    prover.checkOldCode()
    prover.checkWholeTables()
    prover.checkOverlaps()
    prover.checkLeftovers()
    prover.checkLeftOut()
    return prover.proof
}

/// The state of one proof.
struct Prover {
    let input: ProofInput
    let architecture: any TargetArchitecture
    let hypervisor: HypervisorIndex
    /// The patched objects.
    let objects: [ObjectIndex]
    let tables: [SpecialTable]
    /// Which of the patched objects defines a global name.
    let definers: [String: Key]
    var payload: LoadedPayload
    var proof = Proof()
    /// The only place of each function and variable that the payload has.
    private(set) var places: [Key: UInt64] = [:]
    /// The functions of the hypervisor that the payload replaces.
    var replaced: Set<Key> = []
    /// What is to be at which address. It only grows; those before `next` have been checked.
    private var located: [Located] = []
    private var next = 0
    private var known: Set<Located> = []
    /// Fields that do not show a whole address, until something else does.
    var pending: [(group: ReferenceGroup, target: Target)] = []
    var tableState = TableState()
    /// What is wrong if the payload replaces a function: the hypervisor's own data lead to the middle of the old one.
    var wrongIfReplaced: [(function: Key, failure: ProofFailure)] = []
    private var usedVariables: Set<UInt64> = []
    /// Uses of what is freed after boot. They are right only where the original has them as well: behind a test that is true at boot only.
    var bootUses: [(user: Key, name: String, failure: ProofFailure)] = []

    /// A piece of an object.
    struct Key: Hashable {
        var object: Int
        var piece: Int
    }

    struct Located: Hashable {
        var key: Key
        var address: UInt64
    }

    /// What a relocation refers to.
    enum Target: Hashable {
        /// A place in a section of an object. The piece that is meant there is known.
        case piece(Key, anchor: Int)
        /// The start of a section with several pieces, and any of them can be meant.
        case section(object: Int, Int)
        /// A symbol of the hypervisor.
        case external(String)
        case absolute(UInt64)
    }

    init(_ input: ProofInput) {
        self.input = input
        let architecture = input.architecture, tables = architecture.specialTables(of: input.version)
        self.architecture = architecture
        self.tables = tables
        hypervisor = HypervisorIndex(input)
        payload = LoadedPayload(input.loaded)
        let objects = input.objects.compactMap { object in
            object.patched.flatMap { file in
                file.header.machine == architecture.machine
                    ? ObjectIndex(object.name, file, tables: tables, hooksPrefix: input.abi.hooksPrefix, architecture: architecture) : nil
            }
        }
        self.objects = objects
        // A linker takes a weak definition only where there is no strong one.
        var strong: [String: Key] = [:], weak: [String: Key] = [:]
        for (number, object) in objects.enumerated() {
            for (index, piece) in object.pieces.enumerated() {
                let key = Key(object: number, piece: index)
                for name in piece.globalNames.subtracting(piece.weakNames) where strong[name] == nil { strong[name] = key }
                for name in piece.weakNames where weak[name] == nil && !hypervisor.hasStrongElsewhere(name) { weak[name] = key }
            }
        }
        let definers = strong.merging(weak) { strong, _ in strong }
        self.definers = definers
    }

    func piece(_ key: Key) -> Piece { objects[key.object].pieces[key.piece] }
    func title(_ key: Key) -> String { objects[key.object].title(piece(key)) }
    func symbols(_ key: Key) -> [XenImage.Symbol] { hypervisor.symbols(of: piece(key), in: objects[key.object]) }
    /// In bytes.
    var addressSize: Int { architecture.elfClass.addressSize }
    var addressMask: UInt64 { addressSize == 4 ? 0xffff_ffff : .max }

    mutating func fail(_ kind: ProofFailure.Kind, _ subject: String, at offset: Int? = nil, _ reason: String) {
        let failure = ProofFailure(kind, subject, at: offset, reason)
        if !proof.failures.contains(failure) { proof.failures.append(failure) }
    }

    mutating func trust(_ kind: Proof.Trusted.Kind, _ name: String, evidence: String) {
        let trusted = Proof.Trusted(kind, name, evidence: evidence)
        if !proof.trusted.contains(trusted) { proof.trusted.append(trusted) }
    }

    /// The bytes at an address of the payload or of the hypervisor; nil if there are none.
    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        payload.contains(address) ? payload.bytes(at: address, count: count) : input.running.bytes(at: address, count: count)
    }

    // MARK: What is where

    /// Notes that a piece must be at an address. A function or variable of the payload has one place only.
    mutating func locate(_ key: Key, at address: UInt64, for user: String) {
        let piece = piece(key)
        if piece.kind == .function || piece.kind == .variable, payload.contains(address) {
            if let other = places[key], other != address {
                return fail(.variable, title(key), "the payload has it at \(hexadecimal(other)) and, for '\(user)', at \(hexadecimal(address))")
            }
            places[key] = address
        }
        let place = Located(key: key, address: address)
        if known.insert(place).inserted { located.append(place) }
    }

    /// Checks everything that was noted, and what follows from it.
    mutating func followAll() {
        repeat {
            while next < located.count {
                check(located[next])
                next += 1
            }
            checkTables()
            if next == located.count { settlePending() }
        } while next < located.count
        for (group, target) in pending {
            guard let reference = group.references.first else { continue }
            fail(.ambiguous, reference.subject, at: reference.offset, "it can't be told where \(describe(target)) is: only a part of the address is there")
        }
    }

    /// Compares the bytes at a place with the object's, and collects the fields.
    private mutating func check(_ place: Located) {
        let object = objects[place.key.object], piece = piece(place.key), title = title(place.key)
        let isInPayload = payload.contains(place.address)
        guard let memory = bytes(at: place.address, count: piece.range.count) else {
            return fail(.bytes, title, "there are no \(piece.range.count) bytes of it at \(hexadecimal(place.address))")
        }
        if isInPayload { payload.explain(place.address, count: piece.range.count, alignment: alignment(of: piece)) }
        if piece.kind == .function, isInPayload { proof.functions += 1 }
        var meant = object.bytes(of: piece)
        var references: [Reference] = []
        for relocation in object.relocations(in: piece.range, of: piece.section) {
            let offset = Int(relocation.offset) - piece.range.lowerBound
            guard let kind = architecture.relocationKind(relocation.type), kind.value != .other, kind.width <= meant.count - offset else {
                fail(.unknown, title, at: offset, "it has a relocation of type \(relocation.type), which means nothing in a hypervisor")
                continue
            }
            guard kind.width > 0 else { continue }
            let start = memory.startIndex + offset, number = architecture.byteOrder.number(memory[start..<start + kind.width])
            let mine = architecture.byteOrder.number(meant[offset..<offset + kind.width])
            meant.replaceSubrange(
                offset..<offset + kind.width,
                with: architecture.byteOrder.bytes(mine & ~kind.field.mask | number & kind.field.mask, count: kind.width))
            references.append(
                Reference(
                    subject: title, offset: offset, user: place.key, relocation: relocation, kind: kind, place: place.address &+ UInt64(offset), number: number,
                    isInPayload: isInPayload, isCode: piece.isCode))
        }
        if let offset = zip(meant, memory).enumerated().first(where: { $1.0 != $1.1 })?.offset {
            fail(.bytes, title, at: offset, "the byte at \(hexadecimal(place.address &+ UInt64(offset))) is not the object's")
        }
        checkOwnDistances(place, references, in: meant)
        follow(references, of: place.key)
    }

    /// Code that shares its section may reach its neighbours by distances that the assembler has filled in. In the payload they are elsewhere.
    private mutating func checkOwnDistances(_ place: Located, _ references: [Reference], in code: [UInt8]) {
        let object = objects[place.key.object], piece = piece(place.key)
        guard piece.kind == .function, object.pieces(in: piece.section).count > 1, payload.contains(place.address) else { return }
        let slots = references.map { $0.offset..<$0.offset + $0.kind.width }
        guard architecture.resolvedReferences(code[...], relocated: slots) != [] else { return }
        fail(.unknown, title(place.key), "it reaches code beside it by distances that no relocation shows")
    }

    private func alignment(of piece: Piece) -> UInt64 {
        piece.kind == .function ? max(piece.alignment, architecture.functionAlignment) : piece.alignment
    }

    mutating func noteVariable(_ symbol: XenImage.Symbol, evidence: String) {
        guard usedVariables.insert(symbol.address).inserted else { return }
        proof.hypervisorVariables += 1
        trust(.variable, symbol.qualifiedName, evidence: evidence)
    }
}

func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

import ELFModel
import XenVersions

/// A payload, with each of its references resolved as the hypervisor does when it loads it.
package struct TorturePayload: Sendable {
    /// Where a reference leads to, its addend included.
    package enum Target: Sendable, Hashable {
        case hypervisor(UInt64)
        case own(OracleObject.Place)
        case unknown(String)

        /// The same with another distance.
        func moved(by distance: Int64) -> Target {
            switch self {
            case .hypervisor(let address): .hypervisor(address &+ UInt64(bitPattern: distance))
            case .own(let place): .own(.init(section: place.section, offset: place.offset &+ UInt64(bitPattern: distance)))
            case .unknown: self
            }
        }
    }

    package struct Reference: Sendable {
        package var offset: UInt64
        package var type: UInt32
        package var target: Target
        /// As the payload has it; the target includes it.
        package var addend: Int64
    }

    /// A function of the hypervisor that is replaced.
    package struct Replacement: Sendable {
        package var name: String
        package var oldAddress: UInt64
        package var place: OracleObject.Place
        package var size: UInt64
    }

    package let file: ELFFile
    package private(set) var references: [Int: [Reference]] = [:]
    package private(set) var replacements: [Replacement] = []

    package init(_ original: ELFFile, for hypervisor: HypervisorSymbols) {
        file = original.withOwnAddends
        for section in file.sections where section.isRelocations && file.sections.indices.contains(Int(section.info)) {
            let home = file.sections[Int(section.info)].name
            let found = section.relocations.compactMap { relocation -> Reference? in
                guard file.symbols.indices.contains(relocation.symbol) else { return nil }
                guard !OracleObject.isIdle(relocation.offset, home, file.header.machine) else { return nil }
                let target = Self.target(file.symbols[relocation.symbol], hypervisor).moved(by: relocation.addend)
                return Reference(offset: relocation.offset, type: relocation.type, target: target, addend: relocation.addend)
            }
            references[Int(section.info), default: []] += found
        }
        for key in references.keys { references[key]?.sort { $0.offset < $1.offset } }
        replacements = readReplacements()
    }

    private static func target(_ symbol: ELFSymbol, _ hypervisor: HypervisorSymbols) -> Target {
        switch symbol.place {
        case .section(let section): .own(.init(section: section, offset: symbol.value))
        case .absolute: .hypervisor(symbol.value)
        default: hypervisor.address(symbol.name).map { .hypervisor($0) } ?? .unknown(symbol.name)
        }
    }

    /// Reads the functions section: `struct livepatch_func` of Xen 4.13's and later include/xen/livepatch_payload.h.
    private func readReplacements() -> [Replacement] {
        guard let index = file.sections.firstIndex(where: { $0.name == PayloadABI.livepatchV2.functionsSection }) else { return [] }
        let section = file.sections[index], pointer = UInt64(file.header.elfClass.addressSize), size = 3 * pointer + 80
        func number(_ offset: UInt64, _ count: Int) -> UInt64 { file.header.byteOrder.number(section.bytes(from: offset, count: count)) }
        return stride(from: 0, to: section.size, by: UInt64.Stride(size)).compactMap { start in
            let found = references[index] ?? []
            func target(_ offset: UInt64) -> Target? { found.first { $0.offset == offset }?.target }
            guard case .own(let name) = target(start), case .own(let place) = target(start + pointer) else { return nil }
            var old = number(start + 2 * pointer, Int(pointer))
            if case .hypervisor(let address) = target(start + 2 * pointer) { old = address }
            return Replacement(name: string(at: name), oldAddress: old, place: place, size: number(start + 3 * pointer, 4))
        }
    }

    /// Whether a section has all bytes of a range.
    func holds(_ range: OracleObject.Item) -> Bool {
        guard file.sections.indices.contains(range.place.section) else { return false }
        let (end, isTooLarge) = range.place.offset.addingReportingOverflow(range.size)
        return !isTooLarge && end <= file.sections[range.place.section].size
    }

    package func bytes(at place: OracleObject.Place, count: Int) -> [UInt8] {
        guard file.sections.indices.contains(place.section) else { return [] }
        return file.sections[place.section].bytes(from: place.offset, count: count)
    }

    func string(at place: OracleObject.Place) -> String { String(decoding: bytes(at: place, count: 1 << 12).prefix { $0 != 0 }, as: UTF8.self) }

    package func references(at place: OracleObject.Place, size: UInt64) -> [Reference] {
        // A wrong distance may lead anywhere.
        let (end, isFar) = place.offset.addingReportingOverflow(max(size, 1))
        guard !isFar else { return [] }
        let range = place.offset..<end
        return (references[place.section] ?? []).filter { range.contains($0.offset) }
    }
}

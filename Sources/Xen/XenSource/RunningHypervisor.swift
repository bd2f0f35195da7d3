import ELFModel
import SystemPackage
import XenVersions

/// A hypervisor as it runs: the files of its build, and the payloads that are applied to it.
package struct RunningHypervisor: Sendable {
    package let image: XenImage
    /// In the order in which they were applied.
    package private(set) var payloads: [AppliedPayload] = []

    package init(_ image: XenImage) { self.image = image }

    /// The build-id that the next payload has to depend on: of the payload on top, or of the hypervisor itself.
    package var topBuildID: [UInt8] { payloads.last?.buildID ?? image.buildID }

    package mutating func apply(_ payload: AppliedPayload) { payloads.append(payload) }

    /// The symbols that the payloads added under a name, the topmost payload's last.
    ///
    /// - Parameter name: as it would be in the hypervisor's own symbol table. This program's payloads make each name unique with
    ///   a tag after a tilde; other tools' payloads don't.
    package func brought(named name: String) -> [XenImage.Symbol] {
        payloads.flatMap(\.symbols).filter { $0.name == name || AppliedPayload.withoutTag($0.name) == name }
    }

    /// The symbols that the payloads added under the names that fit, the topmost payload's last.
    package func brought(where fits: (String) -> Bool) -> [XenImage.Symbol] {
        payloads.flatMap(\.symbols).filter { fits(AppliedPayload.withoutTag($0.name)) }
    }

    /// The code that runs when a function is called, from the topmost payload that replaces the function; nil if none does.
    package func replacement(of function: XenImage.Symbol) -> (code: AppliedPayload.Replacement, payload: AppliedPayload)? {
        for payload in payloads.reversed() {
            if let code = payload.replacements.first(where: { $0.oldAddress == function.address }) { return (code, payload) }
        }
        return nil
    }

    /// The bytes at an address before anything has run; nil if there are none.
    package func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        if let bytes = image.bytes(at: address, count: count) { return bytes }
        return payloads.lazy.compactMap { $0.bytes(at: address, count: count) }.first
    }

    /// Whether the hypervisor or a payload has the page of an address.
    package func hasMemory(at address: UInt64) -> Bool { image.hasMemory(at: address) || payload(at: address) != nil }

    /// The payload whose page it is; nil if it is none of theirs.
    package func payload(at address: UInt64) -> AppliedPayload? {
        let page = address & ~0xFFF
        return payloads.first { $0.memory.contains { page <= $0.address &+ UInt64(max($0.bytes.count, 1)) &- 1 && page &+ 0xFFF >= $0.address } }
    }
}

/// A payload in the hypervisor's memory.
///
/// The place of a payload is decided when it is loaded. The addresses here are those that it would get if the payloads were loaded in
/// their order. They only serve to tell things apart.
package struct AppliedPayload: Sendable {
    /// A function whose calls end up in the payload.
    package struct Replacement: Sendable, Equatable {
        package var name: String
        package var oldAddress: UInt64
        package var newAddress: UInt64
        package var newSize: UInt64

        package init(name: String, oldAddress: UInt64, newAddress: UInt64, newSize: UInt64) {
            self.name = name
            self.oldAddress = oldAddress
            self.newAddress = newAddress
            self.newSize = newSize
        }
    }

    package var path: FilePath
    package var buildID: [UInt8]
    /// The symbols that it adds to the hypervisor's.
    package var symbols: [XenImage.Symbol]
    package var replacements: [Replacement]
    /// What it overwrote when it was applied, in the order of its entries.
    package var patches: [CodePatch]
    /// The names of its hooks, without the sections' prefix: `load`, `preapply`.
    package var hooks: [String]
    /// Its sections after relocation, by their addresses.
    package var memory: [(address: UInt64, bytes: [UInt8])]
    /// The addresses of its symbols, by their names as the loader compares them.
    package var addresses: [SymbolName: UInt64]
    /// What it says about how it was made, each `KEY=VALUE`; empty if it says nothing.
    package var metadata: [String]
    /// The pages with its code.
    package var text: Range<UInt64>
    /// The first address behind the payload.
    package var end: UInt64

    package init(
        path: FilePath, buildID: [UInt8], symbols: [XenImage.Symbol], replacements: [Replacement], patches: [CodePatch], hooks: [String],
        memory: [(address: UInt64, bytes: [UInt8])], addresses: [SymbolName: UInt64], metadata: [String] = [], text: Range<UInt64>,
        end: UInt64
    ) {
        self.path = path
        self.buildID = buildID
        self.symbols = symbols
        self.replacements = replacements
        self.patches = patches
        self.hooks = hooks
        self.memory = memory
        self.addresses = addresses
        self.metadata = metadata
        self.text = text
        self.end = end
    }

    /// The payload's name. The host tool derives it from the file's name in the same way.
    package var name: String { path.stem ?? path.string }

    /// Whether a symbol of the payload is a variable.
    package func isWritable(_ symbol: XenImage.Symbol) -> Bool { symbol.section.map(SectionName.isWritableData) ?? false }

    func bytes(at address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        memory.lazy.compactMap { $0.bytes.stretch(of: count, at: address, startingAt: $0.address) }.first
    }

    /// The name that the source gives to a symbol of this program's payloads: `helper` for `helper~1a2b3c4d`.
    package static func withoutTag(_ name: String) -> String { String(name.prefix { $0 != "~" }) }
}

extension [UInt8] {
    /// The bytes at an address, in a block of memory that starts at `start`; nil if the block does not hold all of them.
    func stretch(of count: Int, at address: UInt64, startingAt start: UInt64) -> ArraySlice<UInt8>? {
        guard count >= 0, address >= start, address - start <= UInt64(self.count) else { return nil }
        let first = Int(address - start)
        return count <= self.count - first ? self[first..<first + count] : nil
    }
}

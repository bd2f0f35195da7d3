import ELFModel

/// Where a linked hypervisor has each symbol. Locals go by their file's symbol and their own name.
package struct HypervisorSymbols: Sendable {
    private let file: ELFFile
    private var globals: [String: UInt64] = [:]
    private var locals: [String: [String: UInt64]] = [:]
    private var namesByAddress: [UInt64: [String]] = [:]

    package init(_ file: ELFFile) {
        self.file = file
        var source = ""
        for symbol in file.symbols {
            if symbol.isFile {
                source = symbol.name
            } else if symbol.sectionIndex != nil, !symbol.name.isEmpty, !symbol.isSection {
                namesByAddress[symbol.value, default: []].append(symbol.isLocal ? "\(source)#\(symbol.name)" : symbol.name)
                if symbol.isLocal { locals[source, default: [:]][symbol.name] = symbol.value } else { globals[symbol.name] = symbol.value }
            } else if case .absolute = symbol.place, !symbol.isLocal {
                globals[symbol.name] = symbol.value
            }
        }
    }

    /// The address of a name that a payload refers to: `symbol`, or `file#symbol` for a local one.
    package func address(_ name: String) -> UInt64? {
        guard let mark = name.lastIndex(of: "#") else { return globals[name] }
        return locals[String(name[..<mark])]?[String(name[name.index(after: mark)...])]
    }

    /// The address of a symbol of a source file, local or not.
    package func address(of name: String, in source: String) -> UInt64? { locals[source]?[name] ?? globals[name] }

    /// What stands at an address, for messages.
    package func names(at address: UInt64) -> [String] { namesByAddress[address] ?? [] }

    /// Bytes of the hypervisor's image; nil outside.
    package func bytes(at address: UInt64, count: Int) -> [UInt8]? {
        let section = file.sections.first { $0.isAllocated && $0.address <= address && address &+ UInt64(count) <= $0.address &+ $0.size }
        return section?.bytes(from: address - (section?.address ?? 0), count: count)
    }
}

import ELFModel
import SystemPackage
import TargetArchitecture
import TestTools

/// Assembly text, as an object and as the program that the processor's own linker makes of it.
struct LinkedCode {
    var object: ELFFile
    var linked: ELFFile
    var architecture: any TargetArchitecture

    /// - Parameter flags: for the linker, beside where text (0x200000) and data (0x280000) go.
    static func make(
        _ source: String, for architecture: any TargetArchitecture, flags: [String] = [], data: String = "0x280000"
    ) async throws -> LinkedCode {
        try await withTemporaryFolder { folder in
            _ = try write(source, to: "code.s", in: folder)
            let prefix = architecture.toolchainPrefix
            try await run("\(prefix)as", ["-o", "code.o", "code.s"], in: folder)
            try await run(
                "\(prefix)ld", flags + ["-Ttext=0x200000", "-Tdata=\(data)", "-e", "0", "-o", "code.elf", "code.o"], in: folder)
            return LinkedCode(
                object: try ELFFile.read(folder.appending("code.o")), linked: try ELFFile.read(folder.appending("code.elf")),
                architecture: architecture)
        }
    }

    /// The bytes of a section of the program.
    func linkedBytes(_ name: String) -> (address: UInt64, bytes: [UInt8]) {
        linked.sections.first { $0.name == name }.map { ($0.address, $0.data) } ?? (0, [])
    }

    /// The object's bytes of that section, with every relocation performed for the program's addresses.
    func relocatedBytes(_ name: String) -> [UInt8] {
        let file = object.withSeparateAddends(architecture)
        guard let index = file.sections.firstIndex(where: { $0.name == name }) else { return [] }
        var bytes = file.sections[index].data
        let order = architecture.byteOrder
        for table in file.sections where table.isRelocations && Int(table.info) == index {
            for relocation in table.relocations {
                guard let kind = architecture.relocationKind(relocation.type), kind.value != .nothing else { continue }
                let slot = Int(relocation.offset)..<Int(relocation.offset) + kind.width
                let place = linkedBytes(name).address + relocation.offset
                let target = address(of: file.symbols[relocation.symbol]) &+ UInt64(bitPattern: relocation.addend)
                guard let result = kind.result(target, at: place) else { continue }
                bytes.replaceSubrange(slot, with: order.bytes(kind.field.storing(result, in: order.number(bytes[slot])), count: kind.width))
            }
        }
        return bytes
    }

    func address(of symbol: ELFSymbol) -> UInt64 {
        guard let section = symbol.sectionIndex else { return linked.symbols.first { $0.name == symbol.name }?.value ?? 0 }
        return linkedBytes(object.sections[section].name).address + symbol.value
    }
}

import Diagnostics
import ELFModel
import XenSource

/// The contents of a payload file, whichever program made it.
package struct PayloadInspection: Sendable, Equatable, Codable {
    /// An entry of the functions section.
    package struct Function: Sendable, Equatable, Codable {
        package var name: String
        package var oldSize: Int
        package var newSize: Int
        /// The symbol that replaces it; nil when the old code is overwritten with NOPs.
        package var replacement: String?
        /// The address of the old function in hexadecimal (`0xffff82d0402008f0`) if the payload has it; nil if the loader looks up its name.
        package var oldAddress: String?
        package var version: Int
    }

    package struct Section: Sendable, Equatable, Codable {
        package var name: String
        package var size: UInt64
        /// `A` loaded, `W` writable, `X` executable.
        package var flags: String
        package var alignment: UInt64
    }

    package struct RelocationCount: Sendable, Equatable, Codable {
        /// The section that the relocations apply to.
        package var section: String
        /// The name of the type if it is known, else its number.
        package var type: String
        package var count: Int
    }

    package struct Hook: Sendable, Equatable, Codable {
        /// `load`, `preapply`…
        package var name: String
        /// The names of the functions that the hypervisor calls, as far as relocations name them.
        package var functions: [String]
    }

    package var file: String
    package var format: String
    /// The name as in `--arch`; nil for a processor that this version does not know.
    package var architecture: String?
    package var buildID: String?
    package var depends: String?
    package var xenDepends: String?
    /// What the payload records about how it was made: `key=value`.
    package var metadata: [String]
    package var functions: [Function]
    package var hooks: [Hook]
    package var relocations: [RelocationCount]
    package var sections: [Section]
    package var undefinedSymbols: [String]

    /// Reads the payload's own sections.
    ///
    /// - Parameters:
    ///   - file: the file's name for the result and for error messages.
    ///   - architecture: the name of the payload's processor; nil if it is not known.
    ///   - relocationName: returns the name of a relocation type on the payload's processor, or nil.
    /// - Throws: `InputError` when the file is not a payload, or its functions section is damaged.
    package init(
        _ elf: ELFFile, file: String, architecture: String? = nil, relocationName: (UInt32) -> String? = { _ in nil }
    ) throws(InputError) {
        let reader = PayloadReader(elf: elf, file: file)
        let (abi, functions) = try reader.functions()
        self.file = file
        self.functions = functions
        format = abi.displayName
        self.architecture = architecture
        buildID = reader.buildID(abi.buildIDSection)
        depends = reader.buildID(abi.dependsSection)
        xenDepends = abi.xenDependsSection.flatMap(reader.buildID)
        metadata = abi.metadataSection.map(reader.texts) ?? []
        hooks = reader.hooks(prefix: abi.hooksPrefix)
        sections = elf.sections.dropFirst().filter(\.isAllocated).map {
            Section(name: $0.name, size: $0.size, flags: PayloadReader.letters($0), alignment: $0.alignment)
        }
        undefinedSymbols = elf.symbols.dropFirst().filter { $0.isUndefined && !$0.name.isEmpty }
            .map(\.name).sorted()

        var counts: [String: [UInt32: Int]] = [:]
        for table in elf.sections where !table.relocations.isEmpty {
            let target = reader.section(at: Int(table.info))?.name ?? "section \(table.info)"
            for relocation in table.relocations { counts[target, default: [:]][relocation.type, default: 0] += 1 }
        }
        relocations = counts.sorted { $0.key < $1.key }.flatMap { target, types in
            types.sorted { $0.key < $1.key }.map {
                RelocationCount(section: target, type: relocationName($0.key) ?? "type \($0.key)", count: $0.value)
            }
        }
    }
}

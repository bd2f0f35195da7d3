import ELFModel
import XenVersions

/// A section of the payload, by its purpose.
enum PayloadSection: Hashable, Sendable {
    case text, readOnly, writable, zero
    /// Fixups or the replacement code of alternatives, under the section name that Xen's objects use.
    case replacementCode(String)
    /// A special table.
    case table(String)
    /// Pointers to functions that the hypervisor calls.
    case hooks(String)
    /// The entries of replaced functions, and their names.
    case functions, functionNames
    /// A build-id: of the payload itself, or of what it depends on.
    case note(String)
    /// Text about the payload.
    case metadata(String)

    func name(_ abi: PayloadABI) -> String {
        switch self {
        case .text: SectionName.text
        case .readOnly: SectionName.readOnly
        case .writable: SectionName.writable
        case .zero: SectionName.zero
        case .functions: abi.functionsSection
        case .functionNames: abi.stringsSection
        case .replacementCode(let name), .table(let name), .hooks(let name), .note(let name), .metadata(let name): name
        }
    }

    var type: UInt32 {
        switch self {
        case .zero: ELF.SectionType.nobits
        case .note: ELF.SectionType.note
        default: ELF.SectionType.progbits
        }
    }

    var flags: UInt64 {
        switch self {
        // The loader puts writable sections into a region of their own. It also writes into the functions' entries, but that does not
        // prevent applying again.
        case .writable, .zero, .functions: ELF.SectionFlag.alloc | ELF.SectionFlag.write
        case .text, .replacementCode: ELF.SectionFlag.alloc | ELF.SectionFlag.execinstr
        default: ELF.SectionFlag.alloc
        }
    }

    var isExecutable: Bool { flags & ELF.SectionFlag.execinstr != 0 }
}

/// A place in the payload.
struct Place: Hashable, Sendable {
    let section: PayloadSection
    /// From the start of the section, in bytes.
    let offset: Int

    func advanced(by distance: Int) -> Place { Place(section: section, offset: offset + distance) }
}

import ELFModel
import TargetArchitecture
import XenVersions

/// The purpose of a section of one of Xen's objects, derived from its name. The names are those that Xen's linker scripts collect
/// (`xen/arch/*/xen.lds.S`, Xen 4.7 to 4.22).
package enum SectionRole: Sendable, Equatable {
    /// Code that runs after boot.
    case code
    /// Never written after linking: copies are as good as the original.
    case readOnly
    /// Data that holds values at run time.
    case writable
    /// Variables of which each processor has its own.
    case perCPU
    /// Code and data that are freed at the end of booting.
    case boot
    /// An array that the linker collects from all objects, in use after boot.
    case collected
    /// A table of entries that belong to functions.
    case table(SpecialTable)
    /// Code that only those tables lead to.
    case replacementCode
    /// Pointers to live-patch hooks.
    case hooks
    /// Never part of the running hypervisor: debug info, notes, build-time checks.
    case ignored
    /// Unknown to this program.
    case unknown
}

/// Finds the roles of sections for one architecture and one version of Xen.
package struct SectionRoles: Sendable {
    package let tables: [String: SpecialTable]
    private let replacementSections: Set<String>
    private let hooksPrefix: String
    private let useless: [String]

    /// - Parameters:
    ///   - hooksPrefix: the prefix of the payload format's section names for hooks.
    ///   - useless: names, or prefixes of names, of sections that the hypervisor never needs.
    package init(tables: [SpecialTable], hooksPrefix: String, useless: [String] = []) {
        self.useless = useless
        self.hooksPrefix = hooksPrefix
        self.tables = Dictionary(tables.map { ($0.section, $0) }, uniquingKeysWith: { first, _ in first })
        self.replacementSections = Set(tables.compactMap(\.replacement?.section))
    }

    package func role(of section: ELFSection) -> SectionRole {
        let name = section.name
        guard section.isAllocated else { return .ignored }
        if let table = tables[name] { return .table(table) }
        if replacementSections.contains(name) { return .replacementCode }
        if name.hasPrefix(hooksPrefix) { return .hooks }
        if useless.contains(where: { SectionName.isOrBegins(name, $0) }) || SectionName.isDiscarded(name) { return .ignored }
        if SectionName.isCollectedArray(name) { return .collected }
        if SectionName.isBoot(name) { return .boot }
        if SectionName.isPerCPU(name) { return .perCPU }
        if SectionName.isOrBegins(name, SectionName.text) { return section.isExecutable ? .code : .unknown }
        if SectionName.isReadOnly(name) { return .readOnly }
        if SectionName.isWritableData(name) { return section.isWritable ? .writable : .unknown }
        return section.size == 0 ? .ignored : .unknown
    }
}

import CLibdw
import Diagnostics
import SystemPackage

/// The parameter and result sizes of the functions that an object defines or calls, as the source declares them.
package struct Prototypes: Sendable, Equatable {
    package struct Prototype: Sendable, Equatable {
        /// The sizes of the parameters in bytes, in order. Nil when one is unknown, or when there may be more (`...`, no prototype).
        package var parameters: [UInt64]?
        /// The size of the result in bytes: 0 for `void`. Nil when unknown.
        package var result: UInt64?

        package init(parameters: [UInt64]?, result: UInt64?) {
            self.parameters = parameters
            self.result = result
        }
    }

    /// By name. A name is left out when functions of that name differ.
    package var byName: [String: Prototype]

    package init(byName: [String: Prototype] = [:]) {
        self.byName = byName
    }

    /// Reads the prototypes of an object file from its debug information.
    ///
    /// - Returns: an empty value when the file has no debug information.
    /// - Throws: `InputError` when the file can't be read, is not an ELF file, or its debug information is damaged.
    package static func read(_ path: FilePath) throws(InputError) -> Prototypes {
        try DwarfFile.read(path) { dwarf, _ throws(DIE.Damaged) in try read(dwarf) } ?? Prototypes()
    }

    private static func read(_ dwarf: OpaquePointer) throws(DIE.Damaged) -> Prototypes {
        var found: [String: Prototype] = [:]
        var ambiguous: Set<String> = []
        var units = Units(dwarf)
        while let unit = try units.next() {
            var children = DIE(unit.entry).children
            while let die = try children.next() {
                // A copy that only refers to its declaration has no information of its own, and may lack parameters that the compiler removed.
                guard die.kind == .function, die.has(DW_AT_name), let name = die.name else { continue }
                let prototype = try prototype(of: die)
                if let known = found[name], known != prototype { ambiguous.insert(name) }
                found[name] = prototype
            }
        }
        return Prototypes(byName: found.filter { !ambiguous.contains($0.key) })
    }

    private static func prototype(of die: DIE) throws(DIE.Damaged) -> Prototype {
        var sizes: [UInt64]? = []
        var children = die.children
        while let child = try children.next() {
            switch child.kind {
            case .parameter:
                if let size = child.typeSize { sizes?.append(size) } else { sizes = nil }
            case .moreParameters: sizes = nil
            default: break
            }
        }
        // A declaration like `f()` says nothing about parameters.
        if !die.flag(DW_AT_prototyped) { sizes = nil }
        return Prototype(parameters: sizes, result: die.has(DW_AT_type) ? die.typeSize : 0)
    }
}

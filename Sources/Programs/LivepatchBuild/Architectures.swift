import ArchARM32
import ArchARM64
import ArchX86_64
import TargetArchitecture

/// The processors that this version makes payloads for.
package enum Architectures {
    package static let known: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
    /// The Kconfig options that are on in a configuration for one of them, by their names.
    static let options = Dictionary(known.map { ($0.name, $0.kconfigOption) }) { first, _ in first }

    /// For messages: `x86_64, arm64, arm32`.
    package static var names: String { known.map(\.name).joined(separator: ", ") }

    /// The names in one `--arch`, with commas between them, known or not.
    package static func list(_ argument: String) -> [String] {
        argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// - Parameter name: as in `--arch`.
    package static func named(_ name: some StringProtocol) -> (any TargetArchitecture)? { known.first { $0.name == name } }

    /// - Parameter machine: `e_machine` of an ELF file.
    package static func of(machine: UInt16) -> (any TargetArchitecture)? { known.first { $0.machine == machine } }

    /// The architecture that a machine runs itself, and so needs no cross compiler for.
    ///
    /// - Parameter machine: as uname(2) tells it. Names of GNU tools begin with the same word; `armv7l` is one of `arm`.
    static func own(machine: String) -> (any TargetArchitecture)? {
        known.first { machine.hasPrefix($0.toolchainPrefix.prefix { $0 != "-" }) }
    }
}

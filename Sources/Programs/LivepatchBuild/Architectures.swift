import ArchARM32
import ArchARM64
import ArchX86_64
import TargetArchitecture

/// The processors that this version makes payloads for.
package enum Architectures {
    package static let known: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
    /// For each architecture's name, the Kconfig option that is on in a configuration for it.
    static let options = Dictionary(known.map { ($0.name, $0.kconfigOption) }) { first, _ in first }

    /// For messages: `x86_64, arm64, arm32`.
    package static var names: String { known.map(\.name).joined(separator: ", ") }

    /// The names in one `--arch`, separated by commas, known or not.
    package static func list(_ argument: String) -> [String] {
        argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// - Parameter name: the name as in `--arch`.
    package static func named(_ name: some StringProtocol) -> (any TargetArchitecture)? { known.first { $0.name == name } }

    /// - Parameter machine: `e_machine` of an ELF file.
    package static func of(machine: UInt16) -> (any TargetArchitecture)? { known.first { $0.machine == machine } }

    /// The architecture of a machine itself, for which no cross compiler is needed; nil if it is not a known one.
    ///
    /// - Parameter machine: the processor as uname(2) names it. Names of GNU tools begin with the same word; `armv7l` counts as `arm`.
    package static func own(machine: String) -> (any TargetArchitecture)? {
        known.first { machine.hasPrefix($0.toolchainPrefix.prefix { $0 != "-" }) }
    }
}

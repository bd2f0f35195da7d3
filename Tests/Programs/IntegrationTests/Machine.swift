import ArchARM32
import ArchARM64
import ArchX86_64
import TargetArchitecture

/// A kind of machine that the small tree is built for: by the compiler of this one, or by a cross compiler.
struct Machine: Sendable, Hashable, CustomStringConvertible {
    /// As the value of XEN_TARGET_ARCH.
    var name: String
    var description: String { name }

    static let architectures: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
    static let all = architectures.map { Machine(name: $0.name) }
    /// What the tests run on, and what most of them make payloads for.
    static let own = Machine(name: ArchX86_64().name)

    /// What make needs to be told.
    var makeVariables: [String] {
        guard self != .own, let architecture else { return [] }
        return ["XEN_TARGET_ARCH=\(name)", "CROSS_COMPILE=\(architecture.toolchainPrefix)"]
    }

    var architecture: (any TargetArchitecture)? { Self.architectures.first { $0.name == name } }
}

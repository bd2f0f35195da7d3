import ArchX86_64
import TargetArchitecture

/// The processors that this version makes payloads for.
enum Architectures {
    static let known: [any TargetArchitecture] = [ArchX86_64()]

    /// - Throws: `UsageError` for one that is planned, but not there.
    static func named(_ name: BuildOptions.Architecture) throws(UsageError) -> any TargetArchitecture {
        guard let architecture = known.first(where: { $0.name == name.rawValue }) else {
            throw UsageError(
                "--arch \(name.rawValue): this version makes payloads for \(known.map(\.name).joined(separator: ", ")) only")
        }
        return architecture
    }
}

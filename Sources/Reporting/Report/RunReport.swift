import Diagnostics

/// What a run for several targets did and found, as its `report.json` has it. A run for one target writes a `BuildReport` there.
package struct RunReport: Sendable, Equatable, Codable {
    /// Higher than the schema of `BuildReport`, so that a reader sees which of the two it has.
    package static let currentSchema = 5

    package var generator: String
    package var schemaVersion: Int
    /// The worst of the targets' outcomes.
    package var outcome: BuildReport.Outcome
    /// One report for each target, the same as in a run for that target alone. `tree.architecture` distinguishes them.
    package var targets: [BuildReport]

    package init(_ targets: [BuildReport]) {
        generator = BuildReport.generatorName
        schemaVersion = Self.currentSchema
        outcome = BuildReport.Outcome.worst(targets.map(\.outcome))
        self.targets = targets
    }
}

extension BuildReport.Outcome {
    /// The exit status of a run with this outcome.
    package var exitStatus: ExitStatus {
        switch self {
        case .written, .compiledOnly: .written
        case .nothingToPatch: .nothingToPatch
        case .refused: .cannotBeLivePatched
        case .originalDiffers: .originalDiffers
        case .buildFailed: .buildFailed
        case .notProven: .internalFault
        }
    }

    /// From good to bad: the less is known about the change, the worse. A failed build says nothing about the change, and with another original
    /// nothing is reliable. A refusal needs work, but "nothing to patch" may be just right. A payload that is wrong is a fault of this program.
    private static let order: [Self] = [.written, .compiledOnly, .nothingToPatch, .refused, .originalDiffers, .buildFailed, .notProven]

    /// The outcome of a run for several targets.
    ///
    /// - Returns: `.written` for no targets at all.
    package static func worst(_ outcomes: [Self]) -> Self { order.last { outcomes.contains($0) } ?? .written }
}

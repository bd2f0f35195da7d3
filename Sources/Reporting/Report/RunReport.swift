import Diagnostics

/// What a run for several targets did and found: the value behind its `report.json`. A run for one target has a `BuildReport` there.
package struct RunReport: Sendable, Equatable, Codable {
    /// Above that of `BuildReport`, so that a reader sees which of the two is before it.
    package static let currentSchema = 5

    package var generator: String
    package var schemaVersion: Int
    /// The worst of the targets' outcomes.
    package var outcome: BuildReport.Outcome
    /// One for each target, just as a run for it alone would have written it. `tree.architecture` tells them apart.
    package var targets: [BuildReport]

    package init(_ targets: [BuildReport]) {
        generator = BuildReport.generatorName
        schemaVersion = Self.currentSchema
        outcome = BuildReport.Outcome.worst(targets.map(\.outcome))
        self.targets = targets
    }
}

extension BuildReport.Outcome {
    /// How a run with this outcome ends.
    package var exitStatus: ExitStatus {
        switch self {
        case .written, .compiledOnly: .written
        case .nothingToPatch: .nothingToPatch
        case .refused: .cannotBeLivePatched
        case .originalDiffers: .originalDiffers
        case .buildFailed: .buildFailed
        }
    }

    /// From good to bad: the less is known about the change, the worse. A build that failed tells nothing about it, another original
    /// nothing that can be relied on; a refusal asks for work, and nothing to patch may be just right.
    private static let order: [Self] = [.written, .compiledOnly, .nothingToPatch, .refused, .originalDiffers, .buildFailed]

    /// The outcome of a run for several targets.
    ///
    /// - Returns: `.written` for no targets at all.
    package static func worst(_ outcomes: [Self]) -> Self { order.last { outcomes.contains($0) } ?? .written }
}

import SystemPackage

/// The names of what a build leaves below its output folder. With several targets each has its payload and its logs in a folder named
/// after the architecture: `arm64/NAME.livepatch`, `logs/arm64/`.
package struct OutputPlaces: Sendable, Equatable {
    package static let logsName = "logs"
    package static let workName = "work"

    package var top: FilePath

    package init(top: FilePath) { self.top = top }

    /// Of what the compilers say.
    package var logs: FilePath { top.appending(Self.logsName) }

    /// Of what a run worked with, where that is kept.
    package var work: FilePath { top.appending(Self.workName) }

    /// The same for one target; `target` as for `payloadFolder`.
    package func work(for target: String?) -> FilePath { target.map { work.appending($0) } ?? work }

    /// The folder of one target's payload.
    ///
    /// - Parameter target: the architecture in a run for several; nil in a run for one.
    package func payloadFolder(for target: String?) -> FilePath { target.map { top.appending($0) } ?? top }

    /// The folder of what the compilers say for one target; `target` as for `payloadFolder`.
    package func logs(for target: String?) -> FilePath { target.map { logs.appending($0) } ?? logs }
}

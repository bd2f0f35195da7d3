import SystemPackage

/// The names of the files and folders that a build writes below its output folder. With several targets each one's payload and logs are in
/// a folder named after the architecture: `arm64/NAME.livepatch`, `logs/arm64/`.
package struct OutputPlaces: Sendable, Equatable {
    package static let logsName = "logs"
    package static let workName = "work"

    package var top: FilePath

    package init(top: FilePath) { self.top = top }

    /// The folder for the compilers' output.
    package var logs: FilePath { top.appending(Self.logsName) }

    /// The folder for the run's work files, when they are kept.
    package var work: FilePath { top.appending(Self.workName) }

    /// The folder for one target's work files; `target` as for `payloadFolder`.
    package func work(for target: String?) -> FilePath { target.map { work.appending($0) } ?? work }

    /// The folder of one target's payload.
    ///
    /// - Parameter target: the architecture in a run for several targets; nil in a run for one.
    package func payloadFolder(for target: String?) -> FilePath { target.map { top.appending($0) } ?? top }

    /// The folder for the compilers' output for one target; `target` as for `payloadFolder`.
    package func logs(for target: String?) -> FilePath { target.map { logs.appending($0) } ?? logs }
}

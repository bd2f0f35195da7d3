/// One command that the recorder saw.
package struct RecordedCommand: Sendable, Equatable {
    /// The folder it ran in, absolute.
    package var folder: String
    package var words: [String]

    package init(folder: String, words: [String]) {
        self.folder = folder
        self.words = words
    }

    /// The form that is kept in a file: folder and words, each ended by NUL.
    package var bytes: [UInt8] { ([folder] + words).flatMap { Array($0.utf8) + [0] } }

    /// Returns nil when the bytes are not a whole record.
    package init?(bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        let parts = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count >= 2, let folder = parts.first else { return nil }
        self.init(folder: folder, words: Array(parts.dropFirst()))
    }
}

/// The folder that the recorder and the build stage share.
package enum RecordingFolder {
    /// The environment variable that names the folder for the recorder. Without it, the recorder only runs the compiler.
    package static let variable = "XSPLICE_BUILD_RECORDING"
    /// The commands of the hypervisor's objects, one file each.
    package static let objects = "objects"
    /// All other commands that read sources, one file each, beside a `.d` file that lists what the command read.
    package static let others = "others"
    /// The object that takes the place of each recorded one.
    package static let standIn = "empty.o"
}

/// One command that the recorder saw.
package struct RecordedCommand: Sendable, Equatable {
    /// The folder it ran in, absolute.
    package var folder: String
    package var words: [String]

    package init(folder: String, words: [String]) {
        self.folder = folder
        self.words = words
    }

    /// As it is kept in a file: folder and words, each ended by NUL.
    package var bytes: [UInt8] { ([folder] + words).flatMap { Array($0.utf8) + [0] } }

    /// nil when the bytes are not a whole record.
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
    /// The variable that tells the recorder of the folder. Without it, the recorder only runs the compiler.
    package static let variable = "XSPLICE_BUILD_RECORDING"
    /// The commands of the hypervisor's objects, one file each.
    package static let objects = "objects"
    /// The commands of all else that reads sources, one file each, beside a `.d` file with what it read.
    package static let others = "others"
    /// The object that stands in for each recorded one.
    package static let standIn = "empty.o"
}

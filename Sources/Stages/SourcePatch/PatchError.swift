import Diagnostics
import SystemPackage

/// Why a patch can't be used: the patch file, the line in it, and the reason.
package struct PatchError: ExplainedError, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The patch file can't be read. The value is the system's error.
        case unreadable(Errno)
        case isDirectory
        /// The patch file is larger than the limit, which is in bytes.
        case tooLarge(limit: Int)
        /// The patch file is empty.
        case empty
        /// A quilt series without a patch.
        case emptySeries
        /// An option behind a patch's name in a quilt series.
        case seriesOption(String)
        /// The file is text, but contains no hunk, mode change, rename, addition or removal.
        case noChanges
        /// The file contains bytes that are not text.
        case notText
        /// Another kind of diff. The value says what it looks like.
        case unsupportedFormat(String)
        /// A line that breaks the rules of a unified diff. The value says how.
        case malformed(String)
        /// A binary diff of this file.
        case binary(String)
        /// A path that must not be followed, and the reason.
        case unsafePath(String, String)
        /// A path that the tree does not have, and the path of the tree that it probably means. For a new file that is a folder, with a slash
        /// at its end.
        case wrongBase(String, String)
        /// A path of a file outside `xen/` that the hunks do not match, and the file that they match.
        case wrongFile(String, String)
        /// A path outside `xen/` in a folder that the tree does not have.
        case unknownPlace(String)
        /// A mail whose text can't be read as it was sent. The value says why.
        case mail(String)
        /// The tree has no such file.
        case missing(String)
        /// The patch creates a file that the tree already has.
        case alreadyThere(String)
        /// A file of the tree that can't be read, and the system's error.
        case unreadableSource(String, Errno)
        /// A file that can't be patched, and the reason.
        case unsupportedFile(String, String)
        /// The lines of a hunk are not in the file. Hunks count from 1.
        case hunkDoesNotMatch(hunk: Int, header: String, file: String, hint: Hint?)
        /// The patch removes the file, but content would be left in it.
        case leavesContents(String)
        /// libgit2 failed or disagrees. The value is its message.
        case library(String)
    }

    /// What a hunk that does not match suggests.
    package enum Hint: Sendable, Equatable {
        /// The reverse of this file's changes applies, so they are in the tree already.
        case alreadyApplied
        /// The hunk would match if line endings were ignored.
        case lineEndings
        /// The hunk would match if white space were ignored.
        case whiteSpace
        /// The hunk has no context lines, so its place can't be checked.
        case noContext
    }

    package var patch: FilePath
    /// The line in the patch file, counted from 1; nil when no line can be named.
    package var line: Int?
    package var reason: Reason
    /// Whether `line` counts the lines of a mail's text after decoding.
    package var isDecoded = false

    package init(_ patch: FilePath, line: Int? = nil, _ reason: Reason) {
        self.patch = patch
        self.line = line
        self.reason = reason
    }

    package var message: String {
        let patch = self.patch == PatchFile.standardInput ? "standard input" : "\(self.patch)"
        let place = line.map { isDecoded ? "\(patch), line \($0) of the decoded text" : "\(patch):\($0)" } ?? patch
        return switch reason {
        case .unreadable(let errno): "cannot read the patch \(patch): \(errno.description)"
        case .isDirectory: "\(patch) is a folder, not a patch"
        case .tooLarge(let limit): "\(patch) is larger than \(limit >> 20) MiB, and so not a source patch"
        case .empty: "\(patch) is empty"
        case .emptySeries: "\(patch) lists no patch"
        case .seriesOption(let option): "\(place): the option '\(option)' of a patch is not supported; -p1 is, and is the default"
        case .noChanges: "\(patch) has no changes: it has no hunk of a unified diff"
        case .notText: "\(patch) is a binary file, not a patch"
        case .unsupportedFormat(let format): "\(place): \(format), not a unified diff"
        case .malformed(let what): "\(place): \(what)"
        case .binary(let file): "\(place): binary change of \(file): only text can be patched"
        case .unsafePath(let path, let why): "\(place): the path '\(path)' \(why)"
        case .wrongBase(let path, let folder) where folder.hasSuffix("/"): "\(place): the patch creates \(path), but probably means a file in \(folder)"
        case .wrongBase(let path, let real): "\(place): the tree has no \(path), but it has \(real)"
        case .wrongFile(let path, let real): "\(place): the change of \(path) is not for that file, but for \(real)"
        case .unknownPlace(let path): "\(place): the tree has no \(path), and no folder that it could be in"
        case .mail(let what): "\(place): \(what)"
        case .missing(let file): "\(place): the tree has no \(file)"
        case .alreadyThere(let file): "\(place): the patch creates \(file), which is there already"
        case .unreadableSource(let file, let errno): "\(place): cannot read \(file): \(errno.description)"
        case .unsupportedFile(let file, let why): "\(place): \(file) \(why)"
        case .hunkDoesNotMatch(let hunk, let header, let file, let hint):
            hint == .noContext
                ? "\(place): hunk \(hunk) (\(header)) of \(file) has no context lines, so its place can't be checked"
                : "\(place): hunk \(hunk) (\(header)) of \(file) does not apply: its lines are not in the file"
        case .leavesContents(let file): "\(place): the patch removes \(file), which has other contents than the patch says"
        case .library(let words): "\(place): the patch can't be applied: \(words)"
        }
    }

    package var help: String? {
        switch reason {
        case .noChanges, .unsupportedFormat:
            "make the patch with 'git diff', 'git format-patch' or 'diff -Nru a b', from the folder that holds xen/"
        case .wrongBase, .wrongFile:
            "make the patch from the folder that holds xen/, with one leading folder in its paths (a/xen/..., b/xen/...)"
        case .unknownPlace:
            "paths begin below the folder that holds xen/; if that part is not for the hypervisor, take it out of the patch"
        case .mail:
            "save the patch itself: as an attachment, with 'git format-patch', or the raw text from the list's archive"
        case .unsafePath:
            "a patch may only name files below the folder that holds xen/, as a/xen/...; nothing was touched"
        case .missing, .leavesContents:
            "the patch was made for another version of Xen, or an earlier patch of a series is missing"
        case .alreadyThere:
            "the patch may be in this tree already"
        case .hunkDoesNotMatch(_, _, let file, let hint):
            switch hint {
            case .alreadyApplied: "the reverse patch applies: \(file) has this change already"
            case .lineEndings: "it would apply if line endings were the same: one has CRLF, the other LF"
            case .whiteSpace: "only white space differs: a mail program or an editor may have changed the patch"
            case .noContext: "make the patch with context lines: without -U0"
            case nil: "the patch was made for another version of Xen, or an earlier patch of a series is missing"
            }
        default: nil
        }
    }

    package var exitCode: ExitStatus {
        switch reason {
        case .unreadable, .isDirectory, .emptySeries, .seriesOption: .usage
        case .unreadableSource: .internalFault
        default: .patchDoesNotApply
        }
    }
}

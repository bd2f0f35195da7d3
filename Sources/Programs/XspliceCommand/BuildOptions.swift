import PayloadLinker
import SystemPackage

/// What the user asked for, checked as far as it can be without looking at a file.
package struct BuildOptions: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable {
        /// As the tree says.
        case auto
        case xsplice, livepatch
    }

    /// A part of the work to leave out (`-k`).
    package enum SkippedPhase: String, Sendable, CaseIterable {
        /// For scripts written for older tools; what was compiled before is in the cache anyway.
        case build
        /// Stop when the objects are compiled.
        case diff
    }

    /// How much is said.
    package enum Verbosity: Int, Sendable, Comparable {
        case quiet, normal, verbose, debug

        package static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
    }

    package var source: FilePath
    /// In the order in which they are applied.
    package var patches: [FilePath]
    /// The patches that made the applied payloads, in order; the new ones come on top of them.
    package var appliedPatches: [FilePath]
    /// The payloads that are applied, in order; each belongs to the target of its own machine.
    package var applied: [FilePath]
    /// Whether the payload takes the place of all that are applied.
    package var cumulative: Bool
    /// The payload's; nil takes that of the first patch.
    package var name: String?
    package var output: FilePath
    /// Each tells itself what architecture it is for; where the option says so too, the two must agree.
    package var xenSyms: [TargetValue<FilePath>]
    package var config: [TargetValue<FilePath>]
    /// What stands before the names of compiler and binutils.
    package var crossCompile: [TargetValue<String>]
    /// How many compilers run at a time.
    package var jobs: Int
    package var xenDebug: Bool
    package var depends: [UInt8]?
    package var xenDepends: [UInt8]?
    /// Names of known architectures, no two the same; empty when the files tell.
    package var architectures: [String]
    package var format: Format
    package var skip: SkippedPhase?
    package var prelink: Bool
    package var strip: Bool
    package var expect: Bool
    package var nops: [LinkOptions.NOPs]
    package var cache: FilePath
    /// In bytes; nil for no limit.
    package var cacheLimit: Int64?
    /// The program, with its first arguments, that gets each compiler's command line: `ccache`, `distcc`.
    package var compilerLauncher: [String]
    package var keepWork: Bool
    package var trustSource: Bool
    /// Types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
    package var allowedLayouts: [String]
    package var force: Bool
    package var verbosity: Verbosity
}

/// Where work trees and compiled objects are kept between runs.
package enum CacheFolder {
    /// `--cache-dir`, else `$XDG_CACHE_HOME/xsplice-build`, else `~/.cache/xsplice-build`.
    ///
    /// - Throws: `UsageError` when none of them is known. A relative `XDG_CACHE_HOME` does not count, as the XDG Base
    ///   Directory Specification demands.
    package static func locate(
        option: String?, environment: [String: String]
    ) throws(UsageError) -> FilePath {
        if let option { return FilePath(option) }
        if let base = environment["XDG_CACHE_HOME"].map({ FilePath($0) }), base.isAbsolute {
            return base.appending("xsplice-build")
        }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw UsageError("no place for the cache folder: HOME is not set", help: "give one with --cache-dir DIR")
        }
        return FilePath(home).appending(".cache").appending("xsplice-build")
    }
}

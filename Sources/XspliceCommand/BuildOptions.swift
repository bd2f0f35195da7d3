import PayloadLinker
import SystemPackage

/// What the user asked for, checked as far as it can be without looking at a file.
public struct BuildOptions: Sendable, Equatable {
    public enum Format: String, Sendable, CaseIterable {
        /// As the tree says.
        case auto
        case xsplice, livepatch
    }

    /// A part of the work to leave out (`-k`).
    public enum SkippedPhase: String, Sendable, CaseIterable {
        /// For scripts written for older tools; what was compiled before is in the cache anyway.
        case build
        /// Stop when the objects are compiled.
        case diff
    }

    /// How much is said.
    public enum Verbosity: Int, Sendable, Comparable {
        case quiet, normal, verbose, debug

        public static func < (a: Verbosity, b: Verbosity) -> Bool { a.rawValue < b.rawValue }
    }

    public var source: FilePath
    /// In the order in which they are applied.
    public var patches: [FilePath]
    /// The patches that made the applied payloads, in order; the new ones come on top of them.
    public var appliedPatches: [FilePath]
    /// The payloads that are applied, in order; each belongs to the target of its own machine.
    public var applied: [FilePath]
    /// Whether the payload takes the place of all that are applied.
    public var cumulative: Bool
    /// The payload's; nil takes that of the first patch.
    public var name: String?
    public var output: FilePath
    /// Each tells itself what architecture it is for; where the option says so too, the two must agree.
    public var xenSyms: [TargetValue<FilePath>]
    public var config: [TargetValue<FilePath>]
    /// What stands before the names of compiler and binutils.
    public var crossCompile: [TargetValue<String>]
    /// How many compilers run at a time.
    public var jobs: Int
    public var xenDebug: Bool
    public var depends: [UInt8]?
    public var xenDepends: [UInt8]?
    /// Names of known architectures, no two the same; empty when the files tell.
    public var architectures: [String]
    public var format: Format
    public var skip: SkippedPhase?
    public var prelink: Bool
    public var strip: Bool
    public var expect: Bool
    public var nops: [LinkOptions.NOPs]
    public var cache: FilePath
    /// In bytes; nil for no limit.
    public var cacheLimit: Int64?
    /// The program, with its first arguments, that gets each compiler's command line: `ccache`, `distcc`.
    public var compilerLauncher: [String]
    public var keepWork: Bool
    public var trustSource: Bool
    /// Types whose new layout the user takes responsibility for: `struct domain`, or `domain`.
    public var allowedLayouts: [String]
    public var force: Bool
    public var verbosity: Verbosity
}

/// Where work trees and compiled objects are kept between runs.
public enum CacheFolder {
    /// `--cache-dir`, else `$XDG_CACHE_HOME/xsplice-build`, else `~/.cache/xsplice-build`.
    ///
    /// - Throws: `UsageError` when none of them is known. A relative `XDG_CACHE_HOME` does not count, as the XDG Base
    ///   Directory Specification demands.
    public static func locate(
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

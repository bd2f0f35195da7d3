import SystemPackage

/// The folder that keeps work trees and compiled objects between runs.
package enum CacheFolder {
    /// `--cache-dir`, else `$XDG_CACHE_HOME/xsplice-build`, else `~/.cache/xsplice-build`.
    ///
    /// - Throws: `UsageError` when none of these is set. A relative `XDG_CACHE_HOME` doesn't count, as the XDG Base Directory
    ///   Specification demands.
    package static func locate(option: String?, environment: [String: String]) throws(UsageError) -> FilePath {
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

import SystemPackage
import TestDrive

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FolderCache {
    /// The cache for Xen's sources, its builds and the dom0s: the folder `$XSPLICE_RIG_CACHE`, or `.cache` in the current folder.
    package static func standard(tell: @escaping @Sendable (String) -> Void = { _ in }) -> FolderCache {
        let named = getenv("XSPLICE_RIG_CACHE").map { String(cString: $0) } ?? ""
        return FolderCache(root: FilePath(named.isEmpty ? ".cache" : named), tell: tell)
    }
}

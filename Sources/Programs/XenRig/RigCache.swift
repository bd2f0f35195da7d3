import SystemPackage
import TestDrive

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension FolderCache {
    /// Where Xen's sources and builds and the dom0s are kept: what `$XSPLICE_RIG_CACHE` names, else `.cache` in the current folder.
    package static func standard(tell: @escaping @Sendable (String) -> Void = { _ in }) -> FolderCache {
        let named = getenv("XSPLICE_RIG_CACHE").map { String(cString: $0) } ?? ""
        return FolderCache(root: FilePath(named.isEmpty ? ".cache" : named), tell: tell)
    }
}

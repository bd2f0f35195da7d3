import Diagnostics
import SystemPackage
import TestDrive
import WorkFiles

/// The hypervisor that Debian ships, which its own machines compiled: what people run.
extension DebianXen {
    /// The shipped hypervisor beside a copy of the source that Debian built it from: image, symbols and configuration are where a build would
    /// have left them. From the cache, or downloaded (4 MB). Of x86_64.
    ///
    /// Throws `StepError` when the archive no longer serves the packages, or when they are not of the version of the source in the cache.
    package func shipped(cache: FolderCache) async throws -> HypervisorBuild {
        let archive = DebianArchive(suite: suite, cache: cache)
        let release = try await XenRelease.ofDebian(archive)
        guard WorkFiles.isFolder(release.source.appending("debian/patches")) else {
            throw StepError("the source of \(self) in the cache is without Debian's own changes, which the shipped hypervisor has")
        }
        let tree = try await cache.folder("\(release.home)/shipped") { tree in
            let lists = try await archive.lists()
            cache.tell("fetching the hypervisor that Debian \(suite) ships")
            let packages = ["xen-hypervisor-\(version)-amd64", "xen-hypervisor-\(version)-amd64-dbg"]
            for package in packages {
                let shipped = try await lists.version(of: package)
                guard shipped.hasPrefix("\(release.version)-") else {
                    throw StepError("Debian \(suite) ships \(package) \(shipped), and the source in the cache is \(release.version)")
                }
            }
            let unpacked = FilePath(tree.string + ".packages")
            try WorkFiles.remove(unpacked)
            try WorkFiles.makeFolder(unpacked)
            try await lists.unpack(packages, into: unpacked)
            try WorkFiles.remove(tree)
            try await Tool(name: "cp").output(["-a", "--", release.source.string, tree.string])
            let build = HypervisorBuild(version: release.version, tree: tree)
            try WorkFiles.move(unpacked.appending("boot/xen-\(version)-amd64.config"), to: build.configuration)
            try WorkFiles.move(unpacked.appending("usr/lib/debug/boot/xen-syms-\(version)-amd64"), to: build.symbols)
            // QEMU starts no compressed hypervisor.
            let image = FilePath(build.image.string + ".gz")
            try WorkFiles.move(unpacked.appending("boot/xen-\(version)-amd64.gz"), to: image)
            try await Tool(name: "gzip").output(["-d", "--", image.string])
            try WorkFiles.remove(unpacked)
        }
        return HypervisorBuild(version: release.version, tree: tree)
    }
}

extension DebianArchive.Lists {
    /// The version of a binary package that the suite has; empty if it has none.
    func version(of package: String) async throws -> String {
        Self.field("Version", of: try await apt("apt-cache", ["show", "--no-all-versions", "--", package])).filter { !$0.isWhitespace }
    }
}

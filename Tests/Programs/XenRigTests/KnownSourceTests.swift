import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@testable import XenRig

@Suite("upstream's archive of a release that a suite no longer lists")
struct KnownSourceTests {
    @Test("its place in the archive, as Debian's pool has it")
    func place() {
        let source = KnownSource(name: "xen", version: "4.20.3+127-gc42374a105", sha256: "")
        #expect(source.path == "pool/main/x/xen/xen_4.20.3%2b127-gc42374a105.orig.tar.xz")
        #expect(KnownSource(name: "xen", version: "4.14.6", sha256: "").path == "pool/main/x/xen/xen_4.14.6.orig.tar.xz")
    }

    @Test("it is taken when it has the sum that is known, and else nothing is", arguments: [true, false])
    func sum(right: Bool) async throws {
        try await withTemporaryFolder { temporary in
            let archive = temporary.appending("archive"), content = temporary.appending("top-1"), made = temporary.appending("made")
            var source = KnownSource(name: "top", version: "1", sha256: String(repeating: "0", count: 64))
            let file = archive.pushing(FilePath(source.path))
            for name in [content, file.removingLastComponent(), temporary.appending("downloads")] { try WorkFiles.makeFolder(name) }
            try WorkFiles.write(Array("hello\n".utf8), to: content.appending("greeting"))
            try await Tool(name: "tar").output(["-cJf", file.string, "-C", temporary.string, "top-1"])
            if right { source.sha256 = String(try await Tool(name: "sha256sum").output([file.string]).prefix(64)) }
            do {
                try await source.unpack(
                    from: "copy:\(archive)", options: ["-o", "APT::Sandbox::User=root"], downloads: temporary.appending("downloads"), as: made)
                #expect(right)
                #expect(try WorkFiles.read(made.appending("greeting")) == Array("hello\n".utf8))
            } catch let error as StepError {
                #expect(!right && error.message.contains("apt-helper download-file") && !WorkFiles.exists(made), "\(error)")
            }
        }
    }

    @Test("one is known for each suite, of the version that the suite has")
    func ofAllSuites() {
        for xen in DebianXen.all { #expect(xen.known.name == "xen" && xen.known.version.hasPrefix("\(xen.version).") && xen.known.sha256.count == 64) }
    }
}

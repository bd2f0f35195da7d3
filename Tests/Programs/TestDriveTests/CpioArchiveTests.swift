import Subprocess
import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@Suite("cpio archives are what cpio itself reads")
struct CpioArchiveTests {
    /// Runs cpio with the archive as its input; gives what it printed.
    private func cpio(_ arguments: [String], _ archive: [UInt8], in folder: FilePath? = nil) async throws -> String {
        let result = try await Subprocess.run(
            .name("cpio"), arguments: .init(arguments), workingDirectory: folder, input: .array(archive),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
        return result.standardOutput
    }

    private var sample: CpioArchive {
        var archive = CpioArchive()
        archive.addFile("init", Array("#!/bin/sh\n".utf8), executable: true)
        archive.addFile("usr/lib/deep/data", [UInt8](0...254))
        archive.addFile("usr/lib/empty", [])
        archive.addSymbolicLink("bin/sh", to: "busybox")
        archive.addCharacterDevice("dev/console", major: 5, minor: 1)
        return archive
    }

    @Test("names, in order, with the folders above each")
    func names() async throws {
        let listed = try await cpio(["-t", "--quiet"], sample.finished()).split(separator: "\n")
        #expect(
            listed == [
                "init", "usr", "usr/lib", "usr/lib/deep", "usr/lib/deep/data", "usr/lib/empty", "bin", "bin/sh", "dev", "dev/console",
            ])
    }

    @Test("content, modes, links and devices")
    func content() async throws {
        try await withTemporaryFolder { folder in
            _ = try await cpio(["-id", "--quiet", "--no-absolute-filenames", "usr*", "init", "bin*"], sample.finished(), in: folder)
            #expect(try WorkFiles.read(folder.appending("usr/lib/deep/data")) == [UInt8](0...254))
            #expect(try WorkFiles.read(folder.appending("usr/lib/empty")) == [])
            let listing = try await cpio(["-tv", "--quiet", "--numeric-uid-gid"], sample.finished()).split(separator: "\n")
            #expect(listing.contains { $0.hasPrefix("-rwxr-xr-x   1 0        0              10 ") && $0.hasSuffix(" init") })
            #expect(listing.contains { $0.hasPrefix("-rw-r--r--") && $0.hasSuffix(" usr/lib/deep/data") })
            #expect(listing.contains { $0.hasPrefix("l") && $0.hasSuffix(" bin/sh -> busybox") })
            #expect(listing.contains { $0.hasPrefix("crw-------") && $0.contains("  5,   1 ") && $0.hasSuffix(" dev/console") })
        }
    }

    @Test("the same entries give the same bytes, of whole blocks, so that another archive can follow")
    func stacking() {
        let bytes = sample.finished()
        #expect(bytes == sample.finished())
        #expect(bytes.count.isMultiple(of: 512))
    }
}

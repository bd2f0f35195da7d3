import FoundationEssentials
import SystemPackage

/// An empty folder for one test.
struct TemporaryFolder {
    let path: FilePath

    init() throws {
        path = FilePath(FileManager.default.temporaryDirectory.path).appending("xen-rig-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
    }

    func createFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path.appending(name).string, withIntermediateDirectories: true)
    }

    func remove() {
        // It is this test's own; what is left behind when this fails harms nobody.
        try? FileManager.default.removeItem(atPath: path.string)
    }
}

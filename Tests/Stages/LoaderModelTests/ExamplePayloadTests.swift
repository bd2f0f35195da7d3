import ArchX86_64
import PayloadSamples
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenSource
import XenVersions

@testable import LoaderModel

/// The example payloads of a real Xen tree (`make -C xen tests`), loaded into the hypervisor of that tree.
///
/// They are made to be loaded, but for the one that lacks the hypervisor's build-id.
@Suite(
    .enabled(
        if: BuiltXen.folder.map { WorkFiles.isReadableFile($0.appending("test/livepatch/xen_nop.livepatch")) } ?? false,
        "XSPLICE_BUILT_XEN names no Xen tree with example payloads"))
struct ExamplePayloadTests {
    private func results() async throws -> [String: LoadResult] {
        let folder = try #require(BuiltXen.folder)
        let image = try XenImage.read(folder.appending("xen-syms"))
        var results: [String: LoadResult] = [:]
        let names = try await run("find", [folder.appending("test/livepatch").string, "-name", "*.livepatch"])
        for path in names.split(separator: "\n").map({ FilePath(String($0)) }) {
            results[path.stem ?? ""] = loadPayload(
                try WorkFiles.read(path), into: image, architecture: ArchX86_64(), abi: .livepatchV2,
                version: XenVersion(major: 4, minor: 17))
        }
        return results
    }

    @Test func verdicts() async throws {
        let results = try await results()
        #expect(results.count > 10)
        for (name, result) in results where name != "xen_no_xen_buildid" {
            #expect(result.verdict == .accepted, "\(name)")
            #expect(result.has(.expectationFails) == (name == "xen_expectations_fail"), "\(name)")
        }
        #expect(results["xen_no_xen_buildid"]?.isRefused(.requiredSections, .invalid, ".livepatch.xen_depends") == true)
        #expect(results["xen_hello_world"]?.has(.stacked) == false)
        #expect(results["xen_bye_world"]?.has(.stacked) == true)
        #expect(results["xen_hello_world"]?.functions.map(\.name) == ["xen_extra_version"])
    }
}

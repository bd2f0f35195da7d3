import Diagnostics
import TestTools
import Testing

@testable import XspliceCommand

@Suite struct BatchManifestTests {
    private func read(_ text: String) throws -> BatchManifest {
        let folder = try TemporaryFolder()
        try folder.write("m.json", text)
        var manifest = try BatchManifest.read(folder.path.appending("m.json"))
        // Tests can't know the folder's name.
        for index in manifest.hypervisors.indices {
            #expect(manifest.hypervisors[index].source.starts(with: folder.path) || manifest.hypervisors[index].source == "/abs")
            manifest.hypervisors[index].source = "source"
        }
        return manifest
    }

    private let small = #"{ "hypervisors": [{ "name": "a", "source": "xen" }, { "name": "b", "source": "/abs", "arch": "arm64" }], "fixes": [FIXES] }"#

    @Test func oneCellForEachFixAndHypervisor() throws {
        let manifest = try read(
            small.replacing("FIXES", with: #"{ "patches": ["/p/one.patch"] }, { "name": "2.0", "patches": ["/p/x", "/p/y"], "hypervisors": ["b"], "options": ["--expect", "--allow-layout-change", "struct foo"] }"#))
        #expect(manifest.cells.map(\.folder) == ["a/one", "b/one", "b/2.0"])
        #expect(manifest.cells[0].arguments == ["build", "-s", "source", "-p", "/p/one.patch", "--name", "one"])
        #expect(
            manifest.cells[2].arguments == [
                "build", "-s", "source", "--arch", "arm64", "-p", "/p/x", "-p", "/p/y", "--name", "2-0", "--expect", "--allow-layout-change", "struct foo",
            ])
    }

    @Test func whatIsAppliedBelongsToTheHypervisor() throws {
        let manifest = try read(
            #"{ "hypervisors": [{ "name": "a", "source": "/abs", "xenSyms": "/x", "config": "/c", "crossCompile": "", "on": ["/1", "/2"], "appliedPatches": ["/3"], "cumulative": true }], "fixes": [{ "patches": ["/p"] }] }"#)
        #expect(
            manifest.cells.map(\.arguments) == [[
                "build", "-s", "source", "--xen-syms", "/x", "-c", "/c", "--cross-compile", "", "--on", "/1", "--on", "/2", "--applied-patch", "/3",
                "--cumulative", "-p", "/p", "--name", "p",
            ]])
    }

    @Test(arguments: [
        ("{", "is no JSON"), ("[]", "is of another type"), (#"{ "fixes": [] }"#, "hypervisors: is missing"),
        (#"{ "hypervisors": [], "fixes": [] }"#, "hypervisors: the list is empty"),
        (#"{ "hypervisors": [], "fixes": [], "more": 1 }"#, "more: is not known here; there are hypervisors, fixes"),
        (#"{ "hypervisors": [{ "name": "a", "source": "b", "xensyms": "c" }], "fixes": [] }"#, "hypervisors[0].xensyms: is not known here"),
        (#"{ "hypervisors": [{ "name": "a" }], "fixes": [] }"#, "hypervisors[0].source: is missing"),
        (#"{ "hypervisors": [{ "name": 5, "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: is of another type"),
        (#"{ "hypervisors": [{ "name": "../a", "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: '../a' can't name a folder"),
        (#"{ "hypervisors": [{ "name": "..", "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: '..' can't name a folder"),
        (#"{ "hypervisors": [{ "name": "a", "source": "b" }, { "name": "a", "source": "b" }], "fixes": [] }"#, "hypervisors[1].name: 'a' is there twice"),
    ])
    func oddManifests(text: String, complaint: String) {
        let error = #expect(throws: UsageError.self) { try read(text) }
        #expect(error?.message.contains(".json: \(complaint)") == true, "\(error?.message ?? "")")
        #expect(error?.exitCode == .usage)
    }

    @Test(arguments: [
        (#"{ "patches": [] }"#, "fixes[0].patches: no patch is named"), (#"{ "name": "x" }"#, "fixes[0].patches: is missing"),
        (#"{ "patches": ["p"], "hypervisors": ["c"] }"#, "fixes[0].hypervisors: no hypervisor is called 'c'"),
        (#"{ "patches": ["p"] }, { "patches": ["q/p.patch"] }"#, "fixes[1].name: 'p' is there twice"),
        (#"{ "patches": ["p"], "options": ["--force"] }"#, "fixes[0].options: '--force' is no option of a fix"),
        (#"{ "patches": ["p"], "options": ["-o=/etc"] }"#, "fixes[0].options: '-o' is no option of a fix"),
        (#"{ "patches": ["p"], "patch": "q" }"#, "fixes[0].patch: is not known here"),
    ])
    func oddFixes(fixes: String, complaint: String) {
        let error = #expect(throws: UsageError.self) { try read(small.replacing("FIXES", with: fixes)) }
        #expect(error?.message.contains(".json: \(complaint)") == true, "\(error?.message ?? "")")
    }
}

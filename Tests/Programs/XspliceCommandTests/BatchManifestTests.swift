import Diagnostics
import LivepatchBuild
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
            small.replacing(
                "FIXES",
                with:
                    #"{ "patches": ["/p/one.patch"] }, { "name": "2.0", "patches": ["/p/x", "/p/y"], "hypervisors": ["b"], "options": ["--expect", "--allow-layout-change", "struct foo"] }"#
            ))
        #expect(manifest.cells.map(\.folder) == ["a/one", "b/one", "b/2.0"])
        let work = BuildOptions.Work(jobs: 2, cache: "/cache")
        var payload = BuildOptions.Payload()
        payload.name = "one"
        #expect(
            try manifest.cells[0].options(work: work) == BuildOptions(input: .init(source: "source", patches: ["/p/one.patch"]), payload: payload, work: work))
        var targets = BuildOptions.Targets(), fix = BuildOptions.Fix()
        targets.architectures = ["arm64"]
        payload.name = "2-0"
        fix.expect = true
        fix.allowedLayouts = ["struct foo"]
        #expect(
            try manifest.cells[2].options(work: work)
                == BuildOptions(input: .init(source: "source", patches: ["/p/x", "/p/y"]), targets: targets, payload: payload, fix: fix, work: work))
    }

    @Test func whatIsAppliedBelongsToTheHypervisor() throws {
        let manifest = try read(
            #"{ "hypervisors": [{ "name": "a", "source": "/abs", "xenSyms": "/x", "config": "/c", "crossCompile": "", "on": ["/1", "/2"], "appliedPatches": ["/3"], "cumulative": true }], "fixes": [{ "patches": ["/p"] }] }"#
        )
        let options = try #require(manifest.cells.first).options(work: .init(jobs: 1, cache: "/cache"))
        #expect(options.targets.xenSyms == [TargetValue("/x")] && options.targets.config == [TargetValue("/c")])
        #expect(options.targets.crossCompile == [TargetValue("")] && options.targets.architectures.isEmpty)
        #expect(options.stack.payloads == ["/1", "/2"] && options.stack.patches == ["/3"] && options.stack.isReplaced)
        #expect(options.input.patches == ["/p"] && options.payload.name == "p" && options.fix == BuildOptions.Fix())
    }

    @Test func everyOptionOfAFix() throws {
        let words =
            #"["--allow-layout-change=a", "--format", "livepatch", "--nop", "f=5", "--nop=g=6", "--prelink", "--strip", "--trust-source", "--xen-debug", "--expect"]"#
        let fix = try #require(try read(small.replacing("FIXES", with: #"{ "patches": ["/p"], "options": \#(words) }"#)).fixes.first).options
        #expect(fix.format == .livepatch && fix.allowedLayouts == ["a"] && fix.nops == [.init(function: "f", count: 5), .init(function: "g", count: 6)])
        #expect(fix.prelink && fix.strip && fix.trustSource && fix.xenDebug && fix.expect)
    }

    @Test(
        "a key that is there twice is refused, and what is no JSON is placed",
        arguments: [
            ("{", "1:2: is not JSON: a key is missing"), ("", "1:1: is not JSON: a value is missing"),
            ("{ \"a\": 1,\n  b }", "2:3: is not JSON: a key is missing"),
            ("[1, 2", "1:6: is not JSON: ',' or ']' is missing"), ("[] []", "1:4: there is more behind"), ("[\"\\x\"]", "1:4: is not JSON: an unknown escape"),
            ("{ \"fixes\": [],\n\"hypervisors\": [], \"fixes\": [] }", "2:20: the key 'fixes' is there twice"),
            ("{ \"fixes\": [{ \"patches\": [\"a\"], \"p\\u0061tches\": [\"b\"] }] }", "1:33: the key 'patches' is there twice"),
            (String(repeating: "[", count: 5000), "1:101: is not JSON that this program reads"),
        ])
    func faultsOfText(text: String, complaint: String) {
        let error = #expect(throws: UsageError.self) { try read(text) }
        #expect(error?.message.contains(".json:\(complaint)") == true, "\(error?.message ?? "")")
    }

    @Test func whatIsJSONHasNoFault() {
        for text in [
            "{}", "[]", " [ ] ", "\"\"", "-0.5e+10", "[true,false,null,0,1E5]", "{\"a\":{\"a\":[{\"a\":\"\\u00e9\\ud83d\\ude00\\n\"}]},\"b\":1}", "\u{FEFF}{}",
        ] {
            #expect(JSONFault.find(in: Array(text.utf8)) == nil, "\(text)")
        }
    }

    /// The list that messages have is that of the options that are parsed.
    @Test func namesOfOptions() {
        let shown = FixOptions.helpMessage(columns: 100).matches(of: /--[a-z][a-z-]+/).map { String($0.output) }.filter { $0 != "--help" }
        #expect(Set(shown) == Set(FixOptions.names))
    }

    @Test(arguments: [
        ("[]", "is of another type"), (#"{ "fixes": [] }"#, "hypervisors: is missing"),
        (#"{ "hypervisors": [], "fixes": [] }"#, "hypervisors: the list is empty"),
        (#"{ "hypervisors": [], "fixes": [], "more": 1 }"#, "more: is not known here; there are hypervisors, fixes"),
        (#"{ "hypervisors": [{ "name": "a", "source": "b", "xensyms": "c" }], "fixes": [] }"#, "hypervisors[0].xensyms: is not known here"),
        (#"{ "hypervisors": [{ "name": "a" }], "fixes": [] }"#, "hypervisors[0].source: is missing"),
        (#"{ "hypervisors": [{ "name": 5, "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: is of another type"),
        (#"{ "hypervisors": [{ "name": "../a", "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: '../a' can't name a folder"),
        (#"{ "hypervisors": [{ "name": "-f", "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: '-f' can't name a folder"),
        (#"{ "hypervisors": [{ "name": "batch.json", "source": "b" }], "fixes": [] }"#, "hypervisors[0].name: 'batch.json' is the name of the batch's report"),
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
        (#"{ "patches": ["p"], "hypervisors": [] }"#, "fixes[0].hypervisors: the list of fix 'p' is empty"),
        (#"{ "patches": ["p"], "hypervisors": ["c"] }"#, "fixes[0].hypervisors: no hypervisor of fix 'p' is called 'c'"),
        (#"{ "patches": ["p"] }, { "patches": ["q/p.patch"] }"#, "fixes[1].name: 'p' is there twice"),
        (#"{ "patches": ["p"], "options": ["--force"] }"#, "fixes[0].options: '--force' is not an option of a fix"),
        (#"{ "patches": ["p"], "options": ["-o=/etc"] }"#, "fixes[0].options: '-o' is not an option of a fix"),
        (
            #"{ "patches": ["p"] }, { "patches": ["q"], "options": ["--format", "kpatch"] }"#,
            "fixes[1].options: The value 'kpatch' is invalid for '--format <format>'."
        ),
        (#"{ "patches": ["p"], "options": ["--nop", "f"] }"#, "fixes[0].options: The value 'f' is invalid for '--nop <function=bytes>'"),
        (#"{ "patches": ["p"], "options": ["--nop=f=-1"] }"#, "fixes[0].options: The value 'f=-1' is invalid for '--nop <function=bytes>'"),
        (#"{ "patches": ["p"], "options": ["--nop"] }"#, "fixes[0].options: Missing value for '--nop <function=bytes>'"),
        (#"{ "patches": ["p"], "options": ["stray"] }"#, "fixes[0].options: Unexpected argument 'stray'"),
        (#"{ "patches": ["p"], "options": ["--allow-layout-change", ""] }"#, "fixes[0].options: --allow-layout-change is given an empty name"),
        (#"{ "patches": ["p"], "options": ["--help"] }"#, "fixes[0].options: '--help' is not an option of a fix"),
        (#"{ "patches": ["p"], "patch": "q" }"#, "fixes[0].patch: is not known here"),
    ])
    func oddFixes(fixes: String, complaint: String) {
        let error = #expect(throws: UsageError.self) { try read(small.replacing("FIXES", with: fixes)) }
        #expect(error?.message.contains(".json: \(complaint)") == true, "\(error?.message ?? "")")
    }
}

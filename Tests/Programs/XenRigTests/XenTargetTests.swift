import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles

@testable import XenRig

@Suite("which hypervisors the fixtures are tried with, and which fixtures with each")
struct XenTargetTests {
    @Test("each has a name of its own, and one for tables")
    func names() throws {
        #expect(XenTarget.small.map(\.name) == ["mini-xen", "mini-xen-arm64", "mini-xen-arm32"])
        #expect(XenTarget.debian.map(\.name) == ["4.14", "4.17", "4.20", "4.17-arm64", "4.20-arm64", "4.17-arm32", "4.20-arm32"])
        #expect(XenTarget.debian.map(\.title) == ["4.14", "4.17", "4.20", "4.17 arm64", "4.20 arm64", "4.17 arm32", "4.20 arm32"])
        #expect(XenTarget.all.map(\.description).suffix(2) == ["Xen 4.17 arm32", "Xen 4.20 arm32"] && XenTarget.all[1].description == "mini-xen arm64")
        #expect(
            XenTarget.flavoured.map(\.name) == ["4.17-clang-19", "4.17-rich", "4.17-rich-debug", "4.17-lean", "4.17-packaged", "4.20-gcc-14", "4.20-gcc-15"])
        #expect(XenTarget.standard.name == "4.17" && XenTarget.all.count { $0 == .standard } == 1)
    }

    @Test("the small tree is no release of Debian's, and can't be booted")
    func small() throws {
        for target in XenTarget.small { #expect(throws: StepError("\(target) is no release of Debian's Xen")) { try target.xen } }
        #expect(try XenTarget.standard.xen == DebianXen.standard)
    }

    // MARK: Which changes

    /// The names of the hypervisors that there is such a change for.
    private func tried(_ change: ChangeCase) throws -> [String] {
        try XenTarget.all.filter { try $0.variant(of: change) != nil }.map(\.name)
    }

    private func change(_ expected: ChangeCase.Expected) -> ChangeCase { ChangeCase(name: "C", expected: expected, patches: []) }

    @Test("one of the small tree is for all machines but those that are left out")
    func ofTheSmallTree() throws {
        var expected = ChangeCase.Expected(tree: "mini-xen", exit: 0)
        #expect(try tried(change(expected)) == ["mini-xen", "mini-xen-arm64", "mini-xen-arm32"])
        expected.notOn = ["arm32": "why"]
        #expect(try tried(change(expected)) == ["mini-xen", "mini-xen-arm64"])
        expected.notOn = ["arm": "why"]
        #expect(try tried(change(expected)) == ["mini-xen"])
    }

    @Test("one of a real Xen is for 4.17, and for the versions and machines that it names")
    func ofARealXen() throws {
        #expect(try tried(change(.init(exit: 0))) == ["4.17"])
        #expect(try tried(change(.init(versions: [], exit: 0))) == ["4.17"])
        #expect(try tried(change(.init(versions: ["4.14", "4.20"], exit: 0))) == ["4.14", "4.17", "4.20"])
        #expect(try tried(change(.init(versions: ["4.20"], machines: ["arm64"], exit: 0))) == ["4.17", "4.20", "4.17-arm64", "4.20-arm64"])
        // Machines count for those with versions only.
        #expect(try tried(change(.init(machines: ["arm64"], exit: 0))) == ["4.17"])
        var othersOnly = ChangeCase.Expected(versions: ["4.20"], machines: ["arm32"], exit: 0)
        othersOnly.othersOnly = true
        #expect(try tried(change(othersOnly)) == ["4.17-arm32", "4.20-arm32"])
    }

    @Test("the demo's change is for every real Xen")
    func demo() throws {
        #expect(try tried(.demo) == XenTarget.debian.map(\.name))
        #expect(WorkFiles.isReadableFile(try #require(ChangeCase.demo.patches.first)))
    }

    @Test("for the hypervisor that it was written for a change is as it is, for others it is their own")
    func variants() throws {
        try withTemporaryFolder { folder in
            for name in ["change.patch", "4.20/change.patch", "arm/change.patch", "arm-4.20/change.patch", "4.20/notes.txt"] {
                try WorkFiles.makeFolder(folder.appending(name).removingLastComponent())
                try WorkFiles.write([], to: folder.appending(name))
            }
            var expected = ChangeCase.Expected(versions: ["4.14", "4.20"], machines: ["arm64", "arm32"], exit: 0, changed: ["f"])
            expected.referred = ["printk"]
            expected.machines?["arm32"]?.changed = ["f", "g"]
            expected.machines?["arm64 4.20"] = .init()
            expected.machines?["arm64 4.20"]?.exit = 4
            let change = ChangeCase(name: "C", expected: expected, patches: [folder.appending("change.patch")])
            func variant(_ name: String) throws -> ChangeCase {
                let target = try #require(XenTarget.all.first { $0.name == name })
                return try #require(try target.variant(of: change))
            }
            func patch(_ name: String) throws -> [FilePath] {
                try variant(name).patches.map { $0.removingLastComponent().lastComponent.map { FilePath($0.string) } ?? "" }
            }
            #expect(try variant("4.17").expected.referred == ["printk"] && variant("4.17").patches == change.patches)
            #expect(try variant("4.14").expected.referred == nil && variant("4.14").patches == change.patches)
            #expect(try patch("4.20") == ["4.20"] && patch("4.17-arm64") == ["arm"] && patch("4.20-arm32") == ["arm-4.20"])
            #expect(try variant("4.17-arm32").expected.changed == ["f", "g"] && variant("4.17-arm64").expected.changed == ["f"])
            #expect(try variant("4.20-arm64").expected.exit == 4 && variant("4.17-arm64").expected.exit == 0)
        }
    }

    // MARK: The fixtures themselves

    @Test("every change of the fixtures is tried with some hypervisor, and has a patch there, or an option instead")
    func fixtures() throws {
        let changes = try ChangeCase.all()
        #expect(changes.count > 100)
        let trials = try Trial.all(of: changes, with: XenTarget.all)
        #expect(Set(trials.map(\.change.name)) == Set(changes.map(\.name)))
        for trial in trials { #expect(!trial.change.patches.isEmpty || !trial.change.options.isEmpty, "\(trial)") }
        for target in XenTarget.all { #expect(trials.count { $0.target == target } > 15, "\(target)") }
        #expect(Set(trials.map(\.description)).count == trials.count)
    }

    private static func golden(_ target: XenTarget, debug: Bool = false) -> FilePath {
        ChangeCase.fixtures.appending("golden/\(GoldenRun.name(target, debug: debug)).txt")
    }

    @Test("what was written down is of the fixtures that there are", arguments: XenTarget.all.filter { WorkFiles.exists(Self.golden($0)) })
    func writtenDown(target: XenTarget) throws {
        let changes = try Trial.all(of: ChangeCase.all(), with: [target]).map(\.change)
        for debug in Set(changes.map(\.isForDebugBuild)) {
            let names = changes.filter { $0.isForDebugBuild == debug }.map(\.name)
            #expect(GoldenFile(text: try WorkFiles.readText(Self.golden(target, debug: debug))).lines.keys.sorted() == names.sorted())
        }
    }

    @Test("for every small tree it is written down", arguments: XenTarget.small)
    func goldenOfSmallTrees(target: XenTarget) { #expect(WorkFiles.isReadableFile(Self.golden(target))) }

    /// The demo's change and each of `Fixtures/changes` that says which versions it is for has a row.
    @Test("the table of Docs/Compatibility.md has a result for each change and hypervisor that are tried, and no other")
    func compatibility() throws {
        let page = try WorkFiles.readText(ChangeCase.fixtures.appending("../Docs/Compatibility.md").lexicallyNormalized())
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") }
            .map { $0.split(separator: "|").map { String($0.dropFirst().dropLast()) } }
        #expect(rows.first == ["change"] + (XenTarget.debian + XenTarget.flavoured).map(\.title))
        var said: Set<String> = []
        for row in rows.dropFirst().dropLast() {
            for (target, cell) in zip((XenTarget.debian + XenTarget.flavoured), row.dropFirst()) where cell != "–" { said.insert("\(row[0]) in \(target)") }
        }
        let changes = [.demo] + (try ChangeCase.all().filter { $0.expected.versions != nil })
        #expect(Set(try Trial.all(of: changes, with: (XenTarget.debian + XenTarget.flavoured)).map(\.description)) == said)
    }
}

import Testing
import XenVersions

@testable import TestDrive

@Suite("which suite of Debian a dom0 comes from")
struct Dom0SuiteTests {
    @Test(
        "its host tool is of the hypervisor's version, or of the last one before it",
        arguments: [
            (4, 7, "bullseye"), (4, 13, "bullseye"), (4, 14, "bullseye"), (4, 16, "bullseye"), (4, 17, "bookworm"), (4, 18, "bookworm"),
            (4, 20, "trixie"), (4, 21, "trixie"), (5, 0, "trixie"),
        ])
    func versions(major: Int, minor: Int, suite: String) {
        #expect(Dom0Suite.speaking(to: XenVersion(major: major, minor: minor, extra: ".2-pre")).name == suite)
    }

    @Test("the suites are known from the oldest on, each with another Xen")
    func order() {
        for (older, newer) in zip(Dom0Suite.all, Dom0Suite.all.dropFirst()) { #expect(older.xen < newer.xen) }
    }

    @Test("a dom0 is of the suite and the machine, and of another suite only where Debian has no tools for that machine", arguments: Dom0Suite.all)
    func archives(suite: Dom0Suite) throws {
        for machine in TargetMachine.all {
            let archive = suite.archive(for: machine, cache: FolderCache(root: "/nonexistent"))
            #expect(archive.suite == (suite == .trixie && machine == .arm32 ? "bookworm" : suite.name))
            #expect(try TargetMachine.ofDebian(archive.architecture) == machine)
        }
    }

    @Test("there is none in an empty cache") func nothingYet() throws {
        #expect(try Dom0Suite.bookworm.existingDom0(for: .x86_64, cache: FolderCache(root: "/nonexistent")) == nil)
    }
}

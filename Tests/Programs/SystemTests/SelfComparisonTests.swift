import FoundationEssentials
import Report
import Subprocess
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What did not change must not differ: a whole hypervisor against itself.
@Suite(.timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"))
struct SelfComparisonTests {
    /// - Parameter code: what `diff` may end with, beside 0: it is 4 for a change that can't be in a payload.
    private func compare(_ a: FilePath, _ b: FilePath, orCode code: Int = 0) async throws -> FolderComparison {
        let program = try #require(RealXen.program)
        let json = try await run(
            "sh", ["-c", "\"$0\" diff --json \"$1\" \"$2\" || [ $? -eq \(code) ]", program.string, a.appending("xen").string, b.appending("xen").string])
        return try JSONText.decode(FolderComparison.self, from: Array(json.utf8))
    }

    @Test("all objects of a build against themselves, in seconds", arguments: RealXen.flavours)
    func itself(debug: Bool) async throws {
        let tree = try await RealXen.hypervisor(debug: debug).tree
        let clock = ContinuousClock()
        let start = clock.now
        let comparison = try await compare(tree, tree)
        // Seconds on a machine with nothing else to do; many tests run beside this one.
        #expect(start.duration(to: clock.now) < .seconds(300))
        #expect(comparison.differing.map(\.original) == [])
        #expect(comparison.sameObjects > 350 && comparison.sameFunctions > 3500)
    }

    @Test(
        "all objects of a build against those of a second build in another folder",
        .enabled(if: RealXen.isThorough, "takes two more builds of Xen: 'make test-all'"), arguments: [false, true])
    func again(debug: Bool) async throws {
        let first = try await RealXen.hypervisor(debug: debug).tree
        let second = try await RealXen.secondBuild(debug: debug).tree
        let comparison = try await compare(first, second, orCode: 4)
        // Xen's own example payloads hold the hypervisor's build-id, which covers debug information and so the folder's name.
        #expect(comparison.differing.map(\.original).filter { !($0.hasPrefix("test/livepatch/") && $0.hasSuffix("note.o")) } == [])
        #expect(comparison.sameObjects > 350 && comparison.sameFunctions > 3500)
    }

    @Test(
        "all objects of other versions, compilers and configurations against themselves",
        .enabled(if: EveryXen.isWanted, "takes more builds of Xen: 'make test-all'"),
        arguments: EveryXen.targets)
    func everyXen(target: XenTarget) async throws {
        let tree = try await EveryXen.hypervisor(target).tree
        let comparison = try await compare(tree, tree)
        #expect(comparison.differing.map(\.original) == [])
        #expect(comparison.sameObjects > 200 && comparison.sameFunctions > 2000)
    }

    /// Files with many BUG, ASSERT and dprintk.
    private static let files = [
        "arch/x86/hvm/hvm.c", "arch/x86/irq.c", "arch/x86/mm.c", "arch/x86/traps.c", "common/domain.c", "common/event_channel.c",
        "common/grant_table.c", "common/page_alloc.c", "common/sched/credit2.c", "drivers/passthrough/pci.c",
    ]

    @Test("20 blank lines in front of every function of ten files change nothing", arguments: RealXen.flavours)
    func blankLines(debug: Bool) async throws {
        let tree = try await RealXen.hypervisor(debug: debug).tree
        try await withTemporaryFolder { folder in
            var patch = "", functions = 0
            for name in Self.files {
                let path = tree.appending("xen").appending(name)
                let (moved, count) = Self.withBlankLines(try WorkFiles.readText(path))
                functions += count
                let copy = folder.appending("moved.c")
                try WorkFiles.write(Array(moved.utf8), to: copy)
                patch += try await run(
                    "sh",
                    [
                        "-c", "diff -u --label \"a/xen/$1\" --label \"b/xen/$1\" \"$2\" \"$3\" || [ $? -eq 1 ]", "sh", name, path.string,
                        copy.string,
                    ])
            }
            #expect(functions > 500)
            let file = folder.appending("blank-lines.patch")
            try WorkFiles.write(Array(patch.utf8), to: file)
            let outcome = try await RealXen.outcome(
                of: ChangeCase(
                    name: "blank lines, debug: \(debug)",
                    expected: .init(debug: debug, exit: 3), patches: [file]))
            #expect(outcome.code == 3, "\(outcome.error)")
            #expect(outcome.changed == [] && outcome.new == [] && outcome.diagnostics == [])
            #expect(outcome.report?.compile?.concerned == Self.files.count)
        }
    }

    /// In Xen's style a function's body begins with a brace of its own line, its head behind an empty line.
    private static func withBlankLines(_ source: String) -> (text: String, functions: Int) {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var heads: Set<Int> = []
        for (index, line) in lines.enumerated() where line == "{" {
            var head = index
            // A macro may end right above.
            func isHead(_ line: Int) -> Bool {
                guard line >= 0, !lines[line].isEmpty, lines[line] != "}", !lines[line].hasPrefix("#") else { return false }
                return !lines[line].hasSuffix("\\") && !(line > 0 && lines[line - 1].hasSuffix("\\"))
            }
            while isHead(head - 1) { head -= 1 }
            heads.insert(head)
        }
        var moved: [String] = []
        for (index, line) in lines.enumerated() {
            if heads.contains(index) { moved += Array(repeating: "", count: 20) }
            moved.append(line)
        }
        return (moved.joined(separator: "\n"), heads.count)
    }
}

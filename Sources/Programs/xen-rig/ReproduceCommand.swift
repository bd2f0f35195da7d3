import ArgumentParser
import Diagnostics
import FoundationEssentials
import Subprocess
import SystemPackage
import TestRig
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Builds payloads twice, with all different that must not count.
struct ReproduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Builds the same payloads under two sets of conditions, and compares their bytes.")

    @OptionGroup var rig: RigOptions

    @OptionGroup var project: ProjectOptions

    /// A function, new data, and tables of a function.
    private static let changes = ["F1-xen-static", "D1-xen-data", "X3-xen-alternative"]

    /// Under what a payload is built.
    private struct Conditions {
        var title: String
        /// Below which everything is, the tree too.
        var folder: FilePath
        var jobs: Int
        var environment: [Environment.Key: String]
        /// What is put before the program.
        var before: [String]
    }

    func run() async throws {
        let build = try await DebianXen.of(suite: rig.suite).build(machine: rig.machine, cache: rig.rigCache)
        let source = try await XenRelease.ofDebian(rig.archive).source
        let root = rig.rigCache.root.appending("reproduce")
        try WorkFiles.remove(root)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let other = root.appending("an other place, höher")
        let all = [
            Conditions(
                title: "this user, -j 1, C, UTC", folder: root.appending("one"), jobs: 1,
                environment: ["PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": root.string], before: []),
            Conditions(
                title: "\(geteuid() == 0 ? "nobody" : "this user"), -j \(processors + 1), tr_TR, Asia/Kathmandu, umask 077, another path", folder: other, jobs: processors + 1,
                environment: [
                    "PATH": path, "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "HOME": other.string, "CFLAGS": "-O0", "MAKEFLAGS": "-n", "USER": "else",
                    "SOURCE_DATE_EPOCH": "1234567890",
                ],
                before: ["sh", "-c", "umask 077; exec \"$@\"", "sh"] + (geteuid() == 0 ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [])),
        ]
        var payloads: [[[UInt8]]] = []
        for conditions in all { payloads.append(try await self.payloads(conditions, source: source, build: build)) }
        var differing: [String] = []
        for (change, (one, two)) in zip(Self.changes, zip(payloads[0], payloads[1])) {
            print("\(change): \(one.count) and \(two.count) bytes, \(one == two ? "the same" : "different")")
            if one != two { differing.append(change) }
        }
        guard differing.isEmpty else { throw RigError("not reproduced: \(differing.joined(separator: ", ")); see \(root)") }
        try WorkFiles.remove(root)
        print("Reproduced.")
    }

    private func payloads(_ conditions: Conditions, source: FilePath, build: HypervisorBuild) async throws -> [[UInt8]] {
        XenRig.tell("building under: \(conditions.title)")
        let folder = conditions.folder, fixtures = project.fixturesFolder
        try WorkFiles.makeFolder(folder)
        let tree = folder.appending("xen")
        // Make takes no blanks in the path that it works in.
        let cache = FilePath("/tmp/xsplice-reproduce-\(getpid())")
        try WorkFiles.makeFolder(cache)
        defer { try? WorkFiles.remove(cache) }
        try await run(["cp", "-r", "--", source.string, tree.string], environment: conditions.environment)
        if !conditions.before.isEmpty, geteuid() == 0 {
            try await run(["chown", "-R", "65534:65534", folder.string, cache.string], environment: conditions.environment)
        }
        var result: [[UInt8]] = []
        for change in Self.changes {
            let patch = fixtures.appending("changes/\(change)/change.patch")
            let output = folder.appending(change)
            try await run(
                conditions.before + [
                    project.program.string, "-s", tree.string, "-p", patch.string, "-o", output.string, "--xen-syms", build.symbols.string,
                    "-c", build.tree.appending("xen/.config").string, "--cache-dir", cache.string, "-j", "\(conditions.jobs)", "-q",
                ], environment: conditions.environment)
            result.append(try WorkFiles.read(output.appending("change.livepatch")))
        }
        return result
    }

    private func run(_ words: [String], environment: [Environment.Key: String]) async throws {
        let program = words.first ?? ""
        try await runInView(program.contains("/") ? .path(FilePath(program)) : .name(program), Array(words.dropFirst()), environment: .custom(environment))
    }
}

import FoundationEssentials
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Builds the same payloads under two sets of conditions that must not change them.
package struct Reproduction: Sendable {
    /// The program to try.
    package var program: FilePath
    package var release: XenRelease
    package var build: HypervisorBuild
    /// The project's folder `Fixtures`.
    package var fixtures: FilePath
    /// The folder for all files that this writes; it is removed and made again.
    package var folder: FilePath
    package var tell: @Sendable (String) -> Void

    package init(
        program: FilePath, release: XenRelease, build: HypervisorBuild, fixtures: FilePath, folder: FilePath, tell: @escaping @Sendable (String) -> Void
    ) {
        (self.program, self.release, self.build) = (program, release, build)
        (self.fixtures, self.folder, self.tell) = (fixtures, folder, tell)
    }

    package struct Result: Sendable {
        package var change: String
        /// The sizes of the two payloads, in bytes.
        package var sizes: (Int, Int)
        package var isSame: Bool
    }

    /// The changes to build: of a function, of data, and of a function with entries in tables.
    private static let changes = ["F1-xen-static", "D1-xen-data", "X3-xen-alternative"]

    /// The conditions of a build.
    private struct Conditions {
        var title: String
        /// The folder that contains everything, including the tree.
        var folder: FilePath
        var jobs: Int
        var environment: [Environment.Key: String]
        /// The command line in front of the program.
        var before: [String]
    }

    /// Builds all payloads.
    ///
    /// - Returns: a result for each change. `folder` stays if two payloads are not the same.
    /// - Throws: `StepError` when a step ends with a status other than 0; `WorkFileError`.
    package func run() async throws -> [Result] {
        try WorkFiles.remove(folder)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let processors = ThisMachine.processors
        let other = folder.appending("an other place, höher")
        let all = [
            Conditions(
                title: "this user, -j 1, C, UTC", folder: folder.appending("one"), jobs: 1,
                environment: ["PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": folder.string], before: []),
            Conditions(
                title: "\(geteuid() == 0 ? "nobody" : "this user"), -j \(processors + 1), tr_TR, Asia/Kathmandu, umask 077, another path", folder: other,
                jobs: processors + 1,
                environment: [
                    "PATH": path, "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "HOME": other.string, "CFLAGS": "-O0", "MAKEFLAGS": "-n", "USER": "else",
                    "SOURCE_DATE_EPOCH": "1234567890",
                ],
                before: ["sh", "-c", "umask 077; exec \"$@\"", "sh"]
                    + (geteuid() == 0 ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [])),
        ]
        var payloads: [[[UInt8]]] = []
        for conditions in all { payloads.append(try await self.payloads(conditions)) }
        let results = zip(Self.changes, zip(payloads[0], payloads[1])).map { change, pair in
            Result(change: change, sizes: (pair.0.count, pair.1.count), isSame: pair.0 == pair.1)
        }
        if results.allSatisfy(\.isSame) { try WorkFiles.remove(folder) }
        return results
    }

    private func payloads(_ conditions: Conditions) async throws -> [[UInt8]] {
        tell("building under: \(conditions.title)")
        let folder = conditions.folder
        try WorkFiles.makeFolder(folder)
        let tree = folder.appending("xen")
        // The cache is in a folder of its own, because make can't work in a path with blanks.
        let cache = try WorkFiles.makeTemporaryFolder(named: "xsplice-reproduce")
        defer { try? WorkFiles.remove(cache) }
        try await run(["cp", "-r", "--", release.source.string, tree.string], environment: conditions.environment)
        if !conditions.before.isEmpty, geteuid() == 0 {
            try await run(["chown", "-R", "65534:65534", folder.string, cache.string], environment: conditions.environment)
        }
        var result: [[UInt8]] = []
        for change in Self.changes {
            let patch = fixtures.appending("changes/\(change)/change.patch")
            let output = folder.appending(change)
            try await run(
                conditions.before + [
                    program.string, "-s", tree.string, "-p", patch.string, "-o", output.string, "--xen-syms", build.symbols.string,
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

import SystemPackage
import TestDrive
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What all tests of a run share: the small tree, its hypervisor, a cache folder.
struct Bench: Sendable {
    /// Removed when the test process ends.
    let folder: FilePath
    /// Never built in, never changed.
    var tree: FilePath { folder.appending("mini-xen") }
    var xenSyms: FilePath { xenSyms(for: .own) }
    var cache: FilePath { folder.appending("cache") }

    /// The smallest change there is: one function in one file.
    static let change = ChangeCase.fixtures.appending("changes/F1-global/change.patch")

    static func shared() async throws -> Bench { try await making.value }

    private static let making = Task {
        let folder = try WorkFiles.makeTemporaryFolder(named: "xsplice-integration")
        removeAtExit(folder)
        let bench = Bench(folder: folder)
        try WorkFiles.makeFolder(folder.appending("home"))
        try await run("cp", ["-r", ChangeCase.fixtures.appending(MiniXen.name).string, bench.tree.string])
        _ = try await MiniXen.build(for: .own, in: bench.built(for: .own))
        return bench
    }

    /// The hypervisor of another machine is built for the first test that wants it.
    static func shared(for machine: TargetMachine) async throws -> Bench {
        let bench = try await shared()
        if machine != .own { _ = try await others.value(of: machine.name) { try await MiniXen.build(for: machine, in: bench.built(for: machine)) } }
        return bench
    }

    private static let others = Once<HypervisorBuild>()

    private func built(for machine: TargetMachine) -> FilePath { folder.appending("built-\(machine)") }
    func xenSyms(for machine: TargetMachine) -> FilePath { built(for: machine).appending("xen/xen-syms") }

    /// The arguments of a whole run.
    func arguments(
        tree: FilePath? = nil, patches: [FilePath] = [change], output: FilePath, machine: TargetMachine = .own, xenSyms: FilePath? = nil,
        cache: FilePath? = nil, jobs: Int = 2
    ) -> [String] {
        ["-s", (tree ?? self.tree).string] + patches.flatMap { ["-p", $0.string] }
            + ["-o", output.string, "--xen-syms", (xenSyms ?? self.xenSyms(for: machine)).string]
            + ["--cache-dir", (cache ?? self.cache).string, "-j", "\(jobs)"]
    }

    /// Gives a test a folder of its own, removed at its end.
    func withFolder<R>(_ body: (FilePath) async throws -> R) async throws -> R {
        try await withTemporaryFolder(named: "test", in: folder, body)
    }

    /// A copy of the tree for a test that changes it.
    func copyOfTree(to path: FilePath) async throws -> FilePath {
        try await run("cp", ["-r", tree.string, path.string])
        return path
    }

    private static func removeAtExit(_ folder: FilePath) {
        setenv("XSPLICE_INTEGRATION_FOLDER", folder.string, 1)
        atexit {
            if let name = getenv("XSPLICE_INTEGRATION_FOLDER") { try? WorkFiles.remove(FilePath(String(cString: name))) }
        }
    }
}

/// Everything about a folder that somebody could have changed: names, kinds, contents, times.
///
/// - Parameter times: also the times of change of content and of inode, in nanoseconds; of folders as well.
func state(of folder: FilePath, times: Bool = true) throws -> [String: String] {
    var result: [String: String] = [:]
    func note(_ path: String, _ kind: FileKind) throws {
        let full = path.isEmpty ? folder.string : "\(folder)/\(path)"
        var status = stat()
        try #require(lstat(full, &status) == 0)
        var text = "\(status.st_mode) \(status.st_size)"
        if times {
            text += " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
        }
        switch kind {
        case .regular: text += " \(try WorkFiles.read(FilePath(full)).hashValue)"
        case .symbolicLink: text += " \(try WorkFiles.linkTarget(FilePath(full)))"
        case .folder, .other: break
        }
        result[path] = text
    }
    try note("", .folder)
    try WorkFiles.walk(folder) { path, kind in
        try note(path, kind)
        return true
    }
    return result
}

/// The payloads and temporary files in a folder: what a run that ended badly must not leave.
func leftovers(in folder: FilePath) throws -> [String] {
    guard try WorkFiles.kind(of: folder) == .folder else { return [] }
    return try WorkFiles.names(in: folder).filter { $0.hasSuffix(".livepatch") || $0.hasSuffix(".tmp") }
}

import Subprocess
import SystemPackage
import TestRig
import TestTools

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The program to be tested, a hypervisor to run its payloads on, and one boot of it for all cases.
struct SystemRig: Sendable {
    /// The program that the environment variable `XSPLICE_BUILD` names.
    static let program: FilePath? = getenv("XSPLICE_BUILD").map { FilePath(String(cString: $0)) }

    /// What the program made of a patch.
    enum Build: Sendable {
        case payload([UInt8])
        /// With what it printed.
        case failed(String)
    }

    var builds: [String: Build] = [:]
    var hypervisor: HypervisorBuild
    var machine: MachineRun

    /// Made once, by the test that comes first; the others wait for it.
    private static let made = Task { try await SystemRig() }
    static var shared: SystemRig { get async throws { try await made.value } }

    private init() async throws {
        guard let program = Self.program else { throw ToolFailure(description: "XSPLICE_BUILD names no program") }
        let cache = RigCache.standard(tell: { print($0) })
        let archive = DebianArchive(suite: "bookworm", cache: cache)
        hypervisor = try await XenRelease.ofDebian(archive).build(cache: cache)
        let dom0 = try await Dom0.ofDebian(archive)

        var scenario = Scenario()
        for item in PayloadCase.all {
            let build = try await Self.build(item.name, with: program, for: hypervisor, cache: cache)
            builds[item.name] = build
            guard case .payload(let bytes) = build else { continue }
            scenario.files["\(item.name).livepatch"] = bytes
            try item.addSteps(to: &scenario)
        }
        scenario.step("alive", "cat /sys/hypervisor/version/extra && xen-livepatch list")
        var boot = Boot(hypervisor: hypervisor.image, dom0: dom0)
        // A hundred steps, while the other tests compile.
        boot.timeLimit = .seconds(1200)
        machine = try await boot.run(scenario)
    }

    /// From the tree that the hypervisor was built in: strings such as the date of compilation are those of the hypervisor.
    private static func build(
        _ name: String, with program: FilePath, for hypervisor: HypervisorBuild, cache: RigCache
    ) async throws -> Build {
        let patch = fixtures.appending("patches/xen-4.17/\(name).patch")
        return try await withTemporaryFolder { folder in
            let output = folder.appending("out")
            let result = try await Subprocess.run(
                .path(program),
                arguments: [
                    "-s", hypervisor.tree.string, "-p", patch.string, "-o", output.string,
                    "--xen-syms", hypervisor.symbols.string,
                    // One patch touches a header that all of Xen includes: what was compiled for the last run of the tests is kept.
                    "--cache-dir", cache.root.appending("xsplice-build").string,
                ],
                input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
            guard result.terminationStatus.isSuccess else {
                return .failed("\(result.terminationStatus)\n\(result.standardOutput)\(result.standardError)")
            }
            return .payload(try bytes(of: output.appending("\(name).livepatch")))
        }
    }

    /// The folder `Fixtures` of this package.
    private static var fixtures: FilePath {
        FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent().appending("Fixtures")
    }
}

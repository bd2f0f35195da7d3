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

/// A cluster of compilers, of which this machine is the only one.
@Suite(.enabled(if: getenv("XSPLICE_TEST_ALL") != nil, "needs distcc; 'make test-all' installs and runs it"))
struct LauncherTests {
    @Test func distccdGivesTheSameBytes() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let patch = ChangeCase.fixtures.appending("changes/F3-two-files/change.patch")
            @Sendable func arguments(_ name: String) -> [String] {
                bench.arguments(patches: [patch], output: folder.appending(name), cache: folder.appending("\(name)-cache"))
            }
            let alone = try await Program.run(arguments("alone"))
            try #require(alone.code == 0, "\(alone.error)")

            try WorkFiles.makeFolder(folder.appending("distcc"))
            let port = 20_000 + Int(getpid() % 20_000), log = folder.appending("distccd.log")
            let daemon = [
                "--no-detach", "--daemon", "--allow", "127.0.0.1", "--listen", "127.0.0.1", "--port", "\(port)", "--jobs", "2", "--log-level", "info",
                // As the user that it becomes it can't open a file here.
                "--log-stderr",
            ]
            try await withProcess("distccd", daemon, log: log) {
                let environment = [
                    // Without the fallback: what the daemon does not compile, nobody does.
                    "DISTCC_HOSTS": "127.0.0.1:\(port)/2", "DISTCC_FALLBACK": "0", "DISTCC_DIR": folder.appending("distcc").string,
                    "DISTCC_BACKOFF_PERIOD": "0",
                ]
                let ending = try await Program.run(arguments("farm") + ["--compiler-launcher", "distcc"], environment: environment)
                try #require(ending.code == 0, "\(ending.error)")
            }
            #expect(try WorkFiles.read(folder.appending("farm/change.livepatch")) == WorkFiles.read(folder.appending("alone/change.livepatch")))
            let compiled = try WorkFiles.readText(log).split(separator: "\n").count { $0.contains("COMPILE_OK") }
            // Two files, each from both sources.
            #expect(compiled >= 4)
        }
    }

    /// A process that runs as long as `body`, its errors in a file.
    private func withProcess(_ program: String, _ arguments: [String], log: FilePath, _ body: @Sendable () async throws -> Void) async throws {
        let file = try FileDescriptor.open(log, .writeOnly, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        _ = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), input: .none, output: .discarded,
            error: .fileDescriptor(file, closeAfterSpawningProcess: true)
        ) { execution in
            defer { kill(execution.processIdentifier.value, SIGTERM) }
            try await Task.sleep(for: .milliseconds(500))
            try await body()
        }
    }
}

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

/// Another compiler, configuration or source than the hypervisor's: refused, with the cause.
///
/// Each prepares the tree anew, which takes its time.
@Suite(
    .timeLimit(.minutes(150)), .serialized,
    .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"),
    .enabled(if: RealXen.isThorough, "takes minutes; 'make test-all' runs it"))
struct OriginalTests {
    private static let change = ChangeCase.fixtures.appending("originals/xen-4.17/xen-version.patch")

    private func refusal(_ arguments: [String] = [], tree: FilePath? = nil, compiler: String? = nil) async throws -> String {
        let outcome = try await RealXen.run(["-p", Self.change.string] + arguments, tree: tree, compiler: compiler)
        #expect(outcome.code == 6, "\(outcome.error)")
        #expect(outcome.payload == nil)
        let errors = outcome.report?.diagnostics.filter { $0.id == .originalDiffers } ?? []
        // do_xen_version, which is compiled twice.
        #expect(errors.count == 2, "\(outcome.error)")
        return errors.map(\.message).joined(separator: "\n")
    }

    @Test func theSameIsTaken() async throws {
        let outcome = try await RealXen.run(["-p", Self.change.string])
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(outcome.report?.original.map { [$0.replaced, $0.equal] } == [2, 2])
    }

    @Test func anotherCompiler() async throws {
        let message = try await refusal(compiler: "gcc-11")
        #expect(message.contains("Another compiler made the hypervisor"), "\(message)")
        #expect(message.contains(") 12.") && message.contains(") 11."), "\(message)")
    }

    @Test func anotherConfiguration() async throws {
        let built = try await RealXen.hypervisor(debug: false).configuration
        try await withTemporaryFolder { folder in
            let config = folder.appending("config")
            try WorkFiles.write(try WorkFiles.read(built) + Array("CONFIG_SPECULATIVE_HARDEN_BRANCH=n\n".utf8), to: config)
            let message = try await refusal(["-c", config.string])
            #expect(message.contains("CONFIG_SPECULATIVE_HARDEN_BRANCH is y there, not set here"), "\(message)")
        }
    }

    @Test func anotherSource() async throws {
        let built = try await RealXen.hypervisor(debug: false).tree
        try await withTemporaryFolder { folder in
            let tree = folder.appending("tree")
            try await TestTools.run("cp", ["-a", "--", built.string, tree.string])
            let file = tree.appending("xen/common/kernel.c")
            let text = try WorkFiles.readText(file)
            let other = text.replacing("memset(&info, 0, sizeof(info));", with: "memset(&info, 1, sizeof(info));")
            try #require(other != text)
            try WorkFiles.write(Array(other.utf8), to: file)
            let message = try await refusal(tree: tree)
            #expect(message.contains("other functions of common/kernel.o are the same in the hypervisor"), "\(message)")
            #expect(message.contains("Compiler and configuration are those of the hypervisor"), "\(message)")
        }
    }

    @Test func trustGoesOn() async throws {
        let outcome = try await RealXen.run(["-p", Self.change.string, "--trust-source"], compiler: "gcc-11")
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(outcome.report?.diagnostics.first { $0.id == .originalDiffers }?.severity == .warning)
    }
}
